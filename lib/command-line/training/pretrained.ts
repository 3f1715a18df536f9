import { DataError, loadState, type PictureClassifier, stateOf } from '../../index.js';
import { architectureOf } from '../../models/model-file.js';
import { readSafetensors } from '../../node/index.js';
import { printable } from '../../printable.js';

/**
 * Sets a net's weights from a .safetensors file with the same names. Its last layer, called `head`, keeps its initial
 * weights where it has others in the file, which was made for other classes.
 *
 * @returns a line that says so
 * @throws DataError naming the file and all that is missing, unknown or of another shape, before anything is set.
 */
export async function loadPretrained(net: PictureClassifier, head: string, file: string): Promise<string> {
  const [own, { tensors, metadata }] = [await stateOf(net), await readSafetensors(file)];
  const { architecture } = net.description;
  const made = architectureOf(metadata);
  if (made !== undefined && made !== architecture)
    throw new DataError(
      `${printable(file)}: it is a model of ${printable(made)}; expected the weights of ${architecture}`,
    );
  const ofHead = [...own].filter(([name]) => name.startsWith(`${head}.`));
  const isOther = ofHead.some(([name, { shape }]) => tensors.get(name)?.shape.join() !== shape.join());
  const weights = new Map(isOther ? [...tensors, ...ofHead] : tensors);
  try {
    loadState(net, { tensors: weights });
  } catch (error) {
    throw error instanceof DataError ? new DataError(`${printable(file)}: ${error.message}`) : error;
  }
  return `weights: ${printable(file)}${isOther ? `, but for '${head}', which starts afresh` : ''}`;
}

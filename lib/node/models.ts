import { modelFrom, modelParts } from '../models/model-file.js';
import { classifierRule, type PictureClassifier } from '../models/picture-classifier.js';
import { DataError } from '../errors.js';
import { checkArgument, text } from '../options.js';
import { printable } from '../printable.js';
import { kindOf } from './pictures/file-kind.js';
import { withFile } from './read-file.js';
import { readSafetensors, writeSafetensors } from './safetensors.js';

/**
 * Saves a trained model as one file, which holds all that is needed to use it; see `encodeModel` for the format. Atomic:
 * a crash leaves the old file. PyTorch reads its weights by name. Throws DataError where the file cannot be written, TraceError for a model that is not built.
 */
export async function saveModel(path: string, model: PictureClassifier): Promise<void> {
  checkArgument('saveModel', 'path', path, text);
  checkArgument('saveModel', 'model', model, classifierRule);
  const { tensors, metadata } = await modelParts(model);
  await writeSafetensors(path, tensors, metadata);
}

/**
 * The model of a file that {@link saveModel} wrote, built and with its weights:
 *
 *     const model = await loadModel('model.safetensors');
 *     const { size, layout } = model.description;
 *     const pictures = await imageFolder('test', { size, layout });
 *     const probabilities = softmax(await predict(model, pictures));
 *
 * Of a model with a `storedSize` pictures have that size, and `viewsOf` says how the net sees them.
 *
 * Throws DataError naming the path, where it cannot be read or is no such file: see `decodeModel`.
 */
export async function loadModel(path: string): Promise<PictureClassifier> {
  checkArgument('loadModel', 'path', path, text);
  const contents = await readSafetensors(path).catch(async (error: unknown) => {
    const [source, problem] = [`${printable(path)}: `, error instanceof DataError ? error.message : ''];
    if (!problem.startsWith(source)) throw error;
    const kind = kindOf(await withFile(path, ({ read }) => read(0, BEGINNING)));
    throw new DataError(
      `${source}it is no model${kind === undefined ? `: ${problem.slice(source.length)}` : ` but ${kind}`}`,
    );
  });
  return modelFrom(contents, path);
}

/** Bytes that tell what a file is. */
const BEGINNING = 32;

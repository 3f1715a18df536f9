import { DataError, type Device, divide, Parameter, run, transpose } from '../../lib/index.js';
import type { Comparison } from './compare.js';
import { LoadedCase } from './loaded-case.js';

/** WGSL divides within 2.5 units in the last place. */
const DIVISION = { rtol: 2.5 * 2 ** -23, atol: 0 };
const EXACT = { rtol: 0, atol: 0 };

/** `mynet_data`: the floats are the bytes / 255, moved from row, column, channel to channel, row, column. */
export async function runData(loaded: LoadedCase, device: Device): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const part of loaded.names('input').filter((name) => name.endsWith('.u8'))) {
    const name = part.replace(/u8$/, 'x');
    const pixels = loaded.tensor(part);
    const result = await run(() => transpose(divide(pixels, 255), [0, 3, 1, 2]), { device });
    const got = { shape: result.shape, data: await result.data() };
    comparisons.push({ name, got, expected: loaded.values(name), ...DIVISION });
  }
  return comparisons;
}

/** `mynet_init`: the first weights come back from the device as they were; layers fit together, rows are in range. */
export async function runInit(loaded: LoadedCase, device: Device): Promise<Comparison[]> {
  const parameters = parametersOf(loaded);
  const sizes = loaded.attributes.numbers('sizes');
  parameters.forEach(({ name, shape }, i) => {
    const layer = Math.floor(i / 2);
    const [output, input] = [sizes[layer + 1], sizes[layer]];
    const fits = shape[0] === output && (i % 2 === 1 || shape[1] === input);
    if (!fits)
      throw new DataError(
        `${name} has the shape [${shape.join(', ')}], which does not fit the sizes ${sizes.join(', ')}`,
      );
  });
  const { data } = loaded.values('order');
  const train = (await sibling(loaded, 'mynet_data')).values('train.labels').data.length;
  const stray = Array.from(data).find((row) => !Number.isInteger(row) || row < -1 || row >= train);
  if (stray !== undefined) throw new DataError(`order has the row ${stray} of ${train} photos`);
  const results = await run(() => parameters.map(({ value }) => value), { device });
  return Promise.all(
    results.map(async (result, i) => {
      const name = parameters[i]?.name ?? '';
      const got = { shape: result.shape, data: await result.data() };
      return { name, got, expected: loaded.values(name), ...EXACT };
    }),
  );
}

/** Weights and biases of `fc1`, `fc2` … in the order of the layers. */
export function parametersOf(init: LoadedCase): Parameter[] {
  const layers = init.attributes.numbers('sizes').length - 1;
  return Array.from({ length: layers }, (_, i) => [`fc${i + 1}.weight`, `fc${i + 1}.bias`])
    .flat()
    .map((name) => new Parameter(name, ...variableOf(init, name)));
}

/** Values and shape of a tensor, as a Variable takes them. */
export function variableOf(loaded: LoadedCase, name: string): [Float32Array, readonly number[]] {
  const { shape, data } = loaded.values(name);
  return [Float32Array.from(data), shape];
}

/** Another case of the same index.json. Throws DataError where there is none. */
export async function sibling(loaded: LoadedCase, op: string, name?: string): Promise<LoadedCase> {
  const found = loaded.entry.siblings.find((entry) => entry.op === op && (name === undefined || entry.name === name));
  if (!found)
    throw new DataError(`the index has no case ${op}${name === undefined ? '' : `/${name}`}, which this one needs`);
  return LoadedCase.load(found);
}

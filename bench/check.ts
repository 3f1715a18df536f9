import type { ArrayView, NumericArray } from '../lib/graph/operation.js';
import { sizeOf } from '../lib/shape.js';
import { arrayOf } from '../lib/tensor.js';
import { differs } from '../test/support/close.js';
import type { Cost } from './cost.js';
import type { Entry } from './entry.js';

/** Products of more flop than this are compared with the reference in a few rows only. */
const WHOLE_FLOP = 2 ** 28;
/** Tolerances of operations hold for sums of so many terms; rounding errors of longer ones grow in proportion at most. */
const TERMS_OF_TOLERANCE = 128;

/** Compares outputs with the reference; undefined where they agree, else what is wrong in words. */
export type Check = (outputs: readonly NumericArray[]) => string | undefined;

/** Runs the operation's reference once (plain loops that accumulate in float64) and keeps what it gives. */
export function checkOf(entry: Entry, values: readonly NumericArray[], { flop, terms }: Cost): Check {
  const { absolute, relative } = entry.operation.tolerance;
  const tolerance = { absolute: absolute * Math.max(1, terms / TERMS_OF_TOLERANCE), relative };
  if (entry.operation.name === 'matmul' && flop > WHOLE_FLOP) {
    const { rows, expected } = productRows(entry, values);
    return ([product]) => {
      const N = expected.length / rows.length;
      const picked = rows.flatMap((row) => Array.from(product?.subarray(row * N, (row + 1) * N) ?? []));
      return differs(Float32Array.from(picked), expected, tolerance);
    };
  }
  const views = entry.inputs.map(({ shape }, i): ArrayView => ({ shape, data: valuesOf(values, i).slice() }));
  const expected = referenceOf(entry, views);
  return (outputs) => {
    for (const [i, data] of expected.entries()) {
      const wrong = differs(valuesOf(outputs, i), data, tolerance);
      if (wrong !== undefined) return `output ${i}: ${wrong}`;
    }
    return undefined;
  };
}

function referenceOf({ operation, attributes, inputs: given }: Entry, inputs: readonly ArrayView[]): NumericArray[] {
  const specs = given.map(({ shape, dtype = 'f32' }) => ({ shape, dtype }));
  const outputs = operation.infer(specs, attributes).map(({ shape, dtype }, i): ArrayView => {
    const written = inputs[operation.writes?.[i] ?? -1]?.data;
    return { shape, data: written ?? arrayOf(dtype, new Float32Array(sizeOf(shape))) };
  });
  operation.reference({ inputs, outputs, attributes });
  return outputs.map(({ data }) => data);
}

/** The reference's product of a few rows of A: the first, the last, and some between them that no tile begins with. */
function productRows(entry: Entry, values: readonly NumericArray[]) {
  const [a, b] = entry.inputs;
  const isTransposed = entry.attributes['transposeA'] === true;
  const M = a?.shape.at(isTransposed ? -1 : -2) ?? 0;
  const K = a?.shape.at(isTransposed ? -2 : -1) ?? 0;
  const rows = [...new Set([0, Math.floor(M / 3), Math.floor((2 * M) / 3), M - 1])];
  const data = new Float32Array(rows.length * K);
  const source = valuesOf(values, 0);
  rows.forEach((row, r) => {
    for (let k = 0; k < K; k++) data[r * K + k] = source[isTransposed ? k * M + row : row * K + k] ?? NaN;
  });
  const shape = [rows.length, K];
  const part: Entry = {
    ...entry,
    inputs: [{ shape }, b ?? { shape: [] }],
    attributes: { ...entry.attributes, transposeA: false },
  };
  const right: ArrayView = { shape: b?.shape ?? [], data: valuesOf(values, 1) };
  const [expected = new Float32Array(0)] = referenceOf(part, [{ shape, data }, right]);
  return { rows, expected };
}

function valuesOf(arrays: readonly NumericArray[], index: number): NumericArray {
  return arrays[index] ?? new Float32Array(0);
}

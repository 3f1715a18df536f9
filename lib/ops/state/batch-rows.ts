import { ShapeError } from '../../errors.js';
import { batchRowsWgsl, commonWgsl, permutationWgsl, philoxWgsl } from '../../generated/wgsl.js';
import { ceilDivide, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { defineOperation, type NumericArray } from '../../graph/operation.js';
import { permutation, PERMUTATION_STREAM } from '../../random.js';

/** Which word of the state of a data loader (seed low, seed high, epoch, position; u32) is the position. */
export const POSITION_WORD = 3;

type BatchAttributes = {
  /** Rows of the data set. */
  readonly count: number;
  /** Rows of the batch. */
  readonly size: number;
  readonly shuffle: boolean;
  /** How many rows the same step has taken already: several batches in one step follow each other. */
  readonly taken: number;
};

/** How the rows of a data set are ordered. */
export interface RowOrder {
  readonly count: number;
  readonly shuffle: boolean;
}

/** The rows from the place `taken` behind the state's position on, counted on into the epochs behind its own. */
export function writeRows(
  rows: NumericArray,
  state: ArrayLike<number>,
  taken: number,
  { count, shuffle }: RowOrder,
): void {
  const [low = 0, high = 0, epoch = 0, position = 0] = Array.from(state);
  const orders = new Map<number, (place: number) => number>();
  for (let i = 0; i < rows.length; i++) {
    const place = position + taken + i;
    const round = epoch + Math.floor(place / count);
    const order = orders.get(round) ?? (shuffle ? permutation(count, [low, high], round) : (own: number) => own);
    orders.set(round, order);
    rows[i] = order(place % count);
  }
}

/**
 * The row numbers of the next batch (i32 [size]) for the state of a data loader: the rows `position` … of the epoch's
 * order, and beyond its end those of the next epoch.
 */
export const batchRows = defineOperation<BatchAttributes>({
  name: 'batchRows',
  infer([state], { size }) {
    if (state?.dtype !== 'u32') throw new ShapeError(`batchRows: the state must be u32, found ${state?.dtype ?? ''}`);
    return [{ shape: [size], dtype: 'i32' }];
  },
  reference({ inputs: [state], outputs: [rows], attributes: { taken, ...order } }) {
    if (state && rows) writeRows(rows.data, state.data, taken, order);
  },
  kernel: ({ attributes: { count, size, shuffle, taken } }) => [
    {
      kernel: {
        name: 'batchRows',
        code: commonWgsl + philoxWgsl + permutationWgsl + batchRowsWgsl,
        entryPoint: 'batchRows',
      },
      constants: { SHUFFLE: Number(shuffle), PERMUTATION_STREAM },
      bindings: [{ input: 0 }, { output: 0 }],
      uniforms: new Uniforms().u32(size, count, taken).bytes(),
      workgroups: foldWorkgroups(ceilDivide(size, 64)),
    },
  ],
  gradient: { none: 'row numbers are integers' },
  tolerance: { absolute: 0, relative: 0 },
  cases: [
    [1, 1],
    [5, 3],
    [7, 7],
    [64, 65],
    [1000, 257],
    [33, 0],
  ].flatMap(([count = 1, size = 0]) =>
    [true, false].map((shuffle) => ({
      inputs: [{ shape: [4], dtype: 'u32' as const, fill: { below: count } }],
      attributes: { count, size, shuffle, taken: shuffle ? 0 : 2 },
    })),
  ),
});

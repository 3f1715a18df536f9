import { elementAt } from '../../element-at.js';
import { batchRowsWgsl, commonWgsl, permutationWgsl, philoxWgsl } from '../../generated/wgsl.js';
import { defineOperation } from '../../graph/define.js';
import { ceilDivide, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { i32, u32 } from '../../graph/operands.js';
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

/** `size` rows from the place `taken` behind the state's position on, counted on into the epochs behind its own. */
export function rowsFrom(
  state: ArrayLike<number>,
  taken: number,
  size: number,
  { count, shuffle }: RowOrder,
): Int32Array<ArrayBuffer> {
  const word = (place: number): number => elementAt(state, place);
  const [low, high, epoch, position] = [word(0), word(1), word(2), word(POSITION_WORD)];
  const orders = new Map<number, (place: number) => number>();
  const rows = new Int32Array(size);
  for (let i = 0; i < size; i++) {
    const place = position + taken + i;
    const round = epoch + Math.floor(place / count);
    const order = orders.get(round) ?? (shuffle ? permutation(count, [low, high], round) : (own: number) => own);
    orders.set(round, order);
    rows[i] = order(place % count);
  }
  return rows;
}

/**
 * The row numbers of the next batch (i32 [size]) for the state of a data loader: the rows `position` … of the epoch's
 * order, and beyond its end those of the next epoch.
 */
export const batchRows = defineOperation<BatchAttributes>()({
  name: 'batchRows',
  inputs: { state: u32(4) },
  outputs: { rows: i32('size') },
  infer: ({ attributes: { size } }) => ({ rows: [size] }),
  reference({ state, rows }, _, { taken, count, shuffle }) {
    rows.data.set(rowsFrom(state.data, taken, rows.size, { count, shuffle }));
  },
  kernel: ({ attributes: { count, size, shuffle, taken } }) => [
    {
      kernel: {
        name: 'batchRows',
        code: commonWgsl + philoxWgsl + permutationWgsl + batchRowsWgsl,
        entryPoint: 'batchRows',
      },
      constants: { SHUFFLE: Number(shuffle), PERMUTATION_STREAM },
      bindings: ['state', 'rows'],
      uniforms: new Uniforms().u32(size, count, taken).bytes(),
      workgroups: foldWorkgroups(ceilDivide(size, 64)),
    },
  ],
  gradient: { none: 'row numbers are integers' },
  tolerance: { absolute: 0, relative: 0 },
  cases: (
    [
      [1, 1],
      [5, 3],
      [7, 7],
      [64, 65],
      [1000, 257],
      [33, 0],
    ] as const
  ).flatMap(([count, size]) =>
    [true, false].map((shuffle) => ({
      inputs: { state: { shape: [4], dtype: 'u32' as const, fill: { below: count } } },
      attributes: { count, size, shuffle, taken: shuffle ? 0 : 2 },
    })),
  ),
  cost: () => ({ flop: 0 }),
});

import { elementAt } from '../../element-at.js';
import { ceilDivide } from '../../graph/launch.js';
import type { SimdArgument, SimdCall, SimdPhase } from '../../graph/simd.js';
import { MAX_CALLS, type Part, tasksOf } from '../simd-parts.js';
import { oneRow, type ReduceEnds } from './reduce-ends.js';

/** About so many elements are a block, and more rows than these would cost digits where one of them is far from the others. */
const BLOCK_ELEMENTS = 65_536;
const MOST_ROWS = 4096;
/** kernels/reduce/column_pairs.wat sums so many rows at a time. */
const ROWS_AT_ONCE = 64;

/** Matrices [rows, columns] behind each other, all of whose columns are summed. */
export interface Matrices {
  /** Where each begins, in elements. */
  readonly starts: readonly number[];
  readonly rows: number;
  readonly columns: number;
}

/** A block of rows of a matrix, and where its sums go. */
export interface RowBlock {
  readonly matrix: number;
  /** Its first element. */
  readonly start: number;
  readonly rows: number;
  readonly to: { readonly shared: true; readonly offset: number };
  readonly stride: number;
}

/** The sums of all blocks of a matrix. */
export interface MatrixSums {
  readonly matrix: number;
  readonly parts: { readonly shared: true; readonly offset: number };
  readonly partBytes: number;
  /** Bytes from the first sums of a block to the second ones. */
  readonly stride: number;
  readonly blocks: Part[];
  /** Where the results of the two sites go. */
  readonly to: readonly SimdArgument[];
}

/**
 * Phases for two sums down each column: blocks of rows by kernels/reduce/column_pairs.wat, and then, from the sums of the blocks,
 * which the tasks share, the results, the first of them at site 0 of a chain and the second at site 1. Undefined where that would be too many calls.
 */
export function columnPairPhases(
  { starts, rows, columns }: Matrices,
  ends: ReduceEnds,
  sum: (block: RowBlock) => SimdCall,
  join: (sums: MatrixSums) => SimdCall,
): readonly SimdPhase[] | undefined {
  const blocks = blocksOf(rows, columns);
  if (rows === 0 || starts.length * blocks.length > MAX_CALLS) return undefined;
  const stride = 8 * 4 * ceilDivide(columns, 4);
  const partBytes = 2 * stride;
  const at = (matrix: number, block: number) =>
    ({ shared: true, offset: (matrix * blocks.length + block) * partBytes }) as const;
  const sums = starts.map((from, matrix) =>
    blocks.map(({ start, count }, block) =>
      sum({ matrix, start: from + start * columns, rows: count, to: at(matrix, block), stride }),
    ),
  );
  const joins = starts.map((_, matrix) => {
    ends.begin();
    const { to, calls } = ends.results(oneRow(matrix * columns, columns));
    return [join({ matrix, parts: at(matrix, 0), partBytes, stride, blocks, to }), ...calls];
  });
  const sharedBytes = starts.length * blocks.length * partBytes;
  const elements = starts.length * rows * columns;
  const { scratchBytes } = ends;
  if (blocks.length === 1) {
    const each = sums.map((own, matrix) => [...own, ...elementAt(joins, matrix)]);
    return [{ tasks: tasksOf(each, elements).map((calls) => calls.flat()), scratchBytes, sharedBytes }];
  }
  const joining = tasksOf(joins, starts.length * blocks.length * columns).map((calls) => calls.flat());
  return [
    { tasks: tasksOf(sums.flat(), elements), sharedBytes },
    { tasks: joining, scratchBytes, sharedBytes },
  ];
}

function blocksOf(rows: number, columns: number): Part[] {
  const wanted = Math.max(ceilDivide(rows * columns, BLOCK_ELEMENTS), ceilDivide(rows, MOST_ROWS));
  const size = ROWS_AT_ONCE * ceilDivide(rows, wanted * ROWS_AT_ONCE);
  return Array.from({ length: ceilDivide(rows, size) }, (_, i) => ({
    start: i * size,
    count: Math.min(size, rows - i * size),
  }));
}

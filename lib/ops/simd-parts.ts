import { elementAt } from '../element-at.js';
import { ceilDivide } from '../graph/launch.js';
import { collapse, eachTensor, forEachOffset, type PerTensor, type Shape, sizeOf, type Walk } from '../shape.js';

/** About so many elements make a task: tens of microseconds of cheap work, far more than it costs to hand it out. */
export const ELEMENTS_PER_TASK = 65_536;
/** Parts of single elements begin at whole cache lines, which no two threads write then. */
const ELEMENTS_PER_LINE = 16;
/** Where more calls than this would be needed, the reference is left to do it. */
export const MAX_CALLS = 4096;
/** Elements of a block that stages work on one after the other: 64 KiB, which stay in the second-level cache; a call costs 0.2 us. */
export const BLOCK_ELEMENTS = 16_384;

/** A part of some items: `count` of them from `start` on. */
export interface Part {
  readonly start: number;
  readonly count: number;
}

/** Divides elements, or columns of `rows` elements each, into parts of about so many elements: of as many as tasks have, by default. */
export function elementParts(elements: number, rows = 1, most = ELEMENTS_PER_TASK): Part[] {
  return partsOf(elements, ceilDivide(elements * rows, most), ELEMENTS_PER_LINE);
}

/** Divides rows of `columns` elements into parts of about so many elements: of as many as tasks have, by default. */
export function rowParts(rows: number, columns: number, elements = ELEMENTS_PER_TASK): Part[] {
  return partsOf(rows, ceilDivide(rows * columns, elements), 1);
}

/** About `parts` equal ones, each a multiple of `unit` long but the last. */
function partsOf(items: number, parts: number, unit: number): Part[] {
  const size = Math.max(ceilDivide(ceilDivide(items, Math.max(parts, 1)), unit) * unit, 1);
  return Array.from({ length: ceilDivide(items, size) }, (_, i) => ({
    start: i * size,
    count: Math.min(size, items - i * size),
  }));
}

/** Of sizes or strides of axes the `place`th from the end; `absent` where there are fewer. */
export function fromEnd(axes: readonly number[], place: number, absent: number): number {
  return place > axes.length ? absent : elementAt(axes, -place);
}

/** Where a block of a tensor starts, and the distances of its rows and of its columns, all in elements. */
export interface BlockOf {
  readonly start: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

/** A part of the last two axes of a walk. */
export interface Block<T extends readonly Shape[]> {
  readonly rows: number;
  readonly columns: number;
  readonly tensors: PerTensor<T, BlockOf>;
}

/**
 * Tasks for a walk, a call for each block of it; undefined where that would be too many calls.
 *
 * @param most so many elements are in a block at most, or in one row of it
 */
export function blockTasks<const T extends readonly Shape[], Call>(
  walk: Walk<T>,
  call: (block: Block<T>) => Call,
  most = ELEMENTS_PER_TASK,
): (readonly Call[])[] | undefined {
  const { sizes, strides } = collapse(walk);
  const [columns, rows] = [fromEnd(sizes, 1, 1), fromEnd(sizes, 2, 1)];
  const outer = { sizes: sizes.slice(0, -2), strides: eachTensor(strides, (own) => own.slice(0, -2)) };
  if (sizeOf(outer.sizes) > MAX_CALLS) return undefined;

  const parts = ceilDivide(rows * columns, most);
  const [rowRanges, columnRanges] =
    rows >= parts
      ? [partsOf(rows, parts, 1), [{ start: 0, count: columns }]]
      : [[{ start: 0, count: rows }], partsOf(columns, parts, ELEMENTS_PER_LINE)];
  const calls: Call[] = [];
  forEachOffset(outer, (offsets) => {
    for (const ofRows of rowRanges) {
      for (const ofColumns of columnRanges) {
        const tensors = eachTensor(strides, (own, t) => {
          const [columnStride, rowStride] = [fromEnd(own, 1, 0), fromEnd(own, 2, 0)];
          const start = elementAt(offsets, t) + ofRows.start * rowStride + ofColumns.start * columnStride;
          return { start, rowStride, columnStride };
        });
        calls.push(call({ rows: ofRows.count, columns: ofColumns.count, tensors }));
      }
    }
  });
  return tasksOf(calls, sizeOf(sizes));
}

/** Groups calls that together work on so many elements into tasks. */
export function tasksOf<Call>(calls: readonly Call[], elements: number): (readonly Call[])[] {
  return partsOf(calls.length, ceilDivide(elements, ELEMENTS_PER_TASK), 1).map(({ start, count }) =>
    calls.slice(start, start + count),
  );
}

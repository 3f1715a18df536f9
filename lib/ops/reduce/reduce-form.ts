import { broadcastOf, strideAlong } from '../../fusion/broadcast.js';
import type { SimdArgument, SimdCall, SimdPhase } from '../../graph/simd.js';
import { forEachOffset, type Shape, sizeOf, type Walk } from '../../shape.js';
import { BLOCK_ELEMENTS, ELEMENTS_PER_TASK, MAX_CALLS, rowParts, tasksOf } from '../simd-parts.js';
import { oneRow, type ReduceEnds } from './reduce-ends.js';

/** Stages on many blocks of fewer elements take longer to call than the elements to be written and read; a few do not matter. */
const LEAST_STAGED = 512;
const FEW_BLOCKS = 16;

/** An axis: its size, and how far apart its elements are. */
interface Axis {
  readonly size: number;
  readonly stride: number;
}

/** How a reduction goes through its input: rows and columns of one matrix after the other. */
export interface Form {
  /** Where the matrices begin, in the order of their results. */
  readonly starts: readonly number[];
  /** Whether elements side by side are reduced, along rows; otherwise columns are. */
  readonly alongRows: boolean;
  /** What is reduced one by one; one where columns are. */
  readonly rows: Axis;
  /** What is reduced of each row, or column, in steps: elements side by side. */
  readonly strips: Axis;
  /** Elements side by side. */
  readonly columns: number;
  /** Elements in all. */
  readonly count: number;
}

/** The form of a reduction; undefined where more axes are left than kernels walk, and where there is nothing to reduce. */
export function formOf(shape: Shape, axes: readonly number[], ends: ReduceEnds): Form | undefined {
  const count = sizeOf(shape);
  if (count === 0) return undefined;
  const results = broadcastOf(keptShape(shape, axes), shape);
  let inner = count;
  const left = ends.axesAlong(results, count)?.map((size) => {
    inner /= size;
    return { size, stride: inner, isReduced: strideAlong(results, inner) === 0 };
  });
  if (!left) return undefined;
  const single = { size: 1, stride: 0, isReduced: false };
  const take = (isReduced: boolean) => (left.at(-1)?.isReduced === isReduced ? left.pop() : undefined);
  const { size: columns, isReduced: alongRows } = left.pop() ?? single;
  // What stages compute is a block of two axes.
  const within = take(true);
  const rows = within || !alongRows ? undefined : take(false);
  const strips = within ?? (ends.hasHead ? undefined : take(true));
  const walk: Walk<readonly [Shape]> = {
    sizes: left.map(({ size }) => size),
    strides: [left.map(({ stride }) => stride)],
  };
  const matrices = sizeOf(walk.sizes);
  if (matrices > MAX_CALLS || left.some(({ isReduced }) => isReduced)) return undefined;
  if (ends.hasHead && matrices > FEW_BLOCKS && count / matrices < LEAST_STAGED) return undefined;
  const starts: number[] = [];
  forEachOffset(walk, ([offset]) => {
    starts.push(offset);
  });
  return { starts, alongRows, rows: rows ?? single, strips: strips ?? single, columns, count };
}

/** Whether stages can go on with the results, as rows of those of each matrix. */
export function goesOn(form: Form, ends: ReduceEnds): boolean {
  return ends.goByBlocks({ rows: form.starts.length, columns: resultsOf(form) });
}

/** The shape of the results, reduced axes having the size 1. */
export function keptShape(shape: Shape, axes: readonly number[]): number[] {
  return shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
}

/** Results of a matrix. */
export function resultsOf({ alongRows, rows, columns }: Form): number {
  return alongRows ? rows.size : columns;
}

/** Rows of a matrix that a call reads whole, and results that it gives. */
interface RowsCall {
  readonly from: SimdArgument;
  /** Bytes from one row to the next, how many; strips of each, bytes from one to the next, and elements side by side. */
  readonly layout: readonly [pitch: number, count: number, strips: number, stripPitch: number, columns: number];
  /** Where the results of each site go. */
  readonly to: readonly SimdArgument[];
}

/**
 * A phase of rows that are read whole, by a call for some of them; undefined where stages would compute too much at a time.
 *
 * @param width results of a row, at each site
 */
export function wholeRowsPhase(
  { starts, rows, strips, columns, count }: Form,
  ends: ReduceEnds,
  call: (some: RowsCall) => SimdCall,
  width = 1,
): SimdPhase[] | undefined {
  const elements = strips.size * columns;
  if (ends.hasHead && elements > ELEMENTS_PER_TASK) return undefined;
  const calls = starts.flatMap((start, matrix) =>
    rowParts(rows.size, elements, mostOf(ends)).map((some) => {
      ends.begin();
      const first = (matrix * rows.size + some.start) * width;
      const { to, calls: behind } = ends.results(
        width === 1 ? oneRow(first, some.count) : { first, rows: some.count, columns: width, pitch: width },
      );
      const own = { rows: { ...rows, size: some.count }, strips, columns };
      const { calls: before, ...read } = readRows(ends, start + some.start * rows.stride, own);
      return [...before, call({ ...read, to }), ...behind];
    }),
  );
  return [phaseOf(calls, count, ends)];
}

/** Some rows of a matrix, and some strips of each, as they lie once the calls are done. */
export function readRows(
  ends: ReduceEnds,
  first: number,
  { rows, strips, columns }: Pick<Form, 'rows' | 'strips' | 'columns'>,
) {
  const lines = strips.size > 1 ? strips : rows;
  const block = { first, rows: lines.size, columns, pitch: lines.stride };
  const { calls, from } = ends.read(block);
  const each = strips.size * columns;
  const layout: RowsCall['layout'] = ends.hasHead
    ? [4 * each, rows.size, 1, 0, each]
    : [4 * rows.stride, rows.size, strips.size, 4 * strips.stride, columns];
  return { calls, from, layout };
}

/** Elements that a call reads, about. */
export function mostOf({ hasHead }: ReduceEnds): number {
  return hasHead ? BLOCK_ELEMENTS : ELEMENTS_PER_TASK;
}

/** A phase of calls that work on so many elements in all. */
export function phaseOf(
  calls: readonly SimdCall[][],
  elements: number,
  { scratchBytes }: ReduceEnds,
  sharedBytes = 0,
): SimdPhase {
  return { tasks: tasksOf(calls, elements).map((some) => some.flat()), scratchBytes, sharedBytes };
}

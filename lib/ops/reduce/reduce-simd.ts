import { broadcastOf, strideAlong } from '../../fusion/broadcast.js';
import { reduceWasm } from '../../generated/wasm.js';
import { ceilDivide } from '../../graph/launch.js';
import type { SimdArgument, SimdCall, SimdPhase } from '../../graph/simd.js';
import { forEachOffset, type Shape, sizeOf, type Walk } from '../../shape.js';
import {
  BLOCK_ELEMENTS,
  elementParts,
  ELEMENTS_PER_TASK,
  MAX_CALLS,
  type Part,
  rowParts,
  tasksOf,
} from '../simd-parts.js';
import { oneRow, type ReduceEnds } from './reduce-ends.js';

/** Stages on many blocks of fewer elements take longer to call than the elements to be written and read; a few do not matter. */
const LEAST_STAGED = 512;
const FEW_BLOCKS = 16;
/** Parts of columns that are joined have so many rows, where there are as many: each is written once more, in float64. */
const LEAST_ROWS = 64;
/** Blocks that stages compute have so many rows at the least, where columns are many. */
const STAGED_ROWS = 32;

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
  return { starts, alongRows, rows: rows ?? single, strips: strips ?? single, columns };
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
function resultsOf({ alongRows, rows, columns }: Form): number {
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
  { starts, rows, strips, columns }: Form,
  ends: ReduceEnds,
  { sites = [0], width = 1 }: { readonly sites?: readonly number[]; readonly width?: number },
  call: (some: RowsCall) => SimdCall,
): SimdPhase[] | undefined {
  const elements = strips.size * columns;
  if (ends.hasHead && elements > ELEMENTS_PER_TASK) return undefined;
  const all = { start: 0, count: strips.size };
  const calls = starts.flatMap((start, matrix) =>
    rowParts(rows.size, elements, mostOf(ends)).map((some) => {
      ends.begin();
      const to = (matrix * rows.size + some.start) * width;
      const block =
        width === 1 ? oneRow(to, some.count) : { first: to, rows: some.count, columns: width, pitch: width };
      const results = sites.map((site) => ends.results(site, block));
      const first = start + some.start * rows.stride;
      const read = readRows(ends, { first, rows: { ...rows, ...some }, strips: { ...strips, ...all }, columns });
      return [
        ...read.calls,
        call({ ...read, to: results.map(({ to }) => to) }),
        ...results.flatMap((each) => each.calls),
      ];
    }),
  );
  return [phaseOf(calls, starts.length * rows.size * elements, ends)];
}

/** What is read of a matrix: some rows, some strips of each, and some elements side by side. */
interface RowsRead {
  readonly first: number;
  readonly rows: Axis & Part;
  readonly strips: Axis & Part;
  readonly columns: number;
}

/** Some rows as they lie once the calls are done. */
function readRows(ends: ReduceEnds, { first, rows, strips, columns }: RowsRead) {
  const [lines, pitch] = strips.count > 1 ? [strips.count, strips.stride] : [rows.count, rows.stride];
  const elements = lines * columns;
  const { calls, from } = ends.read({ first, rows: lines, columns, pitch }, ends.roomToRead(elements));
  const each = elements / rows.count;
  const layout: RowsCall['layout'] = ends.hasHead
    ? [4 * each, rows.count, 1, 0, each]
    : [4 * rows.stride, rows.count, strips.count, 4 * strips.stride, columns];
  return { calls, from, layout };
}

/** A reduction that kernels/reduce/reduce.wat has under a name; of what is negated. */
interface Reduction {
  readonly name: 'sum' | 'max';
  readonly isNegated?: true;
  readonly scale: number;
}

/** The arguments `scale` and `signs`. */
function scaleAndSigns({ isNegated, scale }: Reduction): readonly [scale: number, signs: number] {
  return isNegated ? [-scale, 0x80000000] : [scale, 0];
}

/** Phases of kernels/reduce/reduce.wat. What is long is reduced in parts, which a second phase joins. */
export function reducePhases(reduction: Reduction, form: Form, ends: ReduceEnds): SimdPhase[] | undefined {
  if (!goesOn(form, ends)) return undefined;
  if (!form.alongRows) return columnPhases(reduction, form, ends);
  const { name } = reduction;
  if (form.strips.size * form.columns > mostOf(ends)) return longRowPhases(reduction, form, ends);
  return wholeRowsPhase(form, ends, {}, ({ from, layout, to }) => ({
    kernel: kernelOf(`${name}Rows`),
    arguments: [from, ...layout, ...to, ...scaleAndSigns(reduction), 0],
  }));
}

/** Long rows, each in parts. */
function longRowPhases(reduction: Reduction, form: Form, ends: ReduceEnds): SimdPhase[] {
  const { name } = reduction;
  const { starts, rows, strips, columns } = form;
  const most = mostOf(ends);
  const pieces =
    columns <= most
      ? rowParts(strips.size, columns, most).map((some) => ({ some, start: 0, count: columns }))
      : Array.from({ length: strips.size }, (_, strip) =>
          elementParts(columns, 1, most).map((part) => ({ some: { start: strip, count: 1 }, ...part })),
        ).flat();
  const parts = { blocks: pieces.length, bytes: partBytes(rows.size) };
  const calls = starts.flatMap((offset, matrix) =>
    Array.from({ length: rows.size }, (_, row) =>
      pieces.map(({ some, start, count }, block) => {
        ends.begin();
        const read = readRows(ends, {
          first: offset + row * rows.stride + some.start * strips.stride + start,
          rows: { ...rows, start: row, count: 1 },
          strips: { ...strips, ...some },
          columns: count,
        });
        const to = sharedAt((matrix * parts.blocks + block) * parts.bytes + 8 * row);
        const given = [read.from, ...read.layout, to, ...scaleAndSigns(reduction), 1];
        return [...read.calls, { kernel: kernelOf(`${name}Rows`), arguments: given }];
      }),
    ).flat(),
  );
  const elements = starts.length * rows.size * strips.size * columns;
  return [
    phaseOf(calls, elements, ends, starts.length * parts.blocks * parts.bytes),
    joinPhase(reduction, form, parts, ends),
  ];
}

/** Columns, some rows of some of them at a time. */
function columnPhases(reduction: Reduction, form: Form, ends: ReduceEnds): SimdPhase[] {
  const { starts, strips: rows, columns } = form;
  const [, signs] = scaleAndSigns(reduction);
  const ranges = rowParts(rows.size, columns, Math.max(ELEMENTS_PER_TASK, LEAST_ROWS * columns));
  const longest = Math.max(...ranges.map(({ count }) => count));
  const lots = elementParts(columns, ends.hasHead ? Math.max(longest, STAGED_ROWS) : longest);
  const parts = { blocks: ranges.length, bytes: partBytes(columns) };
  const isWhole = ranges.length === 1;
  const calls = starts.flatMap((offset, matrix) =>
    ranges.flatMap((range, block) =>
      lots.map((lot) => {
        ends.begin();
        const shared = sharedAt((matrix * parts.blocks + block) * parts.bytes + 8 * lot.start);
        const sums = isWhole ? ends.scratch(partBytes(lot.count)) : shared;
        const joined = isWhole
          ? joinCalls(reduction, ends, { ...parts, from: sums, first: matrix * columns + lot.start, ...lot })
          : [];
        const blocks = rowParts(range.count, lot.count, mostOf(ends));
        const room = ends.roomToRead(Math.max(...blocks.map(({ count }) => count)) * lot.count);
        const summed = blocks.flatMap(({ start, count }): SimdCall[] => {
          const first = offset + (range.start + start) * rows.stride + lot.start;
          const read = ends.read({ first, rows: count, columns: lot.count, pitch: rows.stride }, room);
          const given = [read.from, count, read.pitch, sums, lot.count, signs, Number(start === 0)];
          return [...read.calls, { kernel: kernelOf(`${reduction.name}Columns`), arguments: given }];
        });
        return [...summed, ...joined];
      }),
    ),
  );
  const phase = phaseOf(
    calls,
    starts.length * rows.size * columns,
    ends,
    isWhole ? 0 : starts.length * parts.blocks * parts.bytes,
  );
  return isWhole ? [phase] : [phase, joinPhase(reduction, form, parts, ends)];
}

/** Elements that a call reads, about. */
function mostOf({ hasHead }: ReduceEnds): number {
  return hasHead ? BLOCK_ELEMENTS : ELEMENTS_PER_TASK;
}

/** Parts of results: how many of each, and bytes from one block of them to the next. */
interface Parts {
  readonly blocks: number;
  readonly bytes: number;
}

/** The phase that makes results of parts, which lie in the memory that tasks share. */
function joinPhase(reduction: Reduction, form: Form, parts: Parts, ends: ReduceEnds): SimdPhase {
  const results = resultsOf(form);
  const calls = form.starts.flatMap((_, matrix) =>
    elementParts(results, parts.blocks).map((some) => {
      ends.begin();
      const from = sharedAt(matrix * parts.blocks * parts.bytes + 8 * some.start);
      return joinCalls(reduction, ends, { ...parts, from, first: matrix * results + some.start, count: some.count });
    }),
  );
  return phaseOf(calls, form.starts.length * results * parts.blocks, ends);
}

/** Makes results of their parts. */
function joinCalls(
  reduction: Reduction,
  ends: ReduceEnds,
  {
    from,
    bytes,
    blocks,
    first,
    count,
  }: Parts & { readonly from: SimdArgument; readonly first: number; readonly count: number },
): SimdCall[] {
  const { to, calls } = ends.results(0, oneRow(first, count));
  const [scale] = scaleAndSigns(reduction);
  return [
    {
      kernel: kernelOf(reduction.name === 'sum' ? 'joinSum' : 'joinMax'),
      arguments: [from, bytes, blocks, to, count, scale],
    },
    ...calls,
  ];
}

function phaseOf(
  calls: readonly SimdCall[][],
  elements: number,
  { scratchBytes }: ReduceEnds,
  sharedBytes = 0,
): SimdPhase {
  return { tasks: tasksOf(calls, elements).map((some) => some.flat()), scratchBytes, sharedBytes };
}

/** Bytes of parts of so many results: in float64, whole fours of them. */
function partBytes(results: number): number {
  return 8 * 4 * ceilDivide(results, 4);
}

function sharedAt(offset: number) {
  return { shared: true, offset } as const;
}

function kernelOf(entryPoint: string) {
  return { module: reduceWasm, entryPoint };
}

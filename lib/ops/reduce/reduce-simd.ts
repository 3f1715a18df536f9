import { reduceWasm } from '../../generated/wasm.js';
import { ceilDivide } from '../../graph/launch.js';
import type { SimdArgument, SimdCall, SimdPhase } from '../../graph/simd.js';
import { elementParts, ELEMENTS_PER_TASK, type Part, rowParts } from '../simd-parts.js';
import { oneRow, type ReduceEnds } from './reduce-ends.js';
import { type Form, goesOn, mostOf, phaseOf, readRows, resultsOf } from './reduce-form.js';

/** Parts of columns that are joined have so many rows, where there are as many: each is written once more, in float64. */
const LEAST_ROWS = 64;
/** Blocks that stages compute have so many rows at the least, where columns are many. */
const STAGED_ROWS = 32;

/** What kernels/reduce/reduce.wat reduces by: under a name, and in arguments. */
export interface Reduction {
  readonly name: 'sum' | 'max';
  readonly scale: number;
  readonly signs: number;
}

/** Phases of kernels/reduce/reduce.wat; undefined where stages cannot go on with the results. */
export function reducePhases(reduction: Reduction, form: Form, ends: ReduceEnds): SimdPhase[] | undefined {
  if (!goesOn(form, ends)) return undefined;
  return form.alongRows ? rowPhases(reduction, form, ends) : columnPhases(reduction, form, ends);
}

/** Some rows at a time, or pieces of one. */
function rowPhases(reduction: Reduction, form: Form, ends: ReduceEnds): SimdPhase[] {
  const { rows, strips, columns } = form;
  const most = mostOf(ends);
  const blocks = rowParts(strips.size, columns, most).flatMap((some) =>
    elementParts(columns, 1, most).map((part) => ({ some, part })),
  );
  const lots = rowParts(rows.size, strips.size * columns, most);
  return joinedPhases(reduction, form, ends, { blocks, lots }, (start, { some, part }, lot, to) => {
    const first = start + lot.start * rows.stride + some.start * strips.stride + part.start;
    const { calls, from, layout } = readRows(ends, first, {
      rows: { ...rows, size: lot.count },
      strips: { ...strips, size: some.count },
      columns: part.count,
    });
    return [...calls, callOf(reduction, 'Rows', from, ...layout, to, reduction.signs)];
  });
}

/** Some rows of some columns at a time. */
function columnPhases(reduction: Reduction, form: Form, ends: ReduceEnds): SimdPhase[] {
  const { strips: rows, columns } = form;
  const blocks = rowParts(rows.size, columns, Math.max(ELEMENTS_PER_TASK, LEAST_ROWS * columns));
  const longest = Math.max(ceilDivide(rows.size, blocks.length), ends.hasHead ? STAGED_ROWS : 0);
  const lots = elementParts(columns, longest);
  return joinedPhases(reduction, form, ends, { blocks, lots }, (start, block, lot, to) =>
    rowParts(block.count, lot.count, mostOf(ends)).flatMap((some): SimdCall[] => {
      const first = start + (block.start + some.start) * rows.stride + lot.start;
      const read = ends.read({ first, rows: some.count, columns: lot.count, pitch: rows.stride });
      const given = [read.from, some.count, read.pitch, lot.count, to, reduction.signs, Number(some.start === 0)];
      return [...read.calls, callOf(reduction, 'Columns', ...given)];
    }),
  );
}

/**
 * Phases for what is reduced in blocks, each of which leaves a part of the results of a lot. Those of several blocks lie in the
 * memory that tasks share, and are joined by a second phase.
 */
function joinedPhases<Block>(
  reduction: Reduction,
  form: Form,
  ends: ReduceEnds,
  { blocks, lots }: { readonly blocks: readonly Block[]; readonly lots: readonly Part[] },
  reduce: (start: number, block: Block, lot: Part, to: SimdArgument) => SimdCall[],
): SimdPhase[] {
  const { starts, count } = form;
  const results = resultsOf(form);
  const partBytes = bytesOfParts(results);
  const partAt = (matrix: number, block: number, result: number) =>
    ({ shared: true, offset: (matrix * blocks.length + block) * partBytes + 8 * result }) as const;
  const join = (from: SimdArgument, matrix: number, some: Part): SimdCall[] => {
    const { to, calls } = ends.results(oneRow(matrix * results + some.start, some.count));
    const given = [from, partBytes, blocks.length, ...to, some.count, reduction.scale];
    return [callOf(reduction, 'Join', ...given), ...calls];
  };
  const isWhole = blocks.length === 1;
  const calls = starts.flatMap((start, matrix) =>
    blocks.flatMap((block, b) =>
      lots.map((lot) => {
        ends.begin();
        if (!isWhole) return reduce(start, block, lot, partAt(matrix, b, lot.start));
        const part = ends.keep(bytesOfParts(lot.count));
        return [...reduce(start, block, lot, part), ...join(part, matrix, lot)];
      }),
    ),
  );
  if (isWhole) return [phaseOf(calls, count, ends)];
  const parts = starts.length * blocks.length;
  const reducing = phaseOf(calls, count, ends, parts * partBytes);
  const joins = starts.flatMap((_, matrix) =>
    elementParts(results, blocks.length).map((some) => {
      ends.begin();
      return join(partAt(matrix, 0, some.start), matrix, some);
    }),
  );
  return [reducing, phaseOf(joins, parts * results, ends)];
}

/** In float64, whole fours of them. */
function bytesOfParts(results: number): number {
  return 8 * 4 * ceilDivide(results, 4);
}

function callOf({ name }: Reduction, what: 'Rows' | 'Columns' | 'Join', ...given: readonly SimdArgument[]): SimdCall {
  return { kernel: { module: reduceWasm, entryPoint: name + what }, arguments: given };
}

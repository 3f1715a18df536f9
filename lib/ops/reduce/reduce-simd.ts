import { reduceWasm } from '../../generated/wasm.js';
import { ceilDivide } from '../../graph/launch.js';
import type { SimdArgument, SimdCall, SimdPhase } from '../../graph/simd.js';
import { elementParts, ELEMENTS_PER_TASK, type Part, rowParts } from '../simd-parts.js';
import { oneRow, type ReduceEnds } from './reduce-ends.js';
import { type Form, goesOn, mostOf, phaseOf, readRows, resultsOf, wholeRowsPhase } from './reduce-form.js';

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

/** Phases of kernels/reduce/reduce.wat. What is long is reduced in parts, which a second phase joins. */
export function reducePhases(reduction: Reduction, form: Form, ends: ReduceEnds): SimdPhase[] | undefined {
  if (!goesOn(form, ends)) return undefined;
  if (!form.alongRows) return columnPhases(reduction, form, ends);
  if (form.strips.size * form.columns > mostOf(ends)) return longRowPhases(reduction, form, ends);
  const { name, scale, signs } = reduction;
  return wholeRowsPhase(form, ends, ({ from, layout, to }) => ({
    kernel: kernelOf(`${name}Rows`),
    arguments: [from, ...layout, ...to, scale, signs, 0],
  }));
}

/** Long rows, each in parts. */
function longRowPhases(reduction: Reduction, form: Form, ends: ReduceEnds): SimdPhase[] {
  const { name, scale, signs } = reduction;
  const { rows, strips, columns } = form;
  const most = mostOf(ends);
  const pieces = rowParts(strips.size, columns, most).flatMap((some) =>
    elementParts(columns, 1, most).map((part) => ({ some, part })),
  );
  const lots = Array.from({ length: rows.size }, (_, start) => ({ start, count: 1 }));
  return joinedPhases(reduction, form, ends, { blocks: pieces, lots }, (start, { some, part }, row, to) => {
    const first = start + row.start * rows.stride + some.start * strips.stride + part.start;
    const own = { rows: { ...rows, size: 1 }, strips: { ...strips, size: some.count }, columns: part.count };
    const { calls, from, layout } = readRows(ends, first, own);
    return [...calls, { kernel: kernelOf(`${name}Rows`), arguments: [from, ...layout, to, scale, signs, 1] }];
  });
}

/** Columns, some rows of some of them at a time. */
function columnPhases(reduction: Reduction, form: Form, ends: ReduceEnds): SimdPhase[] {
  const { name, signs } = reduction;
  const { strips: rows, columns } = form;
  const blocks = rowParts(rows.size, columns, Math.max(ELEMENTS_PER_TASK, LEAST_ROWS * columns));
  const longest = Math.max(ceilDivide(rows.size, blocks.length), ends.hasHead ? STAGED_ROWS : 0);
  const lots = elementParts(columns, longest);
  return joinedPhases(reduction, form, ends, { blocks, lots }, (start, block, lot, to) => {
    return rowParts(block.count, lot.count, mostOf(ends)).flatMap((own): SimdCall[] => {
      const first = start + (block.start + own.start) * rows.stride + lot.start;
      const { calls, from, pitch } = ends.read({ first, rows: own.count, columns: lot.count, pitch: rows.stride });
      const given = [from, own.count, pitch, to, lot.count, signs, Number(own.start === 0)];
      return [...calls, { kernel: kernelOf(`${name}Columns`), arguments: given }];
    });
  });
}

/**
 * Phases for what is reduced in blocks, each of which leaves a part of some of a matrix's results in the memory that tasks
 * share. They are joined by a second phase, or at once where there is a single block.
 */
function joinedPhases<Block>(
  { name, scale }: Reduction,
  form: Form,
  ends: ReduceEnds,
  { blocks, lots }: { readonly blocks: readonly Block[]; readonly lots: readonly Part[] },
  reduce: (start: number, block: Block, lot: Part, to: SimdArgument) => SimdCall[],
): SimdPhase[] {
  const { starts, count } = form;
  const results = resultsOf(form);
  // In float64, whole fours of them.
  const partBytes = 8 * 4 * ceilDivide(results, 4);
  const partAt = (matrix: number, block: number, result: number) =>
    ({ shared: true, offset: (matrix * blocks.length + block) * partBytes + 8 * result }) as const;
  const join = (matrix: number, some: Part): SimdCall[] => {
    const { to, calls } = ends.results(oneRow(matrix * results + some.start, some.count));
    const given = [partAt(matrix, 0, some.start), partBytes, blocks.length, ...to, some.count, scale];
    return [{ kernel: kernelOf(`${name}Join`), arguments: given }, ...calls];
  };
  const isWhole = blocks.length === 1;
  const reduced = starts.flatMap((start, matrix) =>
    blocks.flatMap((block, b) =>
      lots.map((lot) => {
        ends.begin();
        const calls = reduce(start, block, lot, partAt(matrix, b, lot.start));
        return isWhole ? [...calls, ...join(matrix, lot)] : calls;
      }),
    ),
  );
  const parts = starts.length * blocks.length;
  const phase = phaseOf(reduced, count, ends, parts * partBytes);
  if (isWhole) return [phase];
  const joins = starts.flatMap((_, matrix) =>
    elementParts(results, blocks.length).map((some) => {
      ends.begin();
      return join(matrix, some);
    }),
  );
  return [phase, phaseOf(joins, parts * results, ends)];
}

function kernelOf(entryPoint: string) {
  return { module: reduceWasm, entryPoint };
}

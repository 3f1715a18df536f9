import {
  matmulDotsRelaxedWasm,
  matmulDotsWasm,
  matmulOuterRelaxedWasm,
  matmulOuterWasm,
  matmulPackedRelaxedWasm,
  matmulPackedWasm,
  matmulPartsWasm,
  matmulRowRelaxedWasm,
  matmulRowWasm,
} from '../../generated/wasm.js';
import { type BlockFinish, finishedOutput } from '../../fusion/simd-calls.js';
import { ceilDivide } from '../../graph/launch.js';
import type { SimdArgument, SimdCall, SimdKernel, SimdPhase } from '../../graph/simd.js';
import { forEachOffset, type Shape } from '../../shape.js';
import { type MatmulAttributes, sizesOf } from './matmul-sizes.js';

/** Sizes of a product, or of a block of one: C [M, N] = A [M, K] · B [K, N]. */
interface Sizes {
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

type Address = Exclude<SimdArgument, number>;

/** A matrix in memory: from one line to the next, which is a row of A and C and a column of B, and from one k. */
interface Matrix {
  readonly argument: Address;
  readonly lineBytes: number;
  readonly stepBytes: number;
}

/** A product in memory, or a block of one at a place of C. Columns of C lie side by side. */
interface Product extends Sizes {
  readonly row: number;
  readonly column: number;
  readonly a: Matrix;
  readonly b: Matrix;
  readonly c: Pick<Matrix, 'argument' | 'lineBytes'>;
}

/** Which of kernels/matmul_*.wat computes a product. */
type EntryPoint = 'packed' | 'outer' | 'dots' | 'row';

const KERNELS: Readonly<Record<EntryPoint, SimdKernel>> = {
  packed: { module: matmulPackedWasm, relaxed: matmulPackedRelaxedWasm, entryPoint: 'packed' },
  outer: { module: matmulOuterWasm, relaxed: matmulOuterRelaxedWasm, entryPoint: 'outer' },
  dots: { module: matmulDotsWasm, relaxed: matmulDotsRelaxedWasm, entryPoint: 'dots' },
  row: { module: matmulRowWasm, relaxed: matmulRowRelaxedWasm, entryPoint: 'row' },
};
const ADD_PART: SimdKernel = { module: matmulPartsWasm, entryPoint: 'addPart' };
const ADD_LOST: SimdKernel = { module: matmulPartsWasm, entryPoint: 'addLost' };
const SCRATCH = { scratch: true } as const;

/** Flop of a task: it must take far longer than to claim it. With a vector, memory decides how long that is. */
const TASK_FLOP = 2 ** 20;
const VECTOR_TASK_FLOP = 2 ** 18;
/** To store an element of C, and to do with it what is to be done, takes as long as so many flop. */
const ELEMENT_FLOP = 32;
/** Sums of more k are formed in parts: blocks of k that are added one after the other lose 1e-5 of a sum of 500,000. */
const PART_K = 8192;
/** A task more would mean that more is packed twice, and be of no use to a few threads. */
const MOST_TASKS = 16;

/** `packed`: the k that are packed at once, and the elements of A, 256 KiB, which stay in the second-level cache. */
const PACKED_K = 256;
const PACKED_ELEMENTS = 2 ** 16;
/** `packed`: a block of fewer rows or columns would spend too much on packing what other blocks need as well. */
const PACKED_ROWS = 256;
const PACKED_COLUMNS = 128;
/** `packed`: of the tile, four panels of B and the panels of A. */
const SCRATCH_BYTES = 128 + 4 * (32 * PACKED_K + PACKED_ELEMENTS);
/** `outer`: the k of a call, the limit of kernels/matmul/matmul_outer.wat. */
const OUTER_K = 32;
/** `outer`: of a transposed A, the gradient of a weight, which may have many zeros, k are worth a second call. */
const MOST_OUTER_K = 64;
/** `outer`: with fewer rows, B would be looked through too often; of more, the lists would fill the first-level cache. */
const OUTER_ROWS = { least: 16, most: 64 };
/** `outer`: elements of C, 80 KiB, that wait in the second-level cache for what is done with them; columns that go at once. */
const OUTER_ELEMENTS = 20 * 1024;
const OUTER_COLUMNS = 48;
/** `dots`: with fewer rows than this it is faster; with more, packing a column of B is soon made up for. */
const DOTS_BELOW_ROWS = 64;
/** `row`: B comes from memory fast where a good part of its row is read at once. */
const ROW_COLUMNS = 1024;
/** `row`: more rows than this fill the blocks of `packed` better. */
const MOST_SINGLE_ROWS = 3;

/** Tasks of kernels/matmul_*.wat: blocks of C. None for an empty sum, which the reference fills with 0. */
export function matmulSimdPhases(
  a: Shape,
  b: Shape,
  attributes: MatmulAttributes,
  finish?: BlockFinish,
): SimdPhase[] | undefined {
  const { M, N, K, batch } = sizesOf(a, b, attributes);
  if (M * N * K === 0) return undefined;
  const [rowA, stepA] = attributes.transposeA ? [4, 4 * M] : [4 * K, 4];
  const [columnB, stepB] = attributes.transposeB ? [4 * K, 4] : [4, 4 * N];
  const products: Product[] = [];
  forEachOffset(batch, ([startA, startB], i) => {
    const target = finishedOutput(finish);
    const product = {
      ...{ M, N, K, row: i * M, column: 0 },
      a: { argument: { input: 0, offset: 4 * startA }, lineBytes: rowA, stepBytes: stepA },
      b: { argument: { input: 1, offset: 4 * startB }, lineBytes: columnB, stepBytes: stepB },
      c: { argument: { ...target, offset: 4 * i * M * N }, lineBytes: 4 * N },
    };
    products.push(N === 1 && stepA !== 4 ? transposed(product) : product);
  });

  const taskFlop = M === 1 || N === 1 ? VECTOR_TASK_FLOP : TASK_FLOP;
  const flop = (2 * K + ELEMENT_FLOP) * M * N * products.length;
  const wanted = Math.min(Math.max(Math.floor(flop / taskFlop), 1), MOST_TASKS);
  const blocks = products.flatMap((product) => blocksOf(product, wanted / products.length));
  const perTask = ceilDivide(blocks.length, wanted);
  const tasks = Array.from({ length: ceilDivide(blocks.length, perTask) }, (_, i) =>
    blocks.slice(i * perTask, (i + 1) * perTask).flatMap((block) => finishedCalls(block, finish)),
  );
  return [{ tasks, scratchBytes: Math.max(...blocks.map((block) => scratchBytesOf(block, finish))) }];
}

/** Cᵀ = Bᵀ · Aᵀ, where C is a vector, whose elements lie side by side either way. */
function transposed({ M, N, K, row, column, a, b, c }: Product): Product {
  return { M: N, N: M, K, row: column, column: row, a: b, b: a, c: { argument: c.argument, lineBytes: 4 } };
}

function entryPointOf({ M, N, K, a, b }: Product): EntryPoint {
  const runAlongK = a.stepBytes === 4 && b.stepBytes === 4;
  if (runAlongK && (M < DOTS_BELOW_ROWS || N < 8)) return 'dots';
  if (b.lineBytes !== 4) return 'packed';
  if (M <= MOST_SINGLE_ROWS) return 'row';
  return K <= (a.lineBytes === 4 ? MOST_OUTER_K : OUTER_K) ? 'outer' : 'packed';
}

/** Divides C into about `wanted` blocks, where they do not get too small; into more where they would get too large. */
function blocksOf(product: Product, wanted: number): Product[] {
  const { M, N } = product;
  const { rows, columns } = blockSizeOf(product, wanted);
  const blocks: Product[] = [];
  for (let m = 0; m < M; m += rows) {
    for (let n = 0; n < N; n += columns) {
      blocks.push(blockOf(product, m, n, Math.min(rows, M - m), Math.min(columns, N - n)));
    }
  }
  return blocks;
}

function blockSizeOf(product: Product, wanted: number): { readonly rows: number; readonly columns: number } {
  const { M, N, K } = product;
  const part = (size: number, parts: number, unit: number): number => unit * ceilDivide(size, parts * unit);
  switch (entryPointOf(product)) {
    case 'row':
      return { rows: 1, columns: part(N, Math.min(ceilDivide(wanted, M), ceilDivide(N, ROW_COLUMNS)), 4) };
    case 'dots':
      return N > M ? { rows: M, columns: part(N, wanted, 4) } : { rows: part(M, wanted, 4), columns: N };
    case 'outer': {
      const { least, most } = OUTER_ROWS;
      const rows = part(M, Math.min(Math.max(wanted, ceilDivide(M, most)), ceilDivide(M, least)), 4);
      const columns = OUTER_COLUMNS * Math.floor(OUTER_ELEMENTS / rows / OUTER_COLUMNS);
      return { rows, columns: part(N, ceilDivide(N, columns), OUTER_COLUMNS) };
    }
    case 'packed': {
      const mostColumnParts = Math.max(Math.floor(N / PACKED_COLUMNS), 1);
      const mostRowParts = Math.max(Math.floor(M / PACKED_ROWS), 1);
      const rowParts = Math.max(
        ceilDivide(M * Math.min(K, PACKED_K), PACKED_ELEMENTS),
        Math.min(ceilDivide(wanted, mostColumnParts), mostRowParts),
      );
      const columnParts = Math.min(ceilDivide(wanted, rowParts), mostColumnParts);
      return { rows: part(M, rowParts, 4), columns: part(N, columnParts, 16) };
    }
  }
}

function blockOf(product: Product, m: number, n: number, M: number, N: number): Product {
  const { K, row, column, a, b, c } = product;
  return {
    ...{ M, N, K, row: row + m, column: column + n },
    a: { ...a, argument: moved(a.argument, m * a.lineBytes) },
    b: { ...b, argument: moved(b.argument, n * b.lineBytes) },
    c: { ...c, argument: moved(c.argument, m * c.lineBytes + 4 * n) },
  };
}

function moved(argument: Address, bytes: number): Address {
  const { offset = 0 } = argument;
  return { ...argument, offset: offset + bytes };
}

/** Behind what the kernels need there is room for a block of C, and for the part and what is lost of a sum in parts. */
function scratchBytesOf(block: Product, finish: BlockFinish | undefined): number {
  const { M, N, K } = block;
  if (K > PART_K) return partsAt(block) + 2 * M * partPitch(N);
  return SCRATCH_BYTES + (finish ? 4 * M * N : 0);
}

function partsAt({ M, N }: Sizes): number {
  return SCRATCH_BYTES + 16 * ceilDivide(M * N, 4);
}

/** Bytes of a row of a part: whole vectors. */
function partPitch(columns: number): number {
  return 16 * ceilDivide(columns, 4);
}

/** The calls that compute a block, and then what is to be done with it. */
function finishedCalls(block: Product, finish: BlockFinish | undefined): SimdCall[] {
  if (!finish) return callsOf(block);
  const { M: rows, N: columns, row, column } = block;
  const scratch = { argument: { ...SCRATCH, offset: SCRATCH_BYTES }, lineBytes: 4 * columns };
  const c = finish.target === 'scratch' ? scratch : block.c;
  const rest = { argument: scratch.argument, pitch: scratch.lineBytes };
  return [...callsOf({ ...block, c }), ...finish.calls({ row, column, rows, columns, scratch: rest })];
}

/** The calls that compute a block. */
function callsOf(block: Product): SimdCall[] {
  const { M, N, K, a, b, c } = block;
  if (K > PART_K) return callsInParts(block);
  switch (entryPointOf(block)) {
    case 'dots': {
      const [rows, columns] = [
        [a.argument, a.lineBytes],
        [b.argument, b.lineBytes],
      ];
      return N > M
        ? [callOf('dots', [...columns, ...rows, c.argument, 4, c.lineBytes, N, M, K])]
        : [callOf('dots', [...rows, ...columns, c.argument, c.lineBytes, 4, M, N, K])];
    }
    case 'row': // the last block of what is divided otherwise may have a few rows, too
      return Array.from({ length: M }, (_, row) => rowCalls(blockOf(block, row, 0, 1, N))).flat();
    case 'outer':
      return Array.from({ length: ceilDivide(K, OUTER_K) }, (_, i) => {
        const from = OUTER_K * i;
        return callOf('outer', [
          ...[moved(a.argument, from * a.stepBytes), a.lineBytes, a.stepBytes],
          ...[moved(b.argument, from * b.stepBytes), b.stepBytes, c.argument, c.lineBytes],
          ...[M, N, Math.min(OUTER_K, K - from), Number(i > 0), SCRATCH],
        ]);
      });
    case 'packed':
      return [packedCall(block)];
  }
}

function rowCalls(row: Product): SimdCall[] {
  const { N, K, a, b, c } = row;
  const rest = N % 4;
  const whole = N - rest;
  const call = callOf('row', [a.argument, a.stepBytes, b.argument, b.stepBytes, c.argument, whole, K, SCRATCH]);
  return [...(whole > 0 ? [call] : []), ...(rest > 0 ? [packedCall(blockOf(row, 0, whole, 1, rest))] : [])];
}

/** The calls that compute a block as the sum of parts, each of which has some of the k. */
function callsInParts(block: Product): SimdCall[] {
  const { M, N, K, a, b, c } = block;
  const lineBytes = partPitch(N);
  const part = { argument: { ...SCRATCH, offset: partsAt(block) }, lineBytes };
  const lost = moved(part.argument, M * lineBytes);
  const count = ceilDivide(K, PART_K);
  const calls = Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i * K) / count);
    const own = {
      ...{ ...block, K: Math.floor(((i + 1) * K) / count) - from },
      a: { ...a, argument: moved(a.argument, from * a.stepBytes) },
      b: { ...b, argument: moved(b.argument, from * b.stepBytes) },
    };
    if (i === 0) return callsOf(own);
    const sum = [c.argument, c.lineBytes, lost, part.argument, M, N, Number(i === 1)];
    return [...callsOf({ ...own, c: part }), { kernel: ADD_PART, arguments: sum }];
  });
  return [...calls.flat(), { kernel: ADD_LOST, arguments: [c.argument, c.lineBytes, lost, M, N] }];
}

function packedCall({ M, N, K, a, b, c }: Product): SimdCall {
  return callOf('packed', [
    ...[a.argument, a.lineBytes, a.stepBytes],
    ...[b.argument, b.stepBytes, b.lineBytes],
    ...[c.argument, c.lineBytes, M, N, K, SCRATCH],
  ]);
}

function callOf(entryPoint: EntryPoint, values: readonly SimdArgument[]): SimdCall {
  return { kernel: KERNELS[entryPoint], arguments: values };
}

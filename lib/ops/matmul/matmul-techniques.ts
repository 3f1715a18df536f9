import {
  matmulBlocksWgsl,
  matmulBroadcastWgsl,
  matmulDirectWgsl,
  matmulLoadsWgsl,
  matmulNaiveWgsl,
  matmulQuadWgsl,
  matmulScalarLoadsWgsl,
  matmulShallowWgsl,
  matmulStoresWgsl,
  matmulStripWgsl,
  matmulThinWgsl,
  matmulTiledWgsl,
  matmulVec4LoadsWgsl,
  matmulVectorWgsl,
} from '../../generated/wgsl.js';
import { ceilDivide, fillBlock } from '../../graph/launch.js';
import { fillTemplate } from '../../graph/template.js';
import { axisSize, type Shape, sizeOf } from '../../shape.js';
import { type MatmulAttributes, sizesOf } from './matmul-sizes.js';

/** The ways to compute a product on a GPU. */
export const MATMUL_VARIANTS = [
  'naive',
  'direct',
  'broadcast',
  'quad',
  'vector',
  'thin',
  'shallow',
  'tiled32x32',
  'tiled64x32',
  'tiled64x64',
  'deep64x64',
  'tiled128x64',
  'prefetch128x64',
  'split32x32',
  'split64x32',
] as const;

/** A way to compute a product on a GPU, named for its technique. */
export type MatmulVariant = (typeof MATMUL_VARIANTS)[number];

/** How many elements of C are stored at once. */
export type Width = 1 | 4;

/** What a technique needs to know of a product. */
export interface Product {
  readonly sizes: ReturnType<typeof sizesOf>;
  readonly attributes: MatmulAttributes;
  /** Whether the contiguous axes of A, B and C are multiples of 4: vec4 loads and stores. */
  readonly inQuads: { readonly A: boolean; readonly B: boolean; readonly C: boolean };
  /** Whether the sums over k of op(A) are computed, too; A is transposed then. */
  readonly hasSums: boolean;
}

/** A product of matrices of these shapes. */
export function productOf(a: Shape, b: Shape, attributes: MatmulAttributes, hasSums = false): Product {
  const sizes = sizesOf(a, b, attributes);
  const isInQuads = (size: number): boolean => size % 4 === 0;
  const inQuads = { A: isInQuads(axisSize(a, -1)), B: isInQuads(axisSize(b, -1)), C: isInQuads(sizes.N) };
  return { sizes, attributes, inQuads, hasSums };
}

/** How a product is computed. */
export interface Technique {
  /** Stands behind matmul_common.wgsl and the operands. */
  readonly code: (product: Product, isOneBlock: boolean) => string;
  readonly entryPoint: string;
  /** Whether A and B are read by fours. */
  readonly readsQuads: (product: Product) => { readonly A: boolean; readonly B: boolean };
  /** How many elements of C are stored at once. */
  readonly width: (product: Product) => Width;
  /** Rows and columns of C that a workgroup computes. */
  readonly tile: (product: Product) => readonly [rows: number, columns: number];
  /** Columns of tiles for the sums over k of op(A), as if B had further columns. */
  readonly sumColumns: number;
  readonly constants?: (product: Product) => Readonly<Record<string, number>>;
  readonly usesSubgroups?: boolean;
  /** Bytes of workgroup memory; left out, so few that every adapter has them. */
  readonly workgroupBytes?: (product: Product) => number;
  /** It runs on SIMD lanes of a CPU as well as can be: no workgroup memory, no barriers. */
  readonly suitsSoftware?: boolean;
  /** Parts of K that are summed by workgroups of their own; left out, one. */
  readonly parts?: (product: Product) => number;
  /** Steps of K in one chain of sums: beyond them blocks are added to C in memory. Left out, the kernel sees to it itself. */
  readonly block?: number;
  /** One workgroup computes the whole of it, tile by tile. */
  readonly isOneWorkgroup?: (product: Product) => boolean;
  /** Whether it can compute the product at all. */
  readonly offers?: (product: Product) => boolean;
}

/** Steps of K in one chain of float32 additions, at most. */
const CHAIN = 1024;
/** Steps of K that are worth a part of their own, at least. */
const SHORTEST_PART = 128;
/** Workgroups that splitting K is to make. */
const WANTED_WORKGROUPS = 128;
/** A product with more to add up has tiles enough without parts. */
const MOST_SCRATCH_BYTES = 2 ** 26;

/** Steps of K that a kernel sums that has no parts for other reasons: a chain of blocks, each a chain of 256. */
const LONGEST_SUM = 2 ** 16;

/** Parts of K that keep sums accurate: one where there is nothing to sum. */
function partsOfLongSums({ sizes: { K } }: Product): number {
  return Math.max(1, ceilDivide(K, LONGEST_SUM));
}

/** Parts of K that make enough workgroups out of so many tiles, as far as parts are long and there is memory for them. */
function partsFor({ sizes: { M, N, K, batchShape } }: Product, tiles: number): number {
  const wanted = ceilDivide(WANTED_WORKGROUPS, tiles);
  const most = Math.floor(MOST_SCRATCH_BYTES / (4 * sizeOf(batchShape) * M * (N + 4)));
  return Math.max(1, Math.min(wanted, Math.floor(K / SHORTEST_PART), most));
}

/** Tiles of C. */
export function tilesOf({ sizes: { M, N, batchShape } }: Product, rows: number, columns: number, more = 0): number {
  return ceilDivide(M, rows) * ceilDivide(N + more, columns) * sizeOf(batchShape);
}

/** Whether something is multiplied at all. */
export function isSomething({ sizes: { M, N, K } }: Product): boolean {
  return Math.min(M, N, K) > 0;
}

/** 1 for the condition that holds and 0 for the other one. */
function either(isFirst: boolean, first: string, second: string): Readonly<Record<string, number>> {
  return { [first]: Number(isFirst), [second]: Number(!isFirst) };
}

function constantsText(constants: Readonly<Record<string, number | boolean>>): string {
  const text = (value: number | boolean): string => (typeof value === 'number' ? `${value}u` : String(value));
  return Object.entries(constants)
    .map(([name, value]) => `const ${name} = ${text(value)};`)
    .join('\n');
}

/** How the tiled and the thin kernel read an operand. */
function loadsOf(operand: 'A' | 'B', { attributes, inQuads }: Product, tile: number): string {
  const isAlongK = operand === 'A' ? !attributes.transposeA : attributes.transposeB;
  const window = constantsText({ [`IS_${operand}_ALONG_K`]: isAlongK, [`TILE_${operand}`]: tile });
  const loads = fillBlock(matmulLoadsWgsl, 'window', window);
  const texts = { X: operand, OUTER: operand === 'A' ? 'M' : 'N' };
  return fillTemplate(loads, either(inQuads[operand], 'QUADS', 'NUMBERS'), texts);
}

/** The sizes of a tiled kernel: of the tile of a workgroup, of what an invocation computes of it, and along k. */
interface Tiling {
  readonly tile: readonly [rows: number, columns: number];
  readonly invocation: readonly [rows: number, columns: number];
  readonly depth: number;
  /** Whether a strip is loaded while the one before is multiplied. Default false. */
  readonly prefetches?: boolean;
}

const TILE_32X32: Tiling = { tile: [32, 32], invocation: [4, 4], depth: 32 };
const TILE_64X32: Tiling = { tile: [64, 32], invocation: [4, 4], depth: 32 };

function tiled({ tile: [rows, columns], invocation, depth, prefetches = false }: Tiling): Technique {
  const [rowBlocks, columnBlocks] = [invocation[0] / 4, invocation[1] / 4];
  const invocations = (rows * columns) / (invocation[0] * invocation[1]);
  const strip = (operand: 'A' | 'B'): string => fillTemplate(matmulStripWgsl, {}, { X: operand });
  const tileText = constantsText({
    TILE_ROWS: rows,
    TILE_COLUMNS: columns,
    DEPTH: depth,
    ROW_BLOCKS: rowBlocks,
    COLUMN_BLOCKS: columnBlocks,
    CHAIN,
  });
  return {
    code: (product, isOneBlock) =>
      loadsOf('A', product, rows) +
      loadsOf('B', product, columns) +
      strip('A') +
      strip('B') +
      fillTemplate(matmulStoresWgsl, {
        ...either(product.inQuads.C, 'QUADS', 'NUMBERS'),
        ADDS_QUADS: Number(product.inQuads.C && !isOneBlock),
        ADDS_NUMBERS: Number(!product.inQuads.C && !isOneBlock),
      }) +
      fillTemplate(fillBlock(matmulTiledWgsl, 'tile', tileText), {
        LOADS_A: (rows * depth) / 4 / invocations,
        LOADS_B: (columns * depth) / 4 / invocations,
        ROW_BLOCKS: rowBlocks,
        COLUMN_BLOCKS: columnBlocks,
        SUMS: Number(product.hasSums),
        ...either(product.attributes.transposeA, 'A_ACROSS_K', 'A_ALONG_K'),
        ...either(product.attributes.transposeB, 'B_ALONG_K', 'B_ACROSS_K'),
        ...either(isOneBlock, 'ONE_BLOCK', 'MANY_BLOCKS'),
        ...either(prefetches, 'PREFETCH', 'NO_PREFETCH'),
      }),
    entryPoint: 'matmulTiled',
    readsQuads: ({ inQuads }) => inQuads,
    width: ({ inQuads }) => (inQuads.C ? 4 : 1),
    tile: () => [rows, columns],
    sumColumns: 0,
    workgroupBytes: ({ attributes: { transposeA, transposeB } }) =>
      stripBytes(rows, depth, !transposeA) + stripBytes(columns, depth, transposeB),
    block: CHAIN,
    offers: isSomething,
  };
}

/** Bytes of an operand's strip (kernels/matmul/matmul_strip.wgsl). */
function stripBytes(tile: number, depth: number, isAlongK: boolean): number {
  return 4 * tile * (isAlongK ? depth + 4 : depth);
}

/** The tiled kernel, K in as many parts as make enough workgroups. */
function split(tiling: Tiling): Technique {
  const parts = (product: Product): number => partsFor(product, tilesOf(product, ...tiling.tile));
  return { ...tiled(tiling), parts, offers: (product) => isSomething(product) && parts(product) > 1 };
}

/** What the thin kernel makes of a product. */
interface ThinPlan {
  /** The operand with more rows (A) or columns (B) of C. */
  readonly thick: 'A' | 'B';
  /** Places of the thin operand, and of the thick one, that a workgroup computes at once. */
  readonly thin: number;
  readonly tile: number;
  /** Invocations that share a place of the thick operand, each for a slice of K. */
  readonly slices: number;
}

const THIN_INVOCATIONS = 256;
/** Places of the thin operand at most: 16 sums an invocation. With 8 Intel's compiler spills, and the rest lose occupancy. */
const MOST_THIN = 4;
/** Tiles that one workgroup computes one after the other, at most: each waits for memory. */
const MOST_TURNS = 2;
/** Multiply-adds that one workgroup computes in less time than a launch takes. */
const SMALL_PRODUCT = 2 ** 16;

/** Slices are as many as K has vec4s for; in a small product no more than leave one tile, else no more than fill 64 places. */
function thinPlan(product: Product): ThinPlan {
  const { M, N, K } = product.sizes;
  const columns = N + Number(product.hasSums);
  const thick = M >= columns ? 'A' : 'B';
  const [thickCount, thinCount] = thick === 'A' ? [M, columns] : [columns, M];
  const tileOf = (slices: number): number => (4 * THIN_INVOCATIONS) / slices;
  const usable = [1, 2, 4, 8, 16, 32, 64].filter((slices) => slices === 1 || 4 * slices <= K);
  const whole = usable.filter((slices) => tileOf(slices) >= thickCount);
  const many = usable.filter((slices) => slices <= 16);
  const slices = Math.max(...(isSmallProduct(product) && whole.length > 0 ? whole : [...whole, ...many]));
  return { thick, thin: ceilDivide(thinCount, ceilDivide(thinCount, MOST_THIN)), slices, tile: tileOf(slices) };
}

function thinTile(product: Product): readonly [rows: number, columns: number] {
  const { thick, thin, tile } = thinPlan(product);
  return thick === 'A' ? [tile, thin] : [thin, tile];
}

export function isSmallProduct({ sizes: { M, N, K, batchShape } }: Product): boolean {
  return sizeOf(batchShape) * M * N * K <= SMALL_PRODUCT;
}

/** Whether the thin operand is read by fours: where both lie along k. */
function thinReadsQuads({ attributes: { transposeA, transposeB }, inQuads }: Product, thick: 'A' | 'B'): boolean {
  return !transposeA && transposeB && inQuads[thick === 'A' ? 'B' : 'A'];
}

function thinCode(product: Product): string {
  const { thick, thin, slices, tile } = thinPlan(product);
  const { hasSums, attributes } = product;
  const isA = thick === 'A';
  const isThinAlongK = isA ? attributes.transposeB : !attributes.transposeA;
  const plan = constantsText({
    THIN: thin,
    SLICES: slices,
    DEPTH: 4 * slices,
    [`IS_${isA ? 'B' : 'A'}_ALONG_K`]: isThinAlongK,
  });
  const counts = {
    THIN: thin,
    THICK_SUMS: Number(hasSums && !isA),
    THIN_SUMS: Number(hasSums && isA),
    ...either(thinReadsQuads(product, thick) && !hasSums, 'THIN_QUADS', 'THIN_NUMBERS'),
  };
  const texts = {
    T: thick,
    S: isA ? 'B' : 'A',
    INNER: isA ? 'N' : 'M',
    ROW: isA ? 'thick' : 'thin',
    COLUMN: isA ? 'thin' : 'thick',
    THICK: isA ? 'row' : 'column',
    THIN: isA ? 'column' : 'row',
    ROWS: isA ? 'TILE_A' : 'THIN',
    COLUMNS: isA ? 'THIN' : 'TILE_B',
    COUNT: hasSums ? 'size.N + 1u' : 'size.N',
    SUMS: String(slices * (tile + 1)),
  };
  return loadsOf(thick, product, tile) + fillTemplate(fillBlock(matmulThinWgsl, 'thin', plan), counts, texts);
}

/** Steps of K at most, each of which takes a register. */
const MOST_SHALLOW = 8;

/** Columns of a workgroup's tile: the fewest that hold all, so that few invocations are idle. */
function shallowColumns({ sizes: { N } }: Product): number {
  return [32, 64, 128].find((columns) => columns >= N) ?? 256;
}

/** Elements of C that 64 invocations of the vector kernel compute: one where the matrix is contiguous along k. */
function vectorOutputs({ sizes: { M }, attributes: { transposeA, transposeB } }: Product): number {
  return (M === 1 ? transposeB : !transposeA) ? 1 : 16;
}

/**
 * Invocations of a workgroup of the kernels that use subgroups, each with four columns: the most that leave no more than an
 * eighth of the tiles' columns empty.
 */
function lanesFor({ sizes: { N } }: Product): number {
  const isFilled = (lanes: number): boolean => N >= (7 / 8) * (4 * lanes) * ceilDivide(N, 4 * lanes);
  return [64, 32, 16].find(isFilled) ?? 8;
}

/** The columns behind C that hold the sums: a whole quad, so that rows of parts stay aligned. */
export const SUM_COLUMNS = 4;

const numbers = () => ({ A: false, B: false });
const isAligned = ({ inQuads: { A, B, C } }: Product): boolean => A && B && C;
const allQuads = (product: Product) => ({ A: isAligned(product), B: isAligned(product) });
const widthOfAll = (product: Product): Width => (isAligned(product) ? 4 : 1);

/** Steps of K that the kernels which read straight from storage sum at once: BLOCK in kernels/matmul/matmul_common.wgsl. */
const BLOCK = 256;

export const TECHNIQUES: Readonly<Record<MatmulVariant, Technique>> = {
  naive: {
    code: () => matmulScalarLoadsWgsl + matmulNaiveWgsl,
    entryPoint: 'matmulNaive',
    readsQuads: numbers,
    width: () => 1,
    tile: () => [8, 8],
    sumColumns: SUM_COLUMNS,
    suitsSoftware: true,
  },
  direct: {
    code: (product) =>
      (isAligned(product) ? matmulVec4LoadsWgsl : matmulScalarLoadsWgsl) + matmulBlocksWgsl + matmulDirectWgsl,
    entryPoint: 'matmulDirect',
    readsQuads: allQuads,
    width: widthOfAll,
    tile: () => [8, 256],
    sumColumns: SUM_COLUMNS,
    parts: partsOfLongSums,
    suitsSoftware: true,
  },
  broadcast: {
    code: () => matmulScalarLoadsWgsl + matmulBroadcastWgsl,
    entryPoint: 'matmulBroadcast',
    readsQuads: numbers,
    width: () => 1,
    tile: (product) => [8, 4 * lanesFor(product)],
    sumColumns: SUM_COLUMNS,
    constants: (product) => ({ LANES: lanesFor(product) }),
    usesSubgroups: true,
    parts: partsOfLongSums,
    suitsSoftware: true,
  },
  quad: {
    code: () => matmulVec4LoadsWgsl + matmulQuadWgsl,
    entryPoint: 'matmulQuad',
    readsQuads: () => ({ A: true, B: true }),
    width: () => 4,
    tile: (product) => [16, 4 * lanesFor(product)],
    sumColumns: SUM_COLUMNS,
    constants: (product) => ({ LANES: lanesFor(product), IS_ONE_BLOCK: Number(product.sizes.K <= BLOCK) }),
    usesSubgroups: true,
    parts: partsOfLongSums,
    suitsSoftware: true,
    offers: isAligned,
  },
  vector: {
    code: () => matmulScalarLoadsWgsl + matmulVectorWgsl,
    entryPoint: 'matmulVector',
    readsQuads: numbers,
    width: () => 1,
    tile: (product) => (product.sizes.M === 1 ? [1, vectorOutputs(product)] : [vectorOutputs(product), 1]),
    sumColumns: SUM_COLUMNS,
    constants: (product) => ({ SPLIT: 64 / vectorOutputs(product) }),
    parts: partsOfLongSums,
    suitsSoftware: true,
    offers: ({ sizes: { M, N } }) => M === 1 || N === 1,
  },
  thin: {
    code: thinCode,
    entryPoint: 'matmulThin',
    readsQuads(product) {
      const { thick } = thinPlan(product);
      const ofThin = thinReadsQuads(product, thick) && !product.hasSums;
      const ofThick = product.inQuads[thick];
      return thick === 'A' ? { A: ofThick, B: ofThin } : { A: ofThin, B: ofThick };
    },
    width: () => 1,
    tile: thinTile,
    sumColumns: 1,
    parts(product) {
      const least = ceilDivide(product.sizes.K, CHAIN * thinPlan(product).slices);
      return Math.max(least, isSmallProduct(product) ? 1 : partsFor(product, tilesOf(product, ...thinTile(product))));
    },
    isOneWorkgroup: (product) => isSmallProduct(product) && tilesOf(product, ...thinTile(product)) <= MOST_TURNS,
    offers: isSomething,
  },
  shallow: {
    code: (product) => {
      const columns = fillBlock(matmulShallowWgsl, 'columns', constantsText({ COLUMNS: shallowColumns(product) }));
      return matmulScalarLoadsWgsl + fillTemplate(columns, { STEPS: product.sizes.K });
    },
    entryPoint: 'matmulShallow',
    readsQuads: numbers,
    width: () => 1,
    tile: (product) => [(8 * 256) / shallowColumns(product), shallowColumns(product)],
    sumColumns: SUM_COLUMNS,
    offers: (product) => isSomething(product) && product.sizes.K <= MOST_SHALLOW,
  },
  tiled32x32: tiled(TILE_32X32),
  tiled64x32: tiled(TILE_64X32),
  tiled64x64: tiled({ tile: [64, 64], invocation: [8, 4], depth: 16 }),
  deep64x64: tiled({ tile: [64, 64], invocation: [4, 4], depth: 32 }),
  tiled128x64: tiled({ tile: [128, 64], invocation: [8, 4], depth: 16 }),
  prefetch128x64: tiled({ tile: [128, 64], invocation: [8, 4], depth: 16, prefetches: true }),
  split32x32: split(TILE_32X32),
  split64x32: split(TILE_64X32),
};

import {
  commonWgsl,
  elementFourWgsl,
  elementOneWgsl,
  matmulAddPartsWgsl,
  matmulBlocksWgsl,
  matmulBroadcastWgsl,
  matmulBytesAWgsl,
  matmulBytesBWgsl,
  matmulCommonWgsl,
  matmulDirectWgsl,
  matmulHalfAWgsl,
  matmulHalfBWgsl,
  matmulNaiveWgsl,
  matmulQuadWgsl,
  matmulRowsOfAWgsl,
  matmulRowsOfBWgsl,
  matmulScalarLoadsWgsl,
  matmulTiledWgsl,
  matmulVec4LoadsWgsl,
  matmulVectorWgsl,
} from '../../generated/wgsl.js';
import type { Glue } from '../../fusion/glue.js';
import {
  type Binding,
  ceilDivide,
  fillBlock,
  foldWorkgroups,
  type KernelTarget,
  type KernelVariant,
  type Launch,
  Uniforms,
} from '../../graph/launch.js';
import type { DType, TensorSpec } from '../../graph/operation.js';
import { axisSize, type Shape, sizeOf } from '../../shape.js';
import { scaleParts } from '../moving/bytes.js';
import { type MatmulAttributes, sizesOf } from './matmul-sizes.js';

/** The ways to compute a product on a GPU. */
export const MATMUL_VARIANTS = [
  'naive',
  'direct',
  'broadcast',
  'quad',
  'vector',
  'tiled32x32',
  'tiled64x64',
  'tiled128x64',
  'tiled128x128',
  'splitK',
] as const;

/** A way to compute a product on a GPU, named for its technique. */
export type MatmulVariant = (typeof MATMUL_VARIANTS)[number];

type Sizes = ReturnType<typeof sizesOf>;

/** How many elements of C are stored at once. */
type Width = 1 | 4;

/** What a technique needs to know of a product. */
interface Product {
  readonly sizes: Sizes;
  readonly attributes: MatmulAttributes;
  /** Every contiguous axis is a multiple of 4: vec4 loads and stores. */
  readonly isAligned: boolean;
}

interface Technique {
  /** Stands behind matmul_common.wgsl. */
  readonly code: (product: Product) => string;
  readonly entryPoint: string;
  /** How many elements of C are stored at once; left out: one. */
  readonly width?: (product: Product) => Width;
  /** Rows and columns of C that a workgroup computes. */
  readonly tile: (product: Product) => readonly [rows: number, columns: number];
  readonly constants?: (product: Product) => Readonly<Record<string, number>>;
  readonly usesSubgroups?: boolean;
  readonly usesWorkgroupMemory?: boolean;
  /** Steps of K in each part; left out, K is not split. */
  readonly kPerPart?: (product: Product) => number;
  /** Whether it can compute the product at all. */
  readonly offers?: (product: Product) => boolean;
}

/** Steps of K that are summed before they are added to the total: BLOCK in kernels/matmul/matmul_common.wgsl. */
const BLOCK = 256;
/** More parts than this cost more memory than they gain. */
const MOST_PARTS = 64;
/** A product with more to add up has tiles enough without parts. */
const MOST_SCRATCH_BYTES = 2 ** 26;

const blocks = ({ isAligned }: Product): string =>
  (isAligned ? matmulVec4LoadsWgsl : matmulScalarLoadsWgsl) + matmulBlocksWgsl;

const blockWidth = ({ isAligned }: Product): Width => (isAligned ? 4 : 1);

/** The tiled kernel, with tiles of C and blocks of 4 x 4 an invocation as they are named in its block `tile`. */
function tiled(tile: readonly [number, number], invocation: readonly [number, number], depth: number): Technique {
  const constants: readonly (readonly [string, number])[] = [
    ['TILE_ROWS', tile[0]],
    ['TILE_COLUMNS', tile[1]],
    ['DEPTH', depth],
    ['ROW_BLOCKS', invocation[0] / 4],
    ['COLUMN_BLOCKS', invocation[1] / 4],
  ];
  const code = fillBlock(
    matmulTiledWgsl,
    'tile',
    constants.map(([name, value]) => `const ${name} = ${value}u;`).join('\n'),
  );
  return {
    code: (product) => blocks(product) + code,
    entryPoint: 'matmulTiled',
    width: blockWidth,
    tile: () => tile,
    usesWorkgroupMemory: true,
  };
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

const TECHNIQUES: Readonly<Record<MatmulVariant, Technique>> = {
  naive: { code: () => matmulScalarLoadsWgsl + matmulNaiveWgsl, entryPoint: 'matmulNaive', tile: () => [8, 8] },
  direct: {
    code: (product) => blocks(product) + matmulDirectWgsl,
    entryPoint: 'matmulDirect',
    width: blockWidth,
    tile: () => [8, 256],
  },
  broadcast: {
    code: () => matmulScalarLoadsWgsl + matmulBroadcastWgsl,
    entryPoint: 'matmulBroadcast',
    tile: (product) => [8, 4 * lanesFor(product)],
    constants: (product) => ({ LANES: lanesFor(product) }),
    usesSubgroups: true,
  },
  quad: {
    code: () => matmulVec4LoadsWgsl + matmulQuadWgsl,
    entryPoint: 'matmulQuad',
    width: () => 4,
    tile: (product) => [16, 4 * lanesFor(product)],
    constants: (product) => ({ LANES: lanesFor(product), IS_ONE_BLOCK: Number(product.sizes.K <= BLOCK) }),
    usesSubgroups: true,
    offers: ({ isAligned }) => isAligned,
  },
  vector: {
    code: () => matmulScalarLoadsWgsl + matmulVectorWgsl,
    entryPoint: 'matmulVector',
    tile: (product) => (product.sizes.M === 1 ? [1, vectorOutputs(product)] : [vectorOutputs(product), 1]),
    constants: (product) => ({ SPLIT: 64 / vectorOutputs(product) }),
    offers: ({ sizes: { M, N } }) => M === 1 || N === 1,
  },
  tiled32x32: tiled([32, 32], [4, 4], 16),
  tiled64x64: tiled([64, 64], [8, 4], 16),
  tiled128x64: tiled([128, 64], [8, 8], 16),
  tiled128x128: tiled([128, 128], [8, 8], 8),
  splitK: {
    ...tiled([32, 32], [4, 4], 16),
    kPerPart: ({ sizes: { K } }) => BLOCK * ceilDivide(ceilDivide(K, BLOCK), MOST_PARTS),
    offers: ({ sizes: { M, N, K, batchShape } }) =>
      K > BLOCK && Math.min(ceilDivide(K, BLOCK), MOST_PARTS) * sizeOf(batchShape) * M * N * 4 <= MOST_SCRATCH_BYTES,
  },
};

function tableRowsOf(rows: TableRows | undefined): number {
  return rows ? rows.tableRows : 0;
}

function productOf(a: Shape, b: Shape, attributes: MatmulAttributes): Product {
  const sizes = sizesOf(a, b, attributes);
  const isAligned = [axisSize(a, -1), axisSize(b, -1), sizes.N].every((size) => size % 4 === 0);
  return { sizes, attributes, isAligned };
}

/** Whether a variant can compute this product on such an adapter. */
export function offersVariant(
  a: TensorSpec,
  b: TensorSpec,
  attributes: MatmulAttributes,
  variant: MatmulVariant,
  { features }: KernelTarget,
): boolean {
  const { usesSubgroups = false, offers = () => true } = TECHNIQUES[variant];
  return (!usesSubgroups || features.has('subgroups')) && offers(productOf(a.shape, b.shape, attributes));
}

/** Workgroups that a GPU wants at least, so that all of its cores have some. */
const FILLING_WORKGROUPS = 128;

/**
 * The variant that is taken where nothing was measured.
 *
 * On hardware, by reasoning: the largest tile that still gives each core some workgroups, because a larger tile reads
 * less; where even the smallest gives too few and K is long, K is split. On adapters that run on the CPU, by measuring
 * (docs/architecture.md): invocations are lanes of SIMD registers there, workgroup memory gains nothing, and what counts
 * is that lanes read consecutive elements.
 */
export function variantFor(a: Shape, b: Shape, attributes: MatmulAttributes, target: KernelTarget): MatmulVariant {
  const { M, N, K, batchShape } = sizesOf(a, b, attributes);
  if (target.isSoftware) {
    if (!target.features.has('subgroups')) return 'direct';
    return productOf(a, b, attributes).isAligned ? 'quad' : 'broadcast';
  }
  if (M === 1 || N === 1) return 'vector';
  const tiles = (rows: number, columns: number): number =>
    ceilDivide(M, rows) * ceilDivide(N, columns) * sizeOf(batchShape);
  if (tiles(128, 128) >= FILLING_WORKGROUPS) return 'tiled128x128';
  if (tiles(64, 64) >= FILLING_WORKGROUPS) return 'tiled64x64';
  return tiles(32, 32) < FILLING_WORKGROUPS / 2 && K >= 4 * BLOCK ? 'splitK' : 'tiled32x32';
}

/** What a kernel does beside the product itself. */
export interface Beside {
  /** What becomes of the product; left out, it is stored. */
  readonly stages?: (width: Width) => Glue;
  /** Rows of a and of b are picked from tables: how many rows these have, and where the row numbers are. */
  readonly rowsOfA?: TableRows;
  readonly rowsOfB?: TableRows;
  /** Whether the sums over k of op(A) are computed, too. */
  readonly sums: boolean;
}

export interface TableRows {
  readonly indices: number;
  readonly tableRows: number;
  /** What bytes are multiplied by, where it is a table of bytes. */
  readonly scale: number;
}

const NOTHING: Beside = { sums: false };

/** The columns behind C that hold the sums: a whole quad, so that rows of parts stay aligned. */
const SUM_COLUMNS = 4;

/** Numbers of bindings in all matmul kernels; a and b are 0 and 1. */
const C_AT = 2;
const UNIFORMS_AT = 3;
const ROWS_OF_A_AT = 4;
const ROWS_OF_B_AT = 5;
/** The first one that is free for stages, and where their numbers are. */
export const STAGES_AT = 6;
export const WORDS = 'size.words';

/** The launches of one variant: one, and with K split a second one that adds the parts. */
export function matmulLaunches(
  a: TensorSpec,
  b: TensorSpec,
  attributes: MatmulAttributes,
  variant: MatmulVariant,
  { stages, rowsOfA, rowsOfB, sums }: Beside = NOTHING,
): readonly Launch[] {
  const product = productOf(a.shape, b.shape, attributes);
  const { M, N, K, batchShape, batch } = product.sizes;
  const batches = sizeOf(batchShape);
  const technique = TECHNIQUES[variant];
  const kPerPart = technique.kPerPart?.(product) ?? K;
  const parts = Math.max(1, ceilDivide(K, Math.max(1, kPerPart)));
  const sumColumns = sums ? SUM_COLUMNS : 0;
  const uniformsWith = (words: readonly number[] = [0, 0, 0, 0]): Uint8Array =>
    new Uniforms()
      .u32(M, N, K, batches, parts, kPerPart, batch.sizes.length, tableRowsOf(rowsOfA), tableRowsOf(rowsOfB))
      .axes(batch.sizes, 1)
      .axes(batch.strides[0], 0)
      .axes(batch.strides[1], 0)
      .u32(...words)
      .bytes();
  const isSplit = technique.kPerPart !== undefined;
  const width = technique.width?.(product) ?? 1;
  const glue = stages?.(isSplit ? 1 : width);
  const whole: readonly Binding[] = glue?.bindings ?? [{ output: 0, at: C_AT }];
  const [rows, columns] = technique.tile(product);
  const elements = batches * M * (N + sumColumns);
  const blocks = {
    ...(rowsOfA && { 'rows of A': matmulRowsOfAWgsl }),
    ...(rowsOfB && { 'rows of B': matmulRowsOfBWgsl }),
  };
  const multiply: Launch = {
    kernel: {
      name: `matmul ${variant}`,
      code:
        (technique.usesSubgroups ? 'enable subgroups;\n' : '') +
        commonCode(width, { ...blocks, ...(glue && !isSplit && { stages: glue.code }) }) +
        storedCode(technique.code(product), a, b),
      entryPoint: technique.entryPoint,
    },
    bindings: [
      { input: 0, at: 0 },
      { input: 1, at: 1 },
      ...(isSplit ? [{ scratch: 'write' as const, at: C_AT }] : whole),
      ...(rowsOfA ? [{ input: rowsOfA.indices, at: ROWS_OF_A_AT }] : []),
      ...(rowsOfB ? [{ input: rowsOfB.indices, at: ROWS_OF_B_AT }] : []),
    ],
    uniformsAt: UNIFORMS_AT,
    constants: {
      ...(isSplit ? { PARTIAL: 1 } : glue?.constants),
      TRANSPOSE_A: Number(attributes.transposeA),
      TRANSPOSE_B: Number(attributes.transposeB),
      SUM_COLUMNS: sumColumns,
      PICKS_A: Number(rowsOfA !== undefined),
      PICKS_B: Number(rowsOfB !== undefined),
      ...(a.dtype === 'u8' && rowsOfA && scaleConstants('A', rowsOfA)),
      ...(b.dtype === 'u8' && rowsOfB && scaleConstants('B', rowsOfB)),
      ...technique.constants?.(product),
    },
    uniforms: uniformsWith(isSplit ? undefined : glue?.words),
    workgroups: foldWorkgroups(ceilDivide(M, rows) * ceilDivide(N + sumColumns, columns) * batches * parts),
  };
  if (!isSplit) return [multiply];
  const addParts: Launch = {
    kernel: {
      name: 'matmul addParts',
      code: commonCode(1, glue && { stages: glue.code }) + matmulScalarLoadsWgsl + matmulAddPartsWgsl,
      entryPoint: 'matmulAddParts',
    },
    bindings: [{ scratch: 'read', at: 0 }, ...whole],
    uniformsAt: UNIFORMS_AT,
    constants: { ...glue?.constants, SUM_COLUMNS: sumColumns },
    uniforms: uniformsWith(glue?.words),
    workgroups: foldWorkgroups(ceilDivide(elements, 64)),
  };
  return [{ ...multiply, scratchBytes: parts * elements * 4 }, addParts];
}

/** In place of the blocks that read f32. */
const STORED_A: Readonly<Partial<Record<DType, string>>> = { f16: matmulHalfAWgsl, u8: matmulBytesAWgsl };
const STORED_B: Readonly<Partial<Record<DType, string>>> = { f16: matmulHalfBWgsl, u8: matmulBytesBWgsl };

/** A kernel's code for operands of these types. */
function storedCode(code: string, a: TensorSpec, b: TensorSpec): string {
  const [ofA, ofB] = [STORED_A[a.dtype], STORED_B[b.dtype]];
  const forA = ofA === undefined ? code : fillBlock(code, 'elements of A', ofA);
  return ofB === undefined ? forA : fillBlock(forA, 'elements of B', ofB);
}

function scaleConstants(matrix: 'A' | 'B', { scale }: TableRows): Readonly<Record<string, number>> {
  const [high, rest] = scaleParts(scale);
  return { [`SCALE_OF_${matrix}`]: high, [`REST_OF_${matrix}`]: rest };
}

/** What all kernels begin with, and kernels/matmul/matmul_common.wgsl with such code in place of its blocks. */
function commonCode(width: Width, blocks: Readonly<Record<string, string>> = {}): string {
  const filled = Object.entries(blocks).reduce((code, [name, block]) => fillBlock(code, name, block), matmulCommonWgsl);
  return commonWgsl + (width === 4 ? elementFourWgsl : elementOneWgsl) + filled;
}

/**
 * The variants to choose from on such an adapter, the default one first. Those with tiles in workgroup memory take an
 * adapter that runs on the CPU seconds to compile each, and gain nothing there.
 */
export function matmulVariants(
  a: TensorSpec,
  b: TensorSpec,
  attributes: MatmulAttributes,
  target: KernelTarget,
  beside?: Beside,
): readonly KernelVariant[] {
  const first = variantFor(a.shape, b.shape, attributes, target);
  const others = MATMUL_VARIANTS.filter(
    (variant) =>
      variant !== first &&
      !(target.isSoftware && TECHNIQUES[variant].usesWorkgroupMemory) &&
      offersVariant(a, b, attributes, variant, target),
  );
  return [first, ...others].map((variant) => ({
    name: variant,
    launches: matmulLaunches(a, b, attributes, variant, beside),
  }));
}

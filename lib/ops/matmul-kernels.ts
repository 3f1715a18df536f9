import {
  commonWgsl,
  matmulAddPartsWgsl,
  matmulBlocksWgsl,
  matmulBroadcastWgsl,
  matmulCommonWgsl,
  matmulDirectWgsl,
  matmulDotWgsl,
  matmulNaiveWgsl,
  matmulScalarLoadsWgsl,
  matmulSumsWgsl,
  matmulTiledWgsl,
  matmulVec4LoadsWgsl,
  matmulVectorWgsl,
} from '../generated/wgsl.js';
import {
  type Binding,
  ceilDivide,
  fillBlock,
  foldWorkgroups,
  type KernelTarget,
  type KernelVariant,
  type Launch,
  Uniforms,
} from '../graph/launch.js';
import { type Shape, sizeOf } from '../shape.js';
import { type MatmulAttributes, sizesOf } from './matmul-sizes.js';

/** The ways to compute a product on a GPU. */
export const MATMUL_VARIANTS = [
  'naive',
  'direct',
  'broadcast',
  'dot',
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
  /** Rows and columns of C that a workgroup computes. */
  readonly tile: (product: Product) => readonly [rows: number, columns: number];
  readonly constants?: (product: Product) => Readonly<Record<string, number>>;
  readonly usesSubgroups?: boolean;
  /** Steps of K in each part; left out, K is not split. */
  readonly kPerPart?: (product: Product) => number;
  /** Whether it can compute the product at all. */
  readonly offers?: (product: Product) => boolean;
}

/** Steps of K that are summed before they are added to the total: BLOCK in kernels/matmul_common.wgsl. */
const BLOCK = 256;
/** More parts than this cost more memory than they gain. */
const MOST_PARTS = 64;
/** A product with more to add up has tiles enough without parts. */
const MOST_SCRATCH_BYTES = 2 ** 26;

const blocks = ({ isAligned }: Product): string =>
  (isAligned ? matmulVec4LoadsWgsl : matmulScalarLoadsWgsl) + matmulBlocksWgsl;

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
  return { code: (product) => blocks(product) + code, entryPoint: 'matmulTiled', tile: () => tile };
}

/** Elements of C that 64 invocations of the vector kernel compute: one where the matrix is contiguous along k. */
function vectorOutputs({ sizes: { M }, attributes: { transposeA, transposeB } }: Product): number {
  return (M === 1 ? transposeB : !transposeA) ? 1 : 16;
}

const TECHNIQUES: Readonly<Record<MatmulVariant, Technique>> = {
  naive: { code: () => matmulScalarLoadsWgsl + matmulNaiveWgsl, entryPoint: 'matmulNaive', tile: () => [8, 8] },
  direct: { code: (product) => blocks(product) + matmulDirectWgsl, entryPoint: 'matmulDirect', tile: () => [8, 256] },
  broadcast: {
    code: () => matmulScalarLoadsWgsl + matmulSumsWgsl + matmulBroadcastWgsl,
    entryPoint: 'matmulBroadcast',
    tile: () => [8, 128],
    usesSubgroups: true,
  },
  dot: {
    code: () => matmulScalarLoadsWgsl + matmulSumsWgsl + matmulDotWgsl,
    entryPoint: 'matmulDot',
    tile: () => [8, 32],
    usesSubgroups: true,
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

function productOf(a: Shape, b: Shape, attributes: MatmulAttributes): Product {
  const sizes = sizesOf(a, b, attributes);
  const isAligned = [a.at(-1) ?? 0, b.at(-1) ?? 0, sizes.N].every((size) => size % 4 === 0);
  return { sizes, attributes, isAligned };
}

/** Whether a variant can compute this product on such an adapter. */
export function offersVariant(
  a: Shape,
  b: Shape,
  attributes: MatmulAttributes,
  variant: MatmulVariant,
  { features }: KernelTarget,
): boolean {
  const { usesSubgroups = false, offers = () => true } = TECHNIQUES[variant];
  return (!usesSubgroups || features.has('subgroups')) && offers(productOf(a, b, attributes));
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
    return attributes.transposeB && !attributes.transposeA ? 'dot' : 'broadcast';
  }
  if (M === 1 || N === 1) return 'vector';
  const tiles = (rows: number, columns: number): number =>
    ceilDivide(M, rows) * ceilDivide(N, columns) * sizeOf(batchShape);
  if (tiles(128, 128) >= FILLING_WORKGROUPS) return 'tiled128x128';
  if (tiles(64, 64) >= FILLING_WORKGROUPS) return 'tiled64x64';
  return tiles(32, 32) < FILLING_WORKGROUPS / 2 && K >= 4 * BLOCK ? 'splitK' : 'tiled32x32';
}

/** What a fused kernel does to each element before it stores it. */
export interface Epilogue {
  /** The block `epilogue` of kernels/matmul_common.wgsl. */
  readonly code: string;
  /** What it reads and writes beside a, b and c. */
  readonly bindings: readonly Binding[];
  readonly constants: Readonly<Record<string, number>>;
}

/** Numbers of bindings in all matmul kernels. */
const C_AT = 2;
const UNIFORMS_AT = 3;

/** The launches of one variant: one, and with K split a second one that adds the parts. */
export function matmulLaunches(
  a: Shape,
  b: Shape,
  attributes: MatmulAttributes,
  variant: MatmulVariant,
  epilogue?: Epilogue,
): readonly Launch[] {
  const product = productOf(a, b, attributes);
  const { M, N, K, batchShape, batch } = product.sizes;
  const batches = sizeOf(batchShape);
  const technique = TECHNIQUES[variant];
  const kPerPart = technique.kPerPart?.(product) ?? K;
  const parts = Math.max(1, ceilDivide(K, Math.max(1, kPerPart)));
  const uniforms = new Uniforms()
    .u32(M, N, K, batches, parts, kPerPart, batch.sizes.length)
    .axes(batch.sizes, 1)
    .axes(batch.strides[0] ?? [], 0)
    .axes(batch.strides[1] ?? [], 0)
    .bytes();
  const transposes = { TRANSPOSE_A: Number(attributes.transposeA), TRANSPOSE_B: Number(attributes.transposeB) };
  const common = (stages?: Epilogue): string =>
    commonWgsl + (stages ? fillBlock(matmulCommonWgsl, 'epilogue', stages.code) : matmulCommonWgsl);
  const [rows, columns] = technique.tile(product);
  const multiply = (output: Binding, stages?: Epilogue): Launch => ({
    kernel: {
      name: `matmul ${variant}`,
      code: (technique.usesSubgroups ? 'enable subgroups;\n' : '') + common(stages) + technique.code(product),
      entryPoint: technique.entryPoint,
    },
    bindings: [{ input: 0 }, { input: 1 }, output, ...(stages?.bindings ?? [])],
    uniformsAt: UNIFORMS_AT,
    constants: { ...stages?.constants, ...transposes, ...technique.constants?.(product) },
    uniforms,
    workgroups: foldWorkgroups(ceilDivide(M, rows) * ceilDivide(N, columns) * batches * parts),
  });
  if (technique.kPerPart === undefined) return [multiply({ output: 0 }, epilogue)];

  const elements = batches * M * N;
  const addParts: Launch = {
    kernel: {
      name: 'matmul addParts',
      code: common(epilogue) + matmulScalarLoadsWgsl + matmulAddPartsWgsl,
      entryPoint: 'matmulAddParts',
    },
    bindings: [{ scratch: 'read' }, { output: 0, at: C_AT }, ...(epilogue?.bindings ?? [])],
    uniformsAt: UNIFORMS_AT,
    constants: { ...epilogue?.constants },
    uniforms,
    workgroups: foldWorkgroups(ceilDivide(elements, 64)),
  };
  return [{ ...multiply({ scratch: 'write' }), scratchBytes: parts * elements * 4 }, addParts];
}

/** All variants that can compute this product on such an adapter, the default one first. */
export function matmulVariants(
  a: Shape,
  b: Shape,
  attributes: MatmulAttributes,
  target: KernelTarget,
  epilogue?: Epilogue,
): readonly KernelVariant[] {
  const first = variantFor(a, b, attributes, target);
  const others = MATMUL_VARIANTS.filter(
    (variant) => variant !== first && offersVariant(a, b, attributes, variant, target),
  );
  return [first, ...others].map((variant) => ({
    name: variant,
    launches: matmulLaunches(a, b, attributes, variant, epilogue),
  }));
}

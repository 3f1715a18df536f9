import { ceilDivide, type GpuFamily, type KernelTarget } from '../../graph/launch.js';
import { sizeOf } from '../../shape.js';
import { LONG_PARTS } from './matmul-common.js';
import { exceedsSixteen, isHalfFull, isSmallProduct, isSomething, type Product, tilesOf } from './matmul-product.js';
import { type MatmulVariant, TECHNIQUES } from './matmul-techniques.js';

/** Whether a variant can compute this product on such an adapter. */
export function offersVariant(product: Product, variant: MatmulVariant, target: KernelTarget): boolean {
  const {
    width,
    features = [],
    suits = () => true,
    gathers = false,
    workgroupBytes = () => 0,
    offers = () => true,
  } = TECHNIQUES[variant];
  return (
    (gathers || product.gathered === undefined) &&
    features.every((feature) => target.features.has(feature)) &&
    suits(target) &&
    workgroupBytes(product) <= target.limits.maxComputeWorkgroupStorageSize &&
    (!product.storesFloat16 || width(product) === 4) &&
    offers(product)
  );
}

/** A tile, and how many workgroups there must be for it to be taken. */
interface Tile {
  readonly variant: MatmulVariant;
  readonly rows: number;
  readonly columns: number;
  readonly workgroups: number;
  /** Where K is split: the fewest steps of a part, each of which has workgroups of its own. */
  readonly steps?: number;
  /** Whether it is for operands alone that are gathered, of which each number costs more to load. */
  readonly isForGathered?: boolean;
}

const LARGE: Tile = { variant: 'tiled128x64', rows: 128, columns: 64, workgroups: 128 };
const MEDIUM: Tile = { variant: 'tiled64x64', rows: 64, columns: 64, workgroups: 128 };
const DEEP: Tile = { variant: 'deep64x64', rows: 64, columns: 64, workgroups: 64 };
const SPLIT: Tile = { variant: 'split64x64', rows: 64, columns: 64, workgroups: 256, steps: LONG_PARTS.steps };
const NARROW: Tile = { variant: 'tiled64x32', rows: 64, columns: 32, workgroups: 64 };

/** Where K is split, so that there are more workgroups than tiles. */
interface Splits {
  /** Of fewer tiles of 32 x 32 than these. */
  readonly tiles: number;
  /** By tiles of 64 x 32: of so many steps of K or more, and so many rows and columns. */
  readonly tall: { readonly K: number; readonly rows: number; readonly columns: number };
}

const REASONED_SPLITS: Splits = { tiles: 64, tall: { K: 2048, rows: 64, columns: 64 } };

/**
 * NVIDIA's are measured, on an H200 with its 132 multiprocessors (docs/benchmarks.md): 49 rows of 1024 columns, K = 1024, take
 * 43 µs by tiles of 32 x 32, 29 in parts of those and 21 in parts of 64 x 32; of 512 columns with K = 4608, gathered, 855, 224
 * and 132; 784 rows of 128 with K = 1152, gathered, 66, 50 and 49; and 32 rows of 200 with K = 2352 are better off with 32 x 32, 15 for 17.
 */
const SPLITS: Readonly<Record<GpuFamily, Splits>> = {
  amd: REASONED_SPLITS,
  nvidia: { tiles: 129, tall: { K: 1024, rows: 33, columns: 32 } },
  apple: REASONED_SPLITS,
  intel: REASONED_SPLITS,
  arm: REASONED_SPLITS,
  qualcomm: REASONED_SPLITS,
  unknown: REASONED_SPLITS,
};

/**
 * The tiles to choose from, the largest first, by who made the GPU. A larger tile reads less (flop/B in the head of
 * kernels/matmul/matmul_tiled.wgsl), as long as each core gets some workgroups and compilers have registers for it;
 * multiply-adds of an invocation against instructions of the inner loop, and spills, are those of docs/hardware.md.
 */
const TILES: Readonly<Record<GpuFamily, readonly Tile[]>> = {
  // 8 x 4 an invocation: 128 of 155 to 158 instructions, 72 to 84 registers, 16 to 20 waves a SIMD.
  // K is split where these leave cores without work: of two waves a workgroup, 128 workgroups are 1.3 waves for each SIMD of a
  // Radeon RX 7900, 768 are 8, as many as fit.
  amd: [LARGE, MEDIUM, SPLIT],
  // Measured on an H200: of 1024 and 2048 a side, 103 and 583 µs with 64 x 64, 125 and 714 with 128 x 64, whose 256 invocations of
  // some 100 registers leave a multiprocessor two workgroups; 196 tiles of 64 x 64 take 21, 392 of 64 x 32 19. Of gathered operands
  // it is the larger one: 3 x 3, batch 32, 784 tiles of 64 channels at 56 x 56 take 247 µs, by 64 x 64 267; 392 of 128 at 28 x 28
  // 266 and 306; but 196 of 256 at 14 x 14 345 and 291. K in parts: gradients of these weights take 239, 229 and 246 µs by
  // `split64x64` (parts for 384 workgroups: 260, 242, 277), 629 and 645 by `split64x32`, 417 by `tiled64x32`; and 512 channels at
  // 7 x 7, 200 tiles of 64 x 64, 315 and 439.
  nvidia: [
    { ...LARGE, workgroups: 384, isForGathered: true },
    { ...MEDIUM, workgroups: 256 },
    SPLIT,
    { ...NARROW, workgroups: 256 },
  ],
  // No compiler to ask; 8 x 4 holds 32 sums and 20 numbers of the strips, of the 128 registers with half of the threads.
  apple: [LARGE, MEDIUM],
  // 64 floats an invocation at SIMD16: 8 x 4 spills in the inner loop for transposed A (32 accesses), 4 x 4 never: 64 of 86.
  intel: [DEEP, NARROW],
  // 64 registers with half of the threads (Mali), and workgroup memory that is ordinary memory: 4 x 4, and tiles that are few.
  arm: [NARROW],
  qualcomm: [NARROW],
  // What spills nowhere and fits WebGPU's own limits.
  unknown: [NARROW],
};

/** With no more rows or columns than these a product takes the thin kernel: the tiles would be mostly empty. */
const FEW_COLUMNS = 8;
/**
 * Makers of GPUs with registers for the thin kernel where it reads patches: 60 to 97 an invocation on AMD and NVIDIA; Intel's
 * compiler stores some in the inner loop.
 */
const THIN_PATCHES: ReadonlySet<GpuFamily> = new Set(['amd', 'nvidia', 'apple']);
/** From so many columns on, neighbouring invocations store a row of C together. */
const FEWEST_COLUMNS = 32;
/** Workgroups that a product should at least be divided into, where it can. */
const FEWEST_WORKGROUPS = 16;
/** From so many steps on, K is split where there are few tiles. */
const LONG_K = 512;
/** Workgroups of 64 that can be joined to their neighbours (lib/device/webgpu/joining). */
const FEW_WORKGROUPS = 32;

/**
 * The variant that is taken where nothing was measured.
 *
 * On hardware by reasoning: see TILES; where even the smallest tile gives few workgroups and K is long, K is split. On
 * adapters that run on the CPU by measuring (docs/architecture.md): invocations are lanes of SIMD registers there,
 * workgroup memory gains nothing, and what counts is that lanes read consecutive elements. Small products take the kernel
 * without barriers, which can be joined to its neighbours: with the thin one MyNet's step takes SwiftShader 18.0 ms in
 * place of 17.2.
 */
export function variantFor(product: Product, target: KernelTarget): MatmulVariant {
  const first = variantOfAny(product, target);
  if (!product.storesFloat16 || offersVariant(product, first, target)) return first;
  const byFours: readonly MatmulVariant[] = target.isSoftware ? ['quad', 'direct'] : ['split32x32'];
  return byFours.find((variant) => offersVariant(product, variant, target)) ?? 'tiled32x32';
}

/** The same, whatever becomes of C. */
function variantOfAny(product: Product, target: KernelTarget): MatmulVariant {
  if (product.gathered) return gatheringVariant(product, target);
  const { M, N, K } = product.sizes;
  if (offersVariant(product, 'shallow', target) && N >= FEWEST_COLUMNS) return 'shallow';
  if (target.isSoftware) {
    if (isSmallProduct(product) && tilesOf(product, ...TECHNIQUES.naive.tile(product)) <= FEW_WORKGROUPS)
      return 'naive';
    if (!target.features.has('subgroups')) return 'direct';
    if (takesOctet(product, target)) return 'octet';
    const { A, B, C } = product.inQuads;
    return A && B && C ? quadFor(product, target) : 'broadcast';
  }
  if (!isSomething(product)) return 'naive';
  if (Math.min(M, N) <= FEW_COLUMNS) return 'thin';
  const filling = fillingTile(product, target);
  if (filling) return filling;
  const split = K >= LONG_K ? splitVariant(product, target) : undefined;
  return split ?? (tilesOf(product, 32, 32) < FEWEST_WORKGROUPS ? 'thin' : 'tiled32x32');
}

/**
 * Multiply-adds from which on larger squares are worth what they take to compile: 0.3 s more, for 15 to 30 % of the time, on a
 * loaded machine with SwiftShader.
 */
const LARGE_PRODUCT = 2 ** 23;

/**
 * The tiles that four invocations compute together: large ones load half as much. Five of 40 rows in place of seven of 32 take
 * MyNet's step 20.5 ms of CPU time for 21.5 on SwiftShader.
 */
function quadFor(product: Product, target: KernelTarget): MatmulVariant {
  const { M, N, K, batchShape } = product.sizes;
  const isLarge = sizeOf(batchShape) * M * N * K >= LARGE_PRODUCT;
  if (!isLarge || !offersVariant(product, 'quad32x32', target)) return 'quad';
  return 40 * ceilDivide(M, 40) <= 0.9 * 32 * ceilDivide(M, 32) ? 'quad40x32' : 'quad32x32';
}

/**
 * Whether eight invocations compute squares together. On lavapipe they take 0.6 of the time of the next best one of 49 rows,
 * half of it of 509 and more; of 16 rows or columns, where half of a square is empty, 1.07 to 1.1.
 */
function takesOctet(product: Product, target: KernelTarget): boolean {
  return exceedsSixteen(product) && offersVariant(product, 'octet', target);
}

/** The largest tile of which there are enough, and which is not mostly empty. */
function fillingTile(product: Product, target: KernelTarget): MatmulVariant | undefined {
  return TILES[target.family].find(
    (tile) =>
      workgroupsOf(product, tile) >= tile.workgroups &&
      (product.gathered !== undefined || !tile.isForGathered) &&
      isHalfFull(product, tile.rows, tile.columns) &&
      offersVariant(product, tile.variant, target),
  )?.variant;
}

function workgroupsOf(product: Product, { rows, columns, steps }: Tile): number {
  return tilesOf(product, rows, columns) * (steps === undefined ? 1 : Math.floor(product.sizes.K / steps));
}

/** K in parts, where there are few tiles; undefined where there are enough, or K has not so many parts. */
function splitVariant(product: Product, target: KernelTarget): MatmulVariant | undefined {
  const { tiles, tall } = SPLITS[target.family];
  if (tilesOf(product, 32, 32) >= tiles) return undefined;
  const { M, N, K } = product.sizes;
  const isTall = K >= tall.K && M >= tall.rows && N >= tall.columns;
  const variants: readonly MatmulVariant[] = isTall ? ['split64x32', 'split32x32'] : ['split32x32'];
  return variants.find((variant) => offersVariant(product, variant, target));
}

/**
 * The same for products of operands that are gathered, which not all techniques can read. K is split earlier: the few tiles
 * of a weight's gradient have all places of all pictures to sum, and 16 workgroups are more than fill a GPU's cores.
 */
function gatheringVariant(product: Product, target: KernelTarget): MatmulVariant {
  if (takesOctet(product, target)) return 'octet';
  if (target.isSoftware && offersVariant(product, 'quad', target)) return quadFor(product, target);
  const { M, N } = product.sizes;
  if (Math.min(M, N) <= FEW_COLUMNS && THIN_PATCHES.has(target.family) && offersVariant(product, 'thin', target))
    return 'thin';
  const filling = fillingTile(product, target);
  if (filling) return filling;
  const isLong = product.sizes.K >= LONG_K || tilesOf(product, 32, 32) < FEWEST_WORKGROUPS;
  return (isLong ? splitVariant(product, target) : undefined) ?? 'tiled32x32';
}

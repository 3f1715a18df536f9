import {
  matmulBlocksWgsl,
  matmulBroadcastWgsl,
  matmulDirectWgsl,
  matmulNaiveWgsl,
  matmulOctetWgsl,
  matmulQuadLoadsWgsl,
  matmulQuadWgsl,
  matmulScalarLoadsWgsl,
  matmulShallowWgsl,
  matmulVec4LoadsWgsl,
  matmulVectorWgsl,
} from '../../generated/wgsl.js';
import { ceilDivide, fillBlock } from '../../graph/launch.js';
import { fillTemplate } from '../../graph/template.js';
import { exceedsSixteen, isSomething, type Product } from './matmul-product.js';
import { constantsText, either, LONG_PARTS, storesOf, type Technique, type Width } from './matmul-common.js';
import { matrices } from './matmul-matrices.js';
import { thinTechnique } from './matmul-thin.js';
import { split, tiled, TILE_32X32, TILE_64X32, TILE_64X64 } from './matmul-tiled.js';

/** The ways to compute a product on a GPU. */
export const MATMUL_VARIANTS = [
  'naive',
  'direct',
  'broadcast',
  'quad',
  'quad32x32',
  'quad40x32',
  'octet',
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
  'split64x64',
  'matrices8x8x8',
  'matrices8x16x16',
  'matrices16x16x16',
  'matrices16x16x16By64',
] as const;

/** A way to compute a product on a GPU, named for its technique. */
export type MatmulVariant = (typeof MATMUL_VARIANTS)[number];

/** Steps of K that a kernel sums that has no parts for other reasons: a chain of blocks, each a chain of 256. */
const LONGEST_SUM = 2 ** 16;

/** Parts of K that keep sums accurate: one where there is nothing to sum. */
function partsOfLongSums({ sizes: { K } }: Product): number {
  return Math.max(1, ceilDivide(K, LONGEST_SUM));
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
 * Invocations of a workgroup of the kernels that use subgroups, each with so many columns: the most that leave no more than
 * this share of the tiles' columns empty.
 */
function lanesFor({ sizes: { N } }: Product, columns: number, mostEmpty: number): number {
  const isFilled = (lanes: number): boolean =>
    N >= (1 - mostEmpty) * (columns * lanes) * ceilDivide(N, columns * lanes);
  return [64, 32, 16, 8].find(isFilled) ?? 4;
}

/** The columns behind C that hold the sums: a whole quad, so that rows of parts stay aligned. */
export const SUM_COLUMNS = 4;

/** How the quad kernel reads an operand. */
function quadLoadsOf(operand: 'A' | 'B', { inQuads, gathered }: Product): string {
  const loads = gathered?.[operand]?.quadLoads ?? matmulQuadLoadsWgsl;
  const texts = {
    X: operand,
    OUTER: operand === 'A' ? 'M' : 'N',
    ALONG: operand === 'A' ? 'false' : 'true',
  };
  return fillTemplate(loads, either(inQuads[operand], 'QUADS', 'NUMBERS'), texts);
}

const numbers = () => ({ A: false, B: false });
const isAligned = ({ inQuads: { A, B, C } }: Product): boolean => A && B && C;
const allQuads = (product: Product) => ({ A: isAligned(product), B: isAligned(product) });
const widthOfAll = (product: Product): Width => (isAligned(product) ? 4 : 1);

/** Steps of K that the kernels which read straight from storage sum at once: BLOCK in kernels/matmul/matmul_common.wgsl. */
const BLOCK = 256;

/** What the kernels share whose invocations load both operands between them, straight from storage. */
function subgroupTechnique(own: Pick<Technique, 'code' | 'entryPoint' | 'tile'> & Partial<Technique>): Technique {
  return {
    readsQuads: ({ inQuads }) => inQuads,
    width: ({ inQuads }) => (inQuads.C ? 4 : 1),
    sumColumns: SUM_COLUMNS,
    features: ['subgroups'],
    gathers: true,
    parts: partsOfLongSums,
    suitsSoftware: true,
    ...own,
    code: (product, isOneBlock) =>
      quadLoadsOf('A', product) + quadLoadsOf('B', product) + storesOf(product) + own.code(product, isOneBlock),
    constants: (product) => ({
      IS_ONE_BLOCK: Number(product.sizes.K <= BLOCK),
      HAS_REST: Number(product.sizes.K % 4 !== 0),
      ...own.constants?.(product),
    }),
  };
}

/** The kernel in which four invocations load a row of A between them, for squares of 16 or 32 elements of C, or 8 rows more. */
function quad(side: 1 | 2, halves: 0 | 1 = 0): Technique {
  const lanes = (product: Product): number => lanesFor(product, 4 * side, 1 / 16);
  return subgroupTechnique({
    code({ sizes: { K } }) {
      const fours = K % 8 === 0 ? 2 : 1;
      const template = fillBlock(matmulQuadWgsl, 'tile', constantsText({ SIDE: side, HALVES: halves, FOURS: fours }));
      return fillTemplate(template, { SIDE: side, HALVES: halves, FOURS: fours, SECONDS: fours - 1 });
    },
    entryPoint: 'matmulQuad',
    tile: (product) => [16 * side + 8 * halves, 4 * side * lanes(product)],
    constants: (product) => ({ LANES: lanes(product) }),
    offers: (product) =>
      (product.gathered !== undefined || isAligned(product)) && (side === 1 || exceedsSixteen(product)),
  });
}

/** The kernel in which eight invocations load a strip of A between them. */
const octet = subgroupTechnique({
  code: () => fillTemplate(matmulOctetWgsl, {}),
  entryPoint: 'matmulOctet',
  tile: () => [32, 32],
  suits: ({ isSoftware, subgroupSize }) => isSoftware && subgroupSize === 8,
});

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
    tile: (product) => [8, 4 * lanesFor(product, 4, 1 / 8)],
    sumColumns: SUM_COLUMNS,
    constants: (product) => ({ LANES: lanesFor(product, 4, 1 / 8) }),
    features: ['subgroups'],
    parts: partsOfLongSums,
    suitsSoftware: true,
  },
  quad: quad(1),
  quad32x32: quad(2),
  quad40x32: quad(2, 1),
  octet,
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
  thin: thinTechnique,
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
  tiled64x64: tiled(TILE_64X64),
  deep64x64: tiled({ tile: [64, 64], invocation: [4, 4], depth: 32 }),
  tiled128x64: tiled({ tile: [128, 64], invocation: [8, 4], depth: 16 }),
  prefetch128x64: tiled({ tile: [128, 64], invocation: [8, 4], depth: 16, prefetches: true }),
  split32x32: split(TILE_32X32),
  split64x32: split(TILE_64X32),
  split64x64: split(TILE_64X64, LONG_PARTS),
  matrices8x8x8: matrices([8, 8, 8], 32), // Apple; lavapipe, whose subgroups are 8
  matrices8x16x16: matrices([8, 16, 16], 32), // Intel
  matrices16x16x16: matrices([16, 16, 16], 32), // NVIDIA
  matrices16x16x16By64: matrices([16, 16, 16], 64), // AMD
};

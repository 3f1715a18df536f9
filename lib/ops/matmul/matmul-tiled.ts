import { matmulStripWgsl, matmulTiledWgsl } from '../../generated/wgsl.js';
import { fillBlock } from '../../graph/launch.js';
import { fillTemplate } from '../../graph/template.js';
import { isSomething, type Product, tilesOf } from './matmul-product.js';
import {
  CHAIN,
  constantsText,
  either,
  loadsOf,
  partsFor,
  SHORT_PARTS,
  storesOf,
  type Technique,
} from './matmul-common.js';

/** The sizes of a tiled kernel: of the tile of a workgroup, of what an invocation computes of it, and along k. */
interface Tiling {
  readonly tile: readonly [rows: number, columns: number];
  readonly invocation: readonly [rows: number, columns: number];
  readonly depth: number;
  /** Whether a strip is loaded while the one before is multiplied. Default false. */
  readonly prefetches?: boolean;
}

export const TILE_32X32: Tiling = { tile: [32, 32], invocation: [4, 4], depth: 32 };
export const TILE_64X32: Tiling = { tile: [64, 32], invocation: [4, 4], depth: 32 };
export const TILE_64X64: Tiling = { tile: [64, 64], invocation: [8, 4], depth: 16 };

/** The tiled kernel for such tiles. */
export function tiled({ tile: [rows, columns], invocation, depth, prefetches = false }: Tiling): Technique {
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
      storesOf(product, !isOneBlock) +
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
    gathers: true,
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
export function split(tiling: Tiling, division = SHORT_PARTS): Technique {
  const parts = (product: Product): number => partsFor(product, tilesOf(product, ...tiling.tile), division);
  return { ...tiled(tiling), parts, offers: (product) => isSomething(product) && parts(product) > 1 };
}

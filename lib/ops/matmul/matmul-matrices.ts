import { matmulSubgroupMatrixWgsl } from '../../generated/wgsl.js';
import { fillBlock } from '../../graph/launch.js';
import { fillTemplate } from '../../graph/template.js';
import { CHAIN, constantsText, either, loadsOf, storesOf, type Technique } from './matmul-common.js';
import { isSomething } from './matmul-product.js';

const [TILE, DEPTH, SUBGROUPS_A_SIDE] = [64, 32, 2];
/** f16 by which a row of a strip is longer than it need be. */
const ROW_GAP = 8;

/**
 * The kernel of subgroup matrices (kernels/matmul/matmul_subgroup_matrix.wgsl) for units that multiply M x K by K x N, and
 * for subgroups of so many invocations at most.
 */
export function matrices(sizes: readonly [M: number, N: number, K: number], subgroup: number): Technique {
  const [M, N, K] = sizes;
  const invocations = SUBGROUPS_A_SIDE ** 2 * subgroup;
  const tileText = constantsText({
    TILE_ROWS: TILE,
    TILE_COLUMNS: TILE,
    DEPTH,
    MATRIX_M: M,
    MATRIX_N: N,
    MATRIX_K: K,
    SUBGROUPS_M: SUBGROUPS_A_SIDE,
    SUBGROUPS_N: SUBGROUPS_A_SIDE,
    SUBGROUP: subgroup,
    CHAIN,
  });
  const loads = (TILE * DEPTH) / 4 / invocations;
  return {
    features: ['subgroups', 'shader-f16', 'chromium-experimental-subgroup-matrix'],
    code: (product, isOneBlock) =>
      loadsOf('A', product, TILE) +
      loadsOf('B', product, TILE) +
      storesOf(product, !isOneBlock) +
      fillTemplate(
        fillBlock(matmulSubgroupMatrixWgsl, 'tile', tileText),
        {
          LOADS_A: loads,
          LOADS_B: loads,
          ROW_BLOCKS: TILE / SUBGROUPS_A_SIDE / M,
          COLUMN_BLOCKS: TILE / SUBGROUPS_A_SIDE / N,
          ...either(isOneBlock, 'ONE_BLOCK', 'MANY_BLOCKS'),
        },
        {
          MAJOROFA: product.attributes.transposeA ? 'col_major' : 'row_major',
          MAJOROFB: product.attributes.transposeB ? 'col_major' : 'row_major',
        },
      ),
    entryPoint: 'matmulSubgroupMatrix',
    readsQuads: ({ inQuads }) => inQuads,
    width: ({ inQuads }) => (inQuads.C ? 4 : 1),
    tile: () => [TILE, TILE],
    sumColumns: 0,
    workgroupBytes: () => 2 * 2 * TILE * (DEPTH + ROW_GAP) + 4 * SUBGROUPS_A_SIDE ** 2 * M * N,
    block: CHAIN,
    offers: (product) =>
      isSomething(product) && product.dtypes.A === 'f16' && product.dtypes.B === 'f16' && !product.hasSums,
    suits: ({ subgroupMatrices }) =>
      subgroupMatrices !== undefined &&
      subgroupMatrices.subgroup === subgroup &&
      subgroupMatrices.sizes.some((offered) => offered.every((size, axis) => size === sizes[axis])),
  };
}

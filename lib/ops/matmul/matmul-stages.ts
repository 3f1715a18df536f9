import type { Chain } from '../../fusion/chain.js';
import { type Glue, glueOf, type Spot } from '../../fusion/glue.js';
import type { TensorSpec } from '../../graph/operation.js';
import { type Beside, STAGES_AT, WORDS } from './matmul-kernels.js';
import type { Product } from './matmul-product.js';

/** The outputs of a product: C, and the sums over k of op(A), where they are computed beside it. */
export const [PRODUCT, SUMS] = [0, 1] as const;

/** What of a chain its product must know. */
export function besidesOf({ sites }: Chain): Pick<Product, 'hasSums' | 'storesFloat16'> {
  return {
    hasSums: sites.length > SUMS,
    storesFloat16: sites[PRODUCT]?.some(({ stage }) => stage.stores === 'f16') === true,
  };
}

/** Rows and columns of all of C, and how many sums there are beside it. */
interface StagedSizes {
  readonly rows: number;
  readonly columns: number;
  readonly sums: number;
}

/** The stages of a chain on a product: on C and, where the chain has that site, on the sums beside it. */
export function productStages(
  chain: Chain,
  inputs: readonly TensorSpec[],
  { rows, columns, sums }: StagedSizes,
): Pick<Beside, 'stages'> {
  const product: Spot = {
    site: PRODUCT,
    put: 'putC(given: Element, row: u32, column: u32)',
    index: 'row * size.N + column',
    count: rows * columns,
    coordinates: [
      { inner: 1, size: columns, spelled: 'column' },
      { inner: columns, size: rows, spelled: 'row' },
    ],
  };
  const besides: Spot = { site: SUMS, put: 'putSum(given: f32, row: u32)', index: 'row', count: sums, isSingle: true };
  const hasSums = chain.sites.length > SUMS;
  if (!hasSums && chain.sites[PRODUCT]?.length === 0) return {};
  const stages = (width: 1 | 4): Glue => {
    const spots = hasSums ? [product, besides] : [product];
    const printed = glueOf(chain, inputs, spots, { width, firstBinding: STAGES_AT, words: WORDS });
    return hasSums ? printed : { ...printed, code: `${printed.code}\nfn putSum(given: f32, row: u32) {\n}` };
  };
  return { stages };
}

import type { KernelTarget, KernelVariant, Launch } from '../../graph/launch.js';
import { variantFor } from '../matmul/matmul-choice.js';
import { type Beside, productLaunches, triedVariants } from '../matmul/matmul-kernels.js';
import type { Product } from '../matmul/matmul-product.js';

/** The launches that the table of sizes says, for each product by its own variant. */
export function conv2dLaunches(products: readonly Product[], target: KernelTarget, beside: Beside): readonly Launch[] {
  return products.flatMap((product) => productLaunches(product, variantFor(product, target), beside));
}

/**
 * The ways to compute a convolution by these products: first the one that the table of sizes says, for each product its own
 * variant, then each variant that all of them could be fastest by.
 */
export function conv2dVariants(
  products: readonly Product[],
  target: KernelTarget,
  beside: Beside,
): readonly [KernelVariant, ...KernelVariant[]] {
  const first: KernelVariant = {
    name: [...new Set(products.map((product) => variantFor(product, target)))].join(', '),
    launches: conv2dLaunches(products, target, beside),
  };
  const tried = products.map((product) => triedVariants(product, target));
  const others = (tried[0] ?? []).filter(
    (variant) => variant !== first.name && tried.every((variants) => variants.includes(variant)),
  );
  return [
    first,
    ...others.map((variant) => ({
      name: variant,
      launches: products.flatMap((product) => productLaunches(product, variant, beside)),
    })),
  ];
}

import { ceilDivide } from '../../graph/launch.js';
import { axisSize, type Shape, sizeOf } from '../../shape.js';
import { type MatmulAttributes, sizesOf } from './matmul-sizes.js';

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

/** Tiles of C. */
export function tilesOf({ sizes: { M, N, batchShape } }: Product, rows: number, columns: number, more = 0): number {
  return ceilDivide(M, rows) * ceilDivide(N + more, columns) * sizeOf(batchShape);
}

/** Whether something is multiplied at all. */
export function isSomething({ sizes: { M, N, K } }: Product): boolean {
  return Math.min(M, N, K) > 0;
}

/** Multiply-adds that one workgroup computes in less time than a launch takes. */
const SMALL_PRODUCT = 2 ** 16;

/** Whether one workgroup is enough for it. */
export function isSmallProduct({ sizes: { M, N, K, batchShape } }: Product): boolean {
  return sizeOf(batchShape) * M * N * K <= SMALL_PRODUCT;
}

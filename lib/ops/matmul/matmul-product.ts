import { ceilDivide } from '../../graph/launch.js';
import type { DType, TensorSpec } from '../../graph/operation.js';
import { axisSize, sizeOf } from '../../shape.js';
import { type MatmulAttributes, sizesOf } from './matmul-sizes.js';

/** How an operand that is no matrix in memory is read, such as the patches of a picture. */
export interface Gather {
  /** A template in place of kernels/matmul/matmul_loads.wgsl. */
  readonly loads?: string;
  /** A template in place of kernels/matmul/matmul_quad_loads.wgsl. */
  readonly quadLoads?: string;
  /** WGSL: which stored row is `row`. Left out: that of this number. */
  readonly place?: string;
}

/** What of a product is no matrix in memory. */
export interface Gathered {
  readonly A?: Gather;
  readonly B?: Gather;
  /** In place of the block `rows` of kernels/matmul/matmul_common.wgsl, where only some rows of a result are computed. */
  readonly rows?: string;
  /** What these have in common, and its overrides. */
  readonly head: string;
  readonly constants: Readonly<Record<string, number>>;
}

/** What a technique needs to know of a product. */
export interface Product {
  /** The operation, for messages. */
  readonly name: string;
  readonly sizes: ReturnType<typeof sizesOf>;
  readonly attributes: MatmulAttributes;
  readonly dtypes: { readonly A: DType; readonly B: DType };
  /** Which of the operation's inputs A and B are. */
  readonly inputs: { readonly A: number; readonly B: number };
  /** Whether the contiguous axes of A, B and C are multiples of 4: vec4 loads and stores. */
  readonly inQuads: { readonly A: boolean; readonly B: boolean; readonly C: boolean };
  /** Whether the sums over k of op(A) are computed, too; A is transposed then. */
  readonly hasSums: boolean;
  /** C is stored as 16-bit floats, of which two share a word: by fours only. */
  readonly storesFloat16: boolean;
  /** Left out: A, B and C are matrices. */
  readonly gathered?: Gathered;
}

/** A product of matrices of these shapes. */
export function productOf(
  a: TensorSpec,
  b: TensorSpec,
  attributes: MatmulAttributes,
  { hasSums = false, storesFloat16 = false }: Partial<Pick<Product, 'hasSums' | 'storesFloat16'>> = {},
): Product {
  const sizes = sizesOf(a.shape, b.shape, attributes);
  const isInQuads = (size: number): boolean => size % 4 === 0;
  const inQuads = { A: isInQuads(axisSize(a.shape, -1)), B: isInQuads(axisSize(b.shape, -1)), C: isInQuads(sizes.N) };
  const dtypes = { A: a.dtype, B: b.dtype };
  return { name: 'matmul', sizes, attributes, dtypes, inputs: { A: 0, B: 1 }, inQuads, hasSums, storesFloat16 };
}

/** Tiles of C. */
export function tilesOf({ sizes: { M, N, batchShape } }: Product, rows: number, columns: number, more = 0): number {
  return ceilDivide(M, rows) * ceilDivide(N + more, columns) * sizeOf(batchShape);
}

/** Whether a tile is not mostly beyond C. */
export function isHalfFull({ sizes: { M, N } }: Product, rows: number, columns: number): boolean {
  return rows <= 2 * M && columns <= 2 * N;
}

/** Whether squares of 16 elements of C would be more than one along either axis. */
export function exceedsSixteen({ sizes: { M, N } }: Product): boolean {
  return Math.min(M, N) > 16;
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

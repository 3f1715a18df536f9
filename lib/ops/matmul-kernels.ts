import {
  commonWgsl,
  matmulCommonWgsl,
  matmulDirectWgsl,
  matmulNaiveWgsl,
  matmulScalarLoadsWgsl,
  matmulTiledWgsl,
  matmulVec4LoadsWgsl,
} from '../generated/wgsl.js';
import {
  type Binding,
  ceilDivide,
  fillBlock,
  foldWorkgroups,
  type KernelTarget,
  type Launch,
  Uniforms,
} from '../graph/launch.js';
import { type Shape, sizeOf } from '../shape.js';
import { type MatmulAttributes, sizesOf } from './matmul-sizes.js';

/** A way to compute a product on a GPU: a technique, with scalar or with vec4 loads. */
export type MatmulVariant = 'naive' | 'tiled' | 'tiledVec4' | 'direct' | 'directVec4';

interface VariantRow {
  readonly code: string;
  readonly entryPoint: string;
  /** Rows and columns of C that a workgroup computes. */
  readonly tile: readonly [rows: number, columns: number];
}

const TILED = { entryPoint: 'matmulTiled', tile: [64, 64] } as const;
const DIRECT = { entryPoint: 'matmulDirect', tile: [8, 256] } as const;

const VARIANTS: Readonly<Record<MatmulVariant, VariantRow>> = {
  naive: { code: matmulNaiveWgsl, entryPoint: 'matmulNaive', tile: [8, 8] },
  tiled: { ...TILED, code: matmulScalarLoadsWgsl + matmulTiledWgsl },
  tiledVec4: { ...TILED, code: matmulVec4LoadsWgsl + matmulTiledWgsl },
  direct: { ...DIRECT, code: matmulScalarLoadsWgsl + matmulDirectWgsl },
  directVec4: { ...DIRECT, code: matmulVec4LoadsWgsl + matmulDirectWgsl },
};

/**
 * Tiles in workgroup memory for hardware; straight from storage for adapters that run on the CPU, which have no such
 * memory. vec4 loads where every contiguous axis is a multiple of 4, else scalar ones.
 */
export function variantFor(a: Shape, b: Shape, attributes: MatmulAttributes, target: KernelTarget): MatmulVariant {
  const { N } = sizesOf(a, b, attributes);
  const isAligned = [a.at(-1) ?? 0, b.at(-1) ?? 0, N].every((size) => size % 4 === 0);
  if (target.isSoftware) return isAligned ? 'directVec4' : 'direct';
  return isAligned ? 'tiledVec4' : 'tiled';
}

/** What a fused kernel does to each element before it stores it. */
export interface Epilogue {
  /** The block `epilogue` of kernels/matmul_common.wgsl. */
  readonly code: string;
  /** What it reads and writes beside a, b and c. */
  readonly bindings: readonly Binding[];
  readonly constants: Readonly<Record<string, number>>;
}

/** Number of the uniforms' binding in all matmul kernels. */
const UNIFORMS_AT = 3;

/** The launch of one variant. */
export function matmulLaunch(
  a: Shape,
  b: Shape,
  attributes: MatmulAttributes,
  variant: MatmulVariant,
  epilogue?: Epilogue,
): Launch {
  const { M, N, K, batchShape, batch } = sizesOf(a, b, attributes);
  const batches = sizeOf(batchShape);
  const { code, entryPoint, tile } = VARIANTS[variant];
  const sizesAndEpilogue = epilogue ? fillBlock(matmulCommonWgsl, 'epilogue', epilogue.code) : matmulCommonWgsl;
  return {
    kernel: { name: `matmul ${variant}`, code: commonWgsl + sizesAndEpilogue + code, entryPoint },
    bindings: [{ input: 0 }, { input: 1 }, { output: 0 }, ...(epilogue?.bindings ?? [])],
    uniformsAt: UNIFORMS_AT,
    constants: {
      ...epilogue?.constants,
      TRANSPOSE_A: Number(attributes.transposeA),
      TRANSPOSE_B: Number(attributes.transposeB),
    },
    uniforms: new Uniforms()
      .u32(M, N, K, batches, batch.sizes.length)
      .axes(batch.sizes, 1)
      .axes(batch.strides[0] ?? [], 0)
      .axes(batch.strides[1] ?? [], 0)
      .bytes(),
    workgroups: foldWorkgroups(ceilDivide(M, tile[0]) * ceilDivide(N, tile[1]) * batches),
  };
}

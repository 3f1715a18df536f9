import { elementAt } from '../../element-at.js';
import { commonWgsl, conv2dNaiveWgsl } from '../../generated/wgsl.js';
import type { DType } from '../../graph/operation.js';
import { ceilDivide, foldWorkgroups, type Launch, Uniforms } from '../../graph/launch.js';
import { operandCode } from '../matmul/matmul-kernels.js';
import type { Conv2dAttributes, Conv2dSizes } from './conv2d-sizes.js';

const ENTRY_POINTS = {
  output: 'conv2dNaive',
  picture: 'conv2dInputGradientNaive',
  weight: 'conv2dWeightGradientNaive',
} as const;

/** The launch that computes one of the three tensors, of so many elements, from the other two. */
export function naiveLaunch(
  computed: keyof typeof ENTRY_POINTS,
  elements: number,
  { N, H, W, C, P, Q, O, R, S }: Conv2dSizes,
  { stride, dilation, padding, groups }: Conv2dAttributes,
  [first, second]: readonly [DType, DType],
): Launch {
  const entryPoint = ENTRY_POINTS[computed];
  const code = commonWgsl + operandCode('A', first) + operandCode('B', second) + conv2dNaiveWgsl;
  return {
    kernel: { name: entryPoint, code, entryPoint },
    constants: {
      KERNEL_HEIGHT: R,
      KERNEL_WIDTH: S,
      STRIDE_HEIGHT: elementAt(stride, 0),
      STRIDE_WIDTH: elementAt(stride, 1),
      DILATION_HEIGHT: elementAt(dilation, 0),
      DILATION_WIDTH: elementAt(dilation, 1),
      TOP: elementAt(padding, 0),
      LEFT: elementAt(padding, 2),
      GROUPS: groups,
    },
    bindings: [{ input: 0 }, { input: 1 }, { output: 0 }],
    uniforms: new Uniforms().u32(N, H, W, C, P, Q, O).bytes(),
    workgroups: foldWorkgroups(ceilDivide(elements, 64)),
  };
}

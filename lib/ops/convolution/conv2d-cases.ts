import type { Conv2dAttributes } from './conv2d-sizes.js';
import { weightShape } from './conv2d-sizes.js';
import { type Pair, type WindowOptions, pairOf, windowOf, windowsIn } from './window.js';
import type { DType } from '../../graph/operation.js';
import type { Shape } from '../../shape.js';

/** A convolution to test or to time: a picture [N, H, W, C], how many channels come out, the kernel, the rest. */
type Row = readonly [
  picture: readonly [N: number, H: number, W: number, C: number],
  O: number,
  kernel: Pair,
  options?: WindowOptions & { readonly groups?: number },
];

/** A convolution: the shapes of its three tensors. */
export interface Conv2dCase {
  readonly picture: Shape;
  readonly weight: Shape;
  readonly output: Shape;
  readonly attributes: Conv2dAttributes;
  /** Element types of the two that are given; left out, f32. */
  readonly types?: readonly [DType, DType];
}

const CASES: readonly Row[] = [
  [[1, 1, 1, 1], 1, 1],
  [[2, 5, 7, 3], 4, 3, { padding: 1 }],
  [[1, 6, 5, 4], 8, 3],
  [[2, 9, 8, 3], 5, 3, { stride: 2, padding: 'same' }],
  [[1, 8, 9, 4], 4, 3, { stride: 2, padding: 1 }],
  [[1, 7, 7, 16], 33, 3, { padding: 'same' }],
  [[1, 4, 5, 65], 4, [3, 2], { padding: [1, 0] }],
  [[1, 13, 11, 3], 8, 7, { stride: 2, padding: 3 }],
  [[1, 9, 10, 2], 3, 3, { dilation: 2, padding: [2, 1, 0, 3] }],
  [[1, 7, 8, 5], 6, [3, 2], { stride: [3, 1], dilation: [2, 1], padding: 2 }],
  [[2, 4, 5, 6], 9, 3, { groups: 3, padding: 1 }],
  [[1, 5, 6, 8], 16, 3, { groups: 2, padding: 1, stride: 2 }],
  [[1, 5, 4, 3], 6, 2, { groups: 3 }],
  [[2, 5, 6, 5], 4, 1, { stride: 2 }],
  [[1, 3, 3, 4], 4, 1, { stride: 4, padding: 1 }],
  [[2, 3, 2, 4], 4, [3, 1], { padding: [1, 0] }],
  [[1, 17, 16, 4], 32, 3, { padding: 1 }],
  [[0, 5, 5, 3], 4, 3],
  [[2, 4, 5, 0], 3, 3],
  [[1, 5, 4, 3], 0, 3],
  // Strides and dilations with a divisor in common, or none, so that some pixels meet no window.
  [[2, 11, 9, 4], 8, 3, { stride: 2, dilation: 2, padding: 2 }],
  [[1, 10, 11, 3], 5, 3, { stride: 2, dilation: 3, padding: [3, 2, 1, 4] }],
  [[1, 13, 12, 4], 4, [2, 3], { stride: [4, 3], dilation: [2, 2], padding: 1 }],
  [[1, 9, 14, 8], 4, [4, 1], { stride: [3, 2], dilation: [2, 2], groups: 2 }],
  // By Winograd's tiles on the CPU.
  [[3, 11, 8, 16], 24, 3, { padding: 1 }],
  [[3, 12, 8, 16], 24, 3, { padding: [2, 0, 2, 0] }],
  [[1, 5, 4, 72], 40, 3, { groups: 2, padding: 1 }],
  [[2, 7, 6, 8], 12, [2, 3], { groups: 4, dilation: [2, 1], stride: [1, 3], padding: 2 }],
  [[1, 6, 7, 4], 4, 3, { groups: 2, dilation: 2, stride: 2, padding: 2 }],
];

/** Convolutions of real nets that are no products, of a picture of 224 x 224, or of more: those of ResNet-50 by the size of their input. */
const OF_NETS: Readonly<Record<string, Row>> = {
  resnetConv1: [[1, 224, 224, 3], 64, 7, { stride: 2, padding: 3 }],
  resnet56Conv3x3To64: [[1, 56, 56, 64], 64, 3, { padding: 1 }],
  resnet56Conv3x3To128Stride2: [[1, 56, 56, 128], 128, 3, { stride: 2, padding: 1 }],
  resnet56Conv1x1To512Stride2: [[1, 56, 56, 256], 512, 1, { stride: 2 }],
  resnet28Conv3x3To128: [[1, 28, 28, 128], 128, 3, { padding: 1 }],
  resnet28Conv3x3To256Stride2: [[1, 28, 28, 256], 256, 3, { stride: 2, padding: 1 }],
  resnet28Conv1x1To1024Stride2: [[1, 28, 28, 512], 1024, 1, { stride: 2 }],
  resnet14Conv3x3To256: [[1, 14, 14, 256], 256, 3, { padding: 1 }],
  resnet14Conv3x3To256Of8: [[8, 14, 14, 256], 256, 3, { padding: 1 }],
  resnet14Conv3x3To512Stride2: [[1, 14, 14, 512], 512, 3, { stride: 2, padding: 1 }],
  resnet14Conv1x1To2048Stride2: [[1, 14, 14, 1024], 2048, 1, { stride: 2 }],
  resnet7Conv3x3To512: [[1, 7, 7, 512], 512, 3, { padding: 1 }],
  // ResNeXt-50 (32 x 4d): 4 and 16 channels a group.
  resnext56Conv3x3To128: [[1, 56, 56, 128], 128, 3, { padding: 1, groups: 32 }],
  resnext14Conv3x3To512: [[1, 14, 14, 512], 512, 3, { padding: 1, groups: 32 }],
  // MobileNet's first layer, with the zeros of Keras: below and on the right.
  mobilenetConv1: [[1, 224, 224, 3], 32, 3, { stride: 2, padding: 'same' }],
};

function caseOf([picture, O, kernel, options = {}]: Row): Conv2dCase {
  const { groups = 1, ...window } = options;
  const size = [picture[1], picture[2]] as const;
  const attributes = { ...windowOf(size, pairOf(kernel), window), groups };
  return {
    picture,
    weight: weightShape(picture[3], O, attributes),
    output: [picture[0], ...windowsIn('conv2d', size, attributes), O],
    attributes,
  };
}

/** Those of them that are run with 16-bit floats, too: by fours and one by one, at a stride, in groups. */
const HALF: Readonly<Record<number, readonly [DType, DType]>> = {
  1: ['f16', 'f32'],
  4: ['f16', 'f16'],
  10: ['f32', 'f16'],
  16: ['f16', 'f16'],
};

export const conv2dCases: readonly Conv2dCase[] = CASES.flatMap((row, i) => {
  const types = HALF[i];
  return types ? [caseOf(row), { ...caseOf(row), types }] : [caseOf(row)];
});

/** The same, of sizes that real nets have, each made an operation's own case. */
export function conv2dBenchmarks<T>(use: (benchmark: Conv2dCase) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(OF_NETS).map(([name, row]) => [name, use(caseOf(row))]));
}

import type { Operation } from '../../lib/graph/operation.js';
import { conv2dOperation } from '../../lib/ops/convolution/conv2d-operations.js';
import { depthwiseOperation } from '../../lib/ops/convolution/depthwise-operations.js';
import type { WindowAttributes } from '../../lib/ops/convolution/window.js';
import type { Convolution } from './convolutions.js';

/** Those that are products, and so no benchmarks of a convolution: height and width, channels in and out. */
const POINTWISE: Readonly<Record<string, readonly [size: number, inChannels: number, outChannels: number]>> = {
  resnet56Conv1x1To64: [56, 256, 64],
  resnet28Conv1x1To512: [28, 128, 512],
  resnet14Conv1x1To256: [14, 1024, 256],
  resnet7Conv1x1To2048: [7, 512, 2048],
  mobilenet112Conv1x1To96: [112, 16, 96],
  mobilenet56Conv1x1To144: [56, 24, 144],
  mobilenet28Conv1x1To32: [28, 192, 32],
  mobilenet14Conv1x1To384: [14, 64, 384],
  mobilenet14Conv1x1To96: [14, 576, 96],
  mobilenet7Conv1x1To320: [7, 960, 320],
};

/** Those that are timed also where they take seconds: of each kind one. */
export const SAMPLE: ReadonlySet<string> = new Set([
  'resnet14Conv3x3To256',
  'resnet28Conv1x1To512',
  'mobilenetConv1',
  'mobilenet56Depthwise144',
  'mobilenet56Depthwise144Stride2',
  'mobilenet14Depthwise576',
  'mobilenet56Conv1x1To144',
  'mobilenet14Conv1x1To96',
]);

/** The benchmarks of a room, without dilation, as all of them are; without those in groups, which the others do not have. */
function benchmarksOf<A extends WindowAttributes & { readonly groups?: number }>(
  operation: Operation<A>,
  isDepthwise: boolean,
): Convolution[] {
  return Object.entries(operation.benchmarks ?? {}).flatMap(([name, { inputs, attributes }]) => {
    const specs = inputs.map(({ shape }) => ({ shape, dtype: 'f32' as const }));
    const [output] = operation.infer(specs, attributes);
    const [picture, weight] = specs;
    const [strideHeight, strideWidth] = attributes.stride;
    const [top, bottom, left, right] = attributes.padding;
    if (!picture || !weight || !output) throw new Error(`${name} is no convolution`);
    if ((attributes.groups ?? 1) > 1) return [];
    return {
      name,
      isDepthwise,
      picture: picture.shape,
      weight: weight.shape,
      output: output.shape,
      stride: [strideHeight ?? NaN, strideWidth ?? NaN],
      padding: [top ?? NaN, bottom ?? NaN, left ?? NaN, right ?? NaN],
    };
  });
}

/** The convolutions of ResNet-50 and MobileNetV2 by name, of one picture of 224 × 224: those of the rooms, and products. */
export const NAMED_CONVOLUTIONS: readonly Convolution[] = [
  ...benchmarksOf(conv2dOperation, false),
  ...Object.entries(POINTWISE).map(([name, [size, inChannels, outChannels]]): Convolution => ({
    name,
    isDepthwise: false,
    picture: [1, size, size, inChannels],
    weight: [outChannels, 1, 1, inChannels],
    output: [1, size, size, outChannels],
    stride: [1, 1],
    padding: [0, 0, 0, 0],
  })),
  ...benchmarksOf(depthwiseOperation, true),
];

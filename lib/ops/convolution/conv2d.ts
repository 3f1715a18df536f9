import { elementAt } from '../../element-at.js';
import { ShapeError } from '../../errors.js';
import { applyOne } from '../../graph/node.js';
import { anything, checkOptions, wholeNumber } from '../../options.js';
import { formatShape, type Shape } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { linear } from '../matmul/linear.js';
import { reshape } from '../moving/reshape.js';
import { transpose } from '../moving/transpose.js';
import { withBias } from './bias.js';
import { conv2dOperation } from './conv2d-operations.js';
import type { Conv2dAttributes } from './conv2d-sizes.js';
import { depthwiseConv2d } from './depthwise.js';
import { WINDOW_RULES, type WindowOptions, windowOf } from './window.js';

/** Options of {@link conv2d}. */
export interface Conv2dOptions extends WindowOptions {
  /** Added to each channel of the output: [out]. Left out: nothing is. */
  readonly bias?: TensorLike | undefined;
  /** Channels are divided into so many groups; a channel of the output sees those of its own group only. Default 1. */
  readonly groups?: number;
}

/** Rules of the options that convolutions have in common. */
export const CONV2D_RULES = { ...WINDOW_RULES, bias: anything, groups: wholeNumber({ min: 1 }) };

/**
 * Convolution of pictures with a window (PyTorch: `F.conv2d`; a cross-correlation, as everywhere):
 *
 *     output[n, p, q, o] = bias[o] + Σ_{r, s, c} weight[o, r, s, c]
 *                          · input[n, p · stride + r · dilation - top, q · stride + s · dilation - left, c]
 *
 * Pictures are [N, height, width, channels]; zeros stand around them (`padding`). The weight is [out, height, width,
 * in / groups]: PyTorch's [out, in / groups, height, width] is made one by `transpose(weight, [0, 2, 3, 1])`. The output has
 * ⌊(size + padding - (window - 1) · dilation - 1) / stride⌋ + 1 places along height and width, and `out` channels. With a
 * window of one place at stride 1 it is a product of matrices, with as many groups as channels {@link depthwiseConv2d}: both
 * have kernels of their own. Channels in other groups are a product for each group.
 *
 * Input and weight may be of type f16; sums are formed in f32, and the output is f32.
 *
 * On WebGPU, where a convolution is a product of matrices, places beside the picture are zeros as any other: under a weight
 * that is NaN or infinite they give NaN, where PyTorch and the CPU leave them out. On the CPU, where most convolutions of 3 x 3 at
 * stride 1 go by Winograd's tiles, what is not finite makes NaN of all 4 x 2 places of a tile whose windows it is in one of,
 * and rounding errors are up to twice those of sums window by window.
 *
 * Throws ShapeError, naming the sizes, where channels do not fit the weight or the groups, or where the window is larger
 * than the padded picture; OptionError for options of other kinds.
 */
export function conv2d(input: TensorLike, weight: TensorLike, options: Conv2dOptions = {}): Tensor {
  checkOptions('conv2d', options, CONV2D_RULES);
  const { bias, groups = 1, ...window } = options;
  const picture = fourAxes('conv2d', 'input', input, '[N, height, width, channels]');
  const filters = fourAxes('conv2d', 'weight', weight, '[out, height, width, in / groups]');
  const attributes = { ...windowOf(sizeIn(picture.shape), sizeIn(filters.shape), window), groups };
  const [O, C] = [elementAt(filters.shape, 0), elementAt(filters.shape, 3)];
  const channels = elementAt(picture.shape, 3);
  // Each channel on its own.
  if (groups > 1 && groups === O && groups === channels && C === 1) {
    const ofChannels = reshape(transpose(filters, [1, 2, 0, 3]), [...attributes.kernel, channels]);
    return withBias('conv2d', () => depthwiseConv2d(picture, ofChannels, window), bias);
  }
  // Each place on its own: the product of a matrix.
  if (isPointwise(attributes) && channels === C) return linear(picture, reshape(filters, [O, C]), bias);
  return withBias('conv2d', () => applyOne(conv2dOperation, [picture, filters], attributes), bias);
}

/** Height and width of a picture or of a window. */
export function sizeIn(shape: Shape): readonly [height: number, width: number] {
  return [elementAt(shape, 1), elementAt(shape, 2)];
}

/** Throws ShapeError unless the operand has four axes. */
export function fourAxes(caller: string, operand: string, value: TensorLike, axes: string): Tensor {
  const tensor = asTensor(caller, operand, value);
  if (tensor.rank === 4) return tensor;
  throw new ShapeError(`${caller}: the ${operand} must be ${axes}, found ${formatShape(tensor.shape)}`);
}

/** Whether a convolution computes each place of a picture from that place alone, by one matrix. */
function isPointwise({ kernel, stride, padding, groups }: Conv2dAttributes): boolean {
  return groups === 1 && [...kernel, ...stride].every((size) => size === 1) && padding.every((size) => size === 0);
}

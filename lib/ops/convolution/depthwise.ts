import { elementAt } from '../../element-at.js';
import { ShapeError } from '../../errors.js';
import { applyOne } from '../../graph/node.js';
import { anything, checkOptions } from '../../options.js';
import { formatShape } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { withBias } from './bias.js';
import { depthwiseOperation } from './depthwise-operations.js';
import { WINDOW_RULES, windowOf, type WindowOptions } from './window.js';

/** Options of {@link depthwiseConv2d}. */
export interface DepthwiseConv2dOptions extends WindowOptions {
  /** Added to each channel of the output: [channels]. Left out: nothing is. */
  readonly bias?: TensorLike;
}

/**
 * Convolution of each channel with a window of its own (PyTorch: `F.conv2d` with as many groups as channels; Keras:
 * `DepthwiseConv2D`):
 *
 *     output[n, p, q, c] = bias[c] + Σ_{r, s} input[n, p · stride + r · dilation - top, q · stride + s · dilation - left, c]
 *                                             · weight[r, s, c]
 *
 * Pictures are [N, height, width, channels]; zeros stand around them (`padding`). The weight is [height, width, channels];
 * files hold PyTorch's [channels, 1, height, width]. Output: [N, ⌊(height + padding - span) / stride⌋ + 1, width alike,
 * channels], span being (height of the window - 1) · dilation + 1.
 *
 * Throws ShapeError, naming the sizes, where the channels of input, weight and bias differ, and where the window is larger than
 * the padded picture; OptionError for options of other kinds.
 */
export function depthwiseConv2d(input: TensorLike, weight: TensorLike, options: DepthwiseConv2dOptions = {}): Tensor {
  checkOptions('depthwiseConv2d', options, { ...WINDOW_RULES, bias: anything });
  const { bias, ...window } = options;
  const picture = asTensor('depthwiseConv2d', 'input', input);
  const filters = asTensor('depthwiseConv2d', 'weight', weight);
  const attributes = windowOf(sizeAt(picture, 1, 4), sizeAt(filters, 0, 3), window);
  return withBias('depthwiseConv2d', () => applyOne(depthwiseOperation, [picture, filters], attributes), bias);
}

/** Height and width of a tensor that has its height on this axis, and so many axes. */
function sizeAt({ shape }: Tensor, axis: number, rank: number): readonly [height: number, width: number] {
  if (shape.length !== rank) {
    throw new ShapeError(
      'depthwiseConv2d: needs an input [N, height, width, channels] and a weight [height, width, channels], ' +
        `found ${formatShape(shape)}`,
    );
  }
  return [elementAt(shape, axis), elementAt(shape, axis + 1)];
}

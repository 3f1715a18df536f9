import { elementAt } from '../../element-at.js';
import { OptionError, ShapeError } from '../../errors.js';
import { applyOne } from '../../graph/node.js';
import { checkOptions, type OptionRule, wholeNumber } from '../../options.js';
import type { Tensor, TensorLike } from '../../tensor.js';
import { withBias } from './bias.js';
import { CONV2D_RULES, type Conv2dOptions, fourAxes, sizeIn } from './conv2d.js';
import { inputGradientOperation } from './conv2d-operations.js';
import { checkChannels } from './conv2d-sizes.js';
import { type Pair, pairOf, spanOf, windowOf } from './window.js';

/** Options of {@link convTranspose2d}. */
export interface ConvTranspose2dOptions extends Conv2dOptions {
  /** Places that the output has more below and on the right: of the sizes that stride makes equal, which one. Default 0. */
  readonly outputPadding?: Pair;
}

const NONE_OR_MORE = wholeNumber({ min: 0 });

/** Of an option `outputPadding`. */
export const outputPaddingRule: OptionRule = {
  expected: 'a whole number of 0 or more, or [height, width]',
  accepts: (value) =>
    NONE_OR_MORE.accepts(value) || (Array.isArray(value) && value.length === 2 && value.every(NONE_OR_MORE.accepts)),
};

/**
 * Transposed convolution (PyTorch: `F.conv_transpose2d`; also called deconvolution): what {@link conv2d} with these options
 * takes to a gradient of its input, as an operation of its own. Each element of the input is spread over a window:
 *
 *     output[n, h, w, o] = bias[o] + Σ input[n, p, q, i] · weight[i, r, s, o]
 *                          over i, r, s, p, q with p · stride + r · dilation - top = h, q alike = w
 *
 * Pictures are [N, height, width, channels]. The weight is [in, height, width, out / groups]: PyTorch's
 * [in, out / groups, height, width] is made one by `transpose(weight, [0, 2, 3, 1])`. Along each axis the output has
 * (size - 1) · stride - padding + (window - 1) · dilation + 1 + outputPadding places; with the padding 'same' size · stride.
 *
 * Throws ShapeError, naming the sizes, where channels do not fit the weight or the groups, or where nothing is left of
 * the output; OptionError for options of other kinds, and for an outputPadding that is not less than the stride.
 */
export function convTranspose2d(input: TensorLike, weight: TensorLike, options: ConvTranspose2dOptions = {}): Tensor {
  checkOptions('convTranspose2d', options, { ...CONV2D_RULES, outputPadding: outputPaddingRule });
  const { bias, groups = 1, outputPadding = 0, stride = 1, padding = 0, dilation = 1 } = options;
  const windows = fourAxes('convTranspose2d', 'input', input, '[N, height, width, channels]');
  const filters = fourAxes('convTranspose2d', 'weight', weight, '[in, height, width, out / groups]');
  const [size, kernel] = [sizeIn(windows.shape), sizeIn(filters.shape)];
  const [strides, more] = [pairOf(stride), pairOf(outputPadding)];
  if (more.some((places, axis) => places >= elementAt(strides, axis)) || (padding === 'same' && more.some(Boolean))) {
    throw new OptionError(
      `convTranspose2d: outputPadding must be less than the stride, and none with the padding 'same', found ${more.join(', ')}`,
    );
  }
  const whole = [0, 1].map((axis) => elementAt(size, axis) * elementAt(strides, axis)) as [number, number];
  const window = windowOf(whole, kernel, { stride, padding, dilation });
  const picture =
    padding === 'same'
      ? whole
      : [0, 1].map((axis) => {
          const spanned =
            (elementAt(size, axis) - 1) * elementAt(strides, axis) +
            spanOf(elementAt(kernel, axis), elementAt(window.dilation, axis));
          const around = elementAt(window.padding, 2 * axis) + elementAt(window.padding, 2 * axis + 1);
          return spanned - around + elementAt(more, axis);
        });
  if (picture.some((places) => places < 1)) {
    throw new ShapeError(
      `convTranspose2d: of ${size.join(' x ')} windows the padding leaves ${picture.join(' x ')} places`,
    );
  }
  const attributes = { ...window, groups, picture };
  checkChannels('convTranspose2d', windows.shape, filters.shape, elementAt(filters.shape, 0));
  return withBias('convTranspose2d', () => applyOne(inputGradientOperation, [windows, filters], attributes), bias);
}

import { OptionError, ShapeError } from '../../errors.js';
import { applyOne } from '../../graph/node.js';
import { checkArgument, checkOptions, list, number, type OptionRule, type OptionRules } from '../../options.js';
import { formatShape } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { padOperation } from './slice.js';

/** Options of {@link pad}. */
export interface PadOptions {
  /** What is put around the input. Default 0. */
  readonly value?: number;
}

const RULES: OptionRules<PadOptions> = { value: number() };

const WIDTH: OptionRule = {
  expected: '[before, behind], two whole numbers of 0 or more',
  accepts: (value) =>
    Array.isArray(value) && value.length === 2 && value.every((count) => Number.isSafeInteger(count) && count >= 0),
};

/** Elements before and behind an axis. */
export type PadWidth = readonly [before: number, behind: number];

/**
 * The input with elements of one value around it: of each axis so many before it and behind it, `widths[axis]`, as NumPy
 * counts them (`np.pad`; PyTorch's `F.pad` counts from the last axis, Keras's `ZeroPadding2D` pads height and width alone).
 * The gradient is the block that the input became.
 *
 *     pad(pictures, [[0, 0], [0, 1], [0, 1], [0, 0]])    // a row of zeros below, a column on the right
 *
 * Throws ShapeError unless there is a width for each axis; OptionError for a width that is no pair of whole numbers of 0 or
 * more, for bad options, and for a value that the input's integers cannot hold.
 */
export function pad(input: TensorLike, widths: readonly PadWidth[], options: PadOptions = {}): Tensor {
  checkArgument('pad', 'widths', widths, list);
  checkOptions('pad', options, RULES);
  const source = asTensor('pad', 'input', input);
  const { value = 0 } = options;
  if (widths.length !== source.rank) {
    throw new ShapeError(
      `pad: ${formatShape(source.shape)} needs ${source.rank} widths [before, behind], one for each axis, found ${widths.length}`,
    );
  }
  for (const width of widths) checkArgument('pad', 'a width', width, WIDTH);
  const { dtype } = source;
  if ((dtype === 'i32' && value !== value >> 0) || (dtype === 'u32' && value !== value >>> 0)) {
    throw new OptionError(`pad: value must be one that ${dtype} holds, found ${value}`);
  }
  return applyOne(padOperation, [source], {
    start: widths.map(([before]) => before),
    shape: source.shape.map((size, axis) => size + (widths[axis]?.[0] ?? 0) + (widths[axis]?.[1] ?? 0)),
    value,
  });
}

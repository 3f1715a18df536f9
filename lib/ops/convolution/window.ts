import { elementAt } from '../../element-at.js';
import { ShapeError } from '../../errors.js';
import { type OptionRule, wholeNumber } from '../../options.js';
import type { Cost } from '../../graph/operation.js';
import { type Shape, sizeOf } from '../../shape.js';

/** A number for both axes, or one for height and one for width. */
export type Pair = number | readonly [height: number, width: number];

/**
 * Zeros around a picture: as many on all sides, `[height, width]` (PyTorch), or `[top, bottom, left, right]`; `'valid'`
 * for none; or `'same'` for so many that the output has ⌈size / stride⌉ places, as Keras counts them: of an odd number the
 * one more stands below and on the right.
 */
export type Padding =
  | number
  | readonly [height: number, width: number]
  | readonly [top: number, bottom: number, left: number, right: number]
  | 'same'
  | 'valid';

/** Where windows lie in a picture. Options of every operation that moves a window over one. */
export interface WindowOptions {
  /** From one window to the next. */
  readonly stride?: Pair;
  /** Default 0, as in PyTorch; Keras calls that 'valid'. */
  readonly padding?: Padding;
  /** From one place of a window to the next. Default 1. */
  readonly dilation?: Pair;
}

/** A window as an operation's attributes hold it; height before width. A type, because attributes need an index. */
export type WindowAttributes = {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** Top, bottom, left, right. */
  readonly padding: readonly number[];
};

const ONE_OR_MORE = wholeNumber({ min: 1 });
const NONE_OR_MORE = wholeNumber({ min: 0 });

/** A {@link Pair} of whole numbers from 1 on. */
export const pairRule: OptionRule = {
  expected: 'a whole number of 1 or more, or [height, width]',
  accepts: (value) => (isList(value, 2) ? value : [value]).every(ONE_OR_MORE.accepts),
};

/** A {@link Padding}. */
export const paddingRule: OptionRule = {
  expected: "a whole number of 0 or more, [height, width], [top, bottom, left, right], 'same' or 'valid'",
  accepts: (value) =>
    value === 'same' ||
    value === 'valid' ||
    (isList(value, 2) || isList(value, 4) ? value : [value]).every(NONE_OR_MORE.accepts),
};

export const WINDOW_RULES = { stride: pairRule, padding: paddingRule, dilation: pairRule };

function isList(value: unknown, length: number): value is readonly unknown[] {
  return Array.isArray(value) && value.length === length;
}

/** Height and width of a {@link Pair}. */
export function pairOf(pair: Pair): readonly [height: number, width: number] {
  return typeof pair === 'number' ? [pair, pair] : pair;
}

/** The window of an operation on pictures of this size; `stride` is what is taken where none is given. */
export function windowOf(
  picture: readonly [height: number, width: number],
  kernel: readonly [height: number, width: number],
  { stride = 1, padding = 0, dilation = 1 }: WindowOptions,
): WindowAttributes {
  const [strides, dilations] = [pairOf(stride), pairOf(dilation)];
  const sides = [0, 1].flatMap((axis) =>
    sidesOf(padding, axis, {
      size: elementAt(picture, axis),
      span: spanOf(elementAt(kernel, axis), elementAt(dilations, axis)),
      stride: elementAt(strides, axis),
    }),
  );
  return { kernel, stride: strides, dilation: dilations, padding: sides };
}

/** Zeros before and behind an axis. */
function sidesOf(
  padding: Padding,
  axis: number,
  { size, span, stride }: { readonly size: number; readonly span: number; readonly stride: number },
): readonly number[] {
  if (padding === 'valid') return [0, 0];
  if (padding === 'same') {
    const all = Math.max((Math.ceil(size / stride) - 1) * stride + span - size, 0);
    return [Math.floor(all / 2), Math.ceil(all / 2)];
  }
  if (typeof padding === 'number') return [padding, padding];
  const sides = padding.length === 4 ? padding : [padding[0], padding[0], padding[1], padding[1]];
  return sides.slice(2 * axis, 2 * axis + 2);
}

/** Places from the first to the last of a window, both included. */
export function spanOf(kernel: number, dilation: number): number {
  return (kernel - 1) * dilation + 1;
}

/**
 * Windows that fit along height and width: ⌊(size + padding - span) / stride⌋ + 1, as PyTorch counts them. In `ceilMode`
 * one more that begins in the picture, or in the padding before it, where the last one leaves some of the picture out.
 * Throws ShapeError, naming the sizes, where a window is larger than the padded picture.
 */
export function windowsIn(
  operation: string,
  picture: Shape,
  { kernel, stride, dilation, padding }: WindowAttributes,
  ceilMode = false,
): readonly [height: number, width: number] {
  const along = (axis: 0 | 1): number => {
    const size = elementAt(picture, axis);
    const before = elementAt(padding, 2 * axis);
    const padded = size + before + elementAt(padding, 2 * axis + 1);
    const step = elementAt(stride, axis);
    const span = spanOf(elementAt(kernel, axis), elementAt(dilation, axis));
    if (span > padded) {
      const name = axis === 0 ? 'height' : 'width';
      throw new ShapeError(
        `${operation}: the window has a ${name} of ${span}, the picture one of ${size}` +
          (padded > size ? `, ${padded} with its padding` : ''),
      );
    }
    const whole = Math.floor((padded - span) / step) + 1;
    return ceilMode && (whole - 1) * step + span < padded && whole * step < size + before ? whole + 1 : whole;
  };
  return [along(0), along(1)];
}

/** The cost of sums of so many products, one for each element of the output. */
export function productsOf(terms: number, output: Shape): Pick<Cost, 'flop' | 'multiplyAdds'> {
  const multiplyAdds = terms * sizeOf(output);
  return { flop: 2 * multiplyAdds, multiplyAdds };
}

/** Sizes of pictures [N, H, W], of windows [P, Q] in each, and of a window [R, S]. */
export type WindowSizes = Readonly<Record<'N' | 'H' | 'W' | 'P' | 'Q' | 'R' | 'S', number>>;

/**
 * Calls `visit` for each place [r, s] of each window [n, p, q] that lies in the picture, and not in what is around it, with
 * the pixel there, the place and the window, each counted row-major:
 *
 *     h = p · stride + r · dilation - top, w = q · stride + s · dilation - left
 */
export function forEachPixelOfWindows(
  { N, H, W, P, Q, R, S }: WindowSizes,
  { stride, dilation, padding }: Pick<WindowAttributes, 'stride' | 'dilation' | 'padding'>,
  visit: (pixel: number, place: number, window: number) => void,
): void {
  const [strideH, strideW] = [elementAt(stride, 0), elementAt(stride, 1)];
  const [dilationH, dilationW] = [elementAt(dilation, 0), elementAt(dilation, 1)];
  const [top, left] = [elementAt(padding, 0), elementAt(padding, 2)];
  for (let n = 0; n < N; n++) {
    for (let p = 0; p < P; p++) {
      for (let q = 0; q < Q; q++) {
        for (let r = 0; r < R; r++) {
          const h = p * strideH + r * dilationH - top;
          if (h < 0 || h >= H) continue;
          for (let s = 0; s < S; s++) {
            const w = q * strideW + s * dilationW - left;
            if (w < 0 || w >= W) continue;
            visit((n * H + h) * W + w, r * S + s, (n * P + p) * Q + q);
          }
        }
      }
    }
  }
}

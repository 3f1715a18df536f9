import { any } from '../../graph/operands.js';
import { elementAt } from '../../element-at.js';
import { OptionError } from '../../errors.js';
import { ceilDivide, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import type { NamedPhase } from '../../graph/definition.js';
import type { SimdKernel } from '../../graph/simd.js';
import { rowParts } from '../simd-parts.js';
import { boolean, required } from '../../options.js';
import type { Shape } from '../../shape.js';
import {
  type Pair,
  type Padding,
  pairOf,
  pairRule,
  paddingRule,
  spanOf,
  type WindowAttributes,
  windowOf,
} from '../convolution/window.js';

/** What the options of all pooling by windows have in common. */
export interface PoolOptions {
  /** Height and width of a window (PyTorch: kernel_size; Keras: pool_size). */
  readonly size: Pair;
  /** From one window to the next. Default: `size`, so that windows lie side by side. */
  readonly stride?: Pair;
  /** Around the picture, at most half of a window. Default 0, as in PyTorch; Keras calls that 'valid'. */
  readonly padding?: Padding;
  /**
   * Whether a last window may begin in the picture and end beyond it, where the ones before leave some of it out
   * (PyTorch: ceil_mode). Default false.
   */
  readonly ceilMode?: boolean;
}

/** @internal Rules of {@link PoolOptions} but the size. */
export const POOL_RULES = { stride: pairRule, padding: paddingRule, ceilMode: boolean };
/** @internal The rule of the size. */
export const SIZE_RULE = { size: required(pairRule) };

/** What pooling is given may be stored as 16-bit floats; what comes out is f32. */
export const given = any('f32', 'f16');

/** Windows that are pooled. A type, because attributes need an index. */
export type PoolAttributes = WindowAttributes & { readonly ceilMode: boolean };

/**
 * The windows of a pooling operation on pictures [N, H, W, C].
 * Throws OptionError, as PyTorch does, where the padding is larger than half of a window: one could lie beside the picture.
 */
export function poolWindow(
  operation: string,
  picture: Shape,
  { size, stride = size, padding = 0, ceilMode = false }: PoolOptions,
  dilation: Pair = 1,
): PoolAttributes {
  const [height = 0, width = 0] = picture.slice(1);
  const window = windowOf([height, width], pairOf(size), { stride, padding, dilation });
  window.padding.forEach((zeros, side) => {
    const axis = side < 2 ? 0 : 1;
    const span = spanOf(elementAt(window.kernel, axis), elementAt(window.dilation, axis));
    if (zeros <= span / 2) return;
    throw new OptionError(
      `${operation}: padding must be at most half of the window, so that none lies in the padding alone: found ` +
        `${zeros} with a window whose ${axis === 0 ? 'height' : 'width'} is ${span}`,
    );
  });
  return { ...window, ceilMode };
}

type PoolSizes = Readonly<Record<'N' | 'H' | 'W' | 'C' | 'OH' | 'OW', number>>;

/** What kernels/pooling/pool_window.wgsl is told: a launch of an invocation for four channels of each place of `walked`. */
export function poolLaunch(
  { N, H, W, C, OH, OW }: PoolSizes,
  { kernel, stride, dilation, padding }: WindowAttributes,
  walked: 'picture' | 'windows',
  counted = padding,
) {
  const quads = ceilDivide(C, 4);
  const count = N * quads * (walked === 'picture' ? H * W : OH * OW);
  const pairs = { KERNEL: kernel, STRIDE: stride, DILATION: dilation };
  return {
    constants: Object.fromEntries(
      Object.entries(pairs).flatMap(([name, pair]) => [
        [`${name}_HEIGHT`, elementAt(pair, 0)],
        [`${name}_WIDTH`, elementAt(pair, 1)],
      ]),
    ),
    uniforms: new Uniforms()
      .u32(H, W, OH, OW, quads, C, count, elementAt(padding, 0), elementAt(padding, 2))
      .align()
      .u32(...counted)
      .bytes(),
    uniformsAt: 2,
    workgroups: foldWorkgroups(ceilDivide(count, 64)),
  };
}

const SCRATCH = { scratch: true } as const;

type PoolCall = {
  readonly attributes: WindowAttributes;
  readonly sizes: PoolSizes;
  readonly counted?: readonly number[];
};

/** The phase of kernels/pooling/windows.wat, of some rows of windows a task. */
export function windowsPhase<const Name extends string>(
  kernel: SimdKernel,
  tensors: readonly [from: Name, to: Name, places: Name | 0],
  call: PoolCall,
): readonly NamedPhase<Name>[] {
  const { N, C, OH, OW } = call.sizes;
  const tasks = rowParts(N * OH, OW * C).map(({ start, count }) => [
    { kernel, arguments: [...tensors, start, count, ...windowArguments(call.sizes, call.attributes, call.counted)] },
  ]);
  return [{ tasks }];
}

/**
 * The phase of kernels/pooling/window_gradients.wat, of some pictures a task, or of some lines of one: those at which
 * windows begin, so that side by side none is in two tasks.
 */
export function windowGradientsPhase<const Name extends string>(
  kernel: SimdKernel,
  tensors: readonly [from: Name, to: Name, places: Name | 0],
  call: PoolCall,
): readonly NamedPhase<Name>[] {
  const { N, H, W, C, OH } = call.sizes;
  const [stride, top] = [elementAt(call.attributes.stride, 0), elementAt(call.attributes.padding, 0)];
  const span = spanOf(elementAt(call.attributes.kernel, 0), elementAt(call.attributes.dilation, 0));
  const lineOf = (row: number): number =>
    row === 0 ? 0 : row === OH ? H : Math.min(Math.max(row * stride - top, 0), H);
  const tasks = rowParts(N, H * W * C).flatMap((pictures) =>
    rowParts(OH, pictures.count * stride * W * C).flatMap((rows) => {
      const [begin, end] = [lineOf(rows.start), lineOf(rows.start + rows.count)];
      if (begin === end) return [];
      const firstRow = Math.max(Math.ceil((begin + top - span + 1) / stride), 0);
      const endRow = Math.min(Math.floor((end - 1 + top) / stride) + 1, OH);
      const range = [
        pictures.start,
        pictures.count,
        ...windowArguments(call.sizes, call.attributes, call.counted),
        begin,
        end,
        firstRow,
        endRow,
      ];
      return [[{ kernel, arguments: [...tensors, ...range, SCRATCH] }]];
    }),
  );
  // Two tables of a word for each place, and room for what has none in the picture.
  return [{ tasks, scratchBytes: 2048 + 4 * C }];
}

/** Of a call of either file: sizes and window, and what of the padding counts. */
export function windowArguments(
  { H, W, C, OH, OW }: Omit<PoolSizes, 'N'>,
  { kernel, stride, dilation, padding }: WindowAttributes,
  counted = padding,
): number[] {
  return [C, H, W, OH, OW, ...kernel, ...stride, ...dilation, elementAt(padding, 0), elementAt(padding, 2), ...counted];
}

/** A place of a window: where it stands in the picture, and its number in the window, in row order. */
export interface Tap {
  readonly y: number;
  readonly x: number;
  readonly place: number;
}

/** The places of the window of output (row, column) that lie in a picture, in row order: for references. */
export function tapsOf(
  { kernel, stride, dilation, padding }: WindowAttributes,
  [height, width]: readonly [height: number, width: number],
  [row, column]: readonly [row: number, column: number],
): Tap[] {
  const taps: Tap[] = [];
  for (let i = 0; i < elementAt(kernel, 0); i++) {
    for (let j = 0; j < elementAt(kernel, 1); j++) {
      const y = row * elementAt(stride, 0) - elementAt(padding, 0) + i * elementAt(dilation, 0);
      const x = column * elementAt(stride, 1) - elementAt(padding, 2) + j * elementAt(dilation, 1);
      if (y >= 0 && y < height && x >= 0 && x < width) taps.push({ y, x, place: i * elementAt(kernel, 1) + j });
    }
  }
  return taps;
}

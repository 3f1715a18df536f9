import type { DType } from '../../graph/operation.js';
import type { Shape } from '../../shape.js';
import { type Pair, pairOf, type WindowAttributes, windowOf, type WindowOptions, windowsIn } from './window.js';

/** A depthwise convolution to test or to time: a picture, the window, where it goes. */
type Row = readonly [
  picture: readonly [N: number, H: number, W: number, C: number],
  kernel: Pair,
  options?: WindowOptions,
];

/** A depthwise convolution: the shapes of its three tensors. */
interface DepthwiseCase {
  readonly picture: Shape;
  readonly weight: Shape;
  readonly output: Shape;
  readonly attributes: WindowAttributes;
  /** Element types of the two that are given. */
  readonly types: readonly [DType, DType];
}

const ROWS: readonly Row[] = [
  [[1, 1, 1, 1], 1],
  [[1, 1, 1, 4], 3, { padding: 1 }],
  [[2, 5, 7, 3], 3, { padding: 1 }],
  [[1, 6, 9, 4], 3],
  [[2, 7, 6, 8], 3, { padding: 1 }],
  [[1, 8, 8, 12], 3, { stride: 2, padding: 1 }],
  [[1, 9, 7, 20], 3, { stride: 2, padding: 1 }],
  [[2, 8, 11, 4], 3, { stride: 2, padding: 'same' }],
  [[1, 3, 3, 65], 3, { padding: 1 }],
  [[1, 4, 2, 8], 3, { padding: [0, 2] }],
  [[1, 2, 3, 4], 5, { padding: 'same' }],
  [[1, 9, 8, 6], 5, { stride: 2, padding: 2 }],
  [[1, 9, 10, 4], 3, { dilation: 2, padding: [2, 1, 0, 3] }],
  [[1, 8, 9, 5], [3, 2], { stride: [3, 1], dilation: [2, 1], padding: 2 }],
  [[1, 10, 13, 4], [2, 3], { stride: [2, 3], dilation: [4, 2], padding: [3, 4] }],
  [[1, 5, 6, 4], 1, { stride: 2 }],
  [[1, 7, 8, 4], 2, { stride: 3 }],
  [[1, 3, 2, 4], 3, { padding: 4 }],
  [[1, 2, 19, 16], [1, 3], { padding: [0, 1] }],
  [[1, 17, 16, 4], 3, { padding: 1 }],
  [[1, 9, 11, 4], [8, 7], { padding: 3 }],
  [[1, 4, 15, 4], [2, 13], { padding: [0, 5] }],
  [[1, 12, 13, 3], 5, { stride: 5, padding: 1 }],
  [[0, 5, 5, 4], 3],

  [[1, 4, 4, 0], 3],
];

/** The depthwise layers of MobileNetV2, of one picture of 224 x 224: by the size of their input. */
const MOBILENET: readonly (readonly [size: number, C: number, stride: 1 | 2])[] = [
  [112, 32, 1],
  [112, 96, 2],
  [56, 144, 1],
  [56, 144, 2],
  [28, 192, 1],
  [28, 192, 2],
  [14, 384, 1],
  [14, 576, 1],
  [14, 576, 2],
  [7, 960, 1],
];

/** Those of them that are run with 16-bit floats, too: by fours and one by one, at a stride, of windows that are not written out. */
const HALF: Readonly<Record<number, DepthwiseCase['types']>> = {
  0: ['f16', 'f16'],
  2: ['f16', 'f16'],
  4: ['f16', 'f16'],
  6: ['f16', 'f32'],
  8: ['f32', 'f16'],
  13: ['f16', 'f16'],
  20: ['f16', 'f32'],
  22: ['f16', 'f16'],
  23: ['f16', 'f16'],
};

function caseOf([picture, kernel, options = {}]: Row): DepthwiseCase {
  const [N, H, W, C] = picture;
  const attributes = windowOf([H, W], pairOf(kernel), options);
  const windows = windowsIn('depthwiseConv2d', [H, W], attributes);
  return { picture, weight: [...pairOf(kernel), C], output: [N, ...windows, C], attributes, types: ['f32', 'f32'] };
}

const CASES = ROWS.flatMap((row, i) => {
  const types = HALF[i];
  return types ? [caseOf(row), { ...caseOf(row), types }] : [caseOf(row)];
});

const BENCHMARKS = MOBILENET.map(
  ([size, C, stride]) =>
    [
      `mobilenet${size}Depthwise${C}${stride === 1 ? '' : `Stride${stride}`}`,
      caseOf([[1, size, size, C], 3, { stride, padding: 1 }]),
    ] as const,
);

/** What is tested and what is timed, each made an operation's own case. */
export function depthwiseCases<T>(use: (own: DepthwiseCase) => T) {
  return {
    cases: CASES.map(use),
    benchmarks: Object.fromEntries(BENCHMARKS.map(([name, own]) => [name, use(own)])),
  };
}

import { elementAt } from '../../element-at.js';
import { OptionError } from '../../errors.js';
import { takingStages } from '../../fusion/absorb.js';
import { maxPool2dWasm } from '../../generated/wasm.js';
import { commonWgsl, maxPool2dWgsl, poolWindowWgsl } from '../../generated/wgsl.js';
import { defineOperation } from '../../graph/define.js';
import { ceilDivide } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { f32, u32, View } from '../../graph/operands.js';
import type { DType, Operation } from '../../graph/operation.js';
import { checkOptions, type OptionRules } from '../../options.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { type Pair, pairRule, windowsIn } from '../convolution/window.js';
import { channelsWgsl } from '../channels.js';
import { maxPool2dChain } from './max-pool2d-chain.js';
import {
  given,
  SIZE_RULE,
  POOL_RULES,
  type PoolAttributes,
  poolLaunch,
  type PoolOptions,
  poolWindow,
  tapsOf,
  windowGradientsPhase,
  windowsPhase,
} from './pool-window.js';

/** Places of a window that a byte tells apart. */
export const MAX_PLACES = 256;
/** Channels whose places share a word: their bytes, the first one lowest. */
const PLACES_PER_WORD = 4;

/** The byte of a channel's place in its word. */
function shiftOf(channel: number): number {
  return 8 * (channel % PLACES_PER_WORD);
}

/** Those that are run with 16-bit floats, too. */
const HALF: readonly PoolCase[] = [
  [[2, 7, 9, 8], 3, { stride: 2, padding: 1 }],
  [[1, 5, 6, 3], 3, { stride: 1, padding: 1 }],
  [[1, 1, 1, 1], 1],
  [[2, 4, 4, 0], 2],
];

function poolCase([shape, size, options = {}, dilation = 1]: PoolCase, dtype: DType = 'f32') {
  return {
    inputs: { input: { shape, dtype, fill: 'distinct' as const } },
    attributes: poolWindow('maxPool2d', shape, { size, ...options }, dilation),
  };
}

type PoolCase = readonly [shape: readonly number[], size: Pair, options?: Omit<PoolOptions, 'size'>, dilation?: Pair];

const CASES: readonly PoolCase[] = [
  [[2, 8, 8, 4], 2],
  [[2, 7, 9, 8], 3, { stride: 2, padding: 1 }],
  [[1, 5, 6, 3], 3, { stride: 1, padding: 1 }],
  [[3, 5, 5, 7], [2, 3], { stride: [3, 1], padding: [0, 1, 1, 0] }],
  [[1, 9, 8, 5], 3, { stride: 2, padding: 'same' }, [2, 1]],
  [[1, 6, 7, 4], 2, { stride: 3, ceilMode: true }],
  [[2, 6, 5, 12], 3, { stride: 2, padding: 1, ceilMode: true }, 2],
  [[1, 1, 1, 1], 1],
  [[1, 16, 16, 8], 16],
  [[1, 17, 3, 65], [5, 3], { stride: 4 }],
  [[0, 4, 4, 3], 2],
  [[2, 4, 4, 0], 2],
];

const SIMD = { module: maxPool2dWasm, entryPoint: 'maxPool2d' };

const maxPool2dOperation: Operation<PoolAttributes> = defineOperation<PoolAttributes>()({
  name: 'maxPool2d',
  inputs: { input: given('N', 'H', 'W', 'C') },
  // Beside the largest element its place in the window, which is a byte: u8 is a type of storage alone, so that four
  // channels share a word. It costs a sixteenth of what a pooling of 2 x 2 reads, and tells the gradient all.
  outputs: { output: f32('N', 'OH', 'OW', 'C'), places: u32('N', 'OH', 'OW', 'words') },
  infer({ sizes: { N, H, W, C }, attributes: { ceilMode, ...window } }) {
    const windows = windowsIn('maxPool2d', [H, W], window, ceilMode);
    return { output: [N, ...windows, C], places: [N, ...windows, ceilDivide(C, PLACES_PER_WORD)] };
  },
  reference({ input, output, places }, { N, H, W, C, OH, OW, words }, window) {
    places.data.fill(0);
    for (let n = 0; n < N; n++) {
      for (let row = 0; row < OH; row++) {
        for (let column = 0; column < OW; column++) {
          const taps = tapsOf(window, [H, W], [row, column]);
          const at = (n * OH + row) * OW + column;
          for (let c = 0; c < C; c++) {
            let [largest, winner] = [-Infinity, taps[0]?.place ?? 0];
            for (const { y, x, place } of taps) {
              const value = input.at(((n * H + y) * W + x) * C + c);
              if (value > largest || Number.isNaN(value)) [largest, winner] = [value, place];
            }
            output.set(at * C + c, largest);
            const word = at * words + Math.floor(c / PLACES_PER_WORD);
            places.set(word, places.at(word) + winner * 2 ** shiftOf(c));
          }
        }
      }
    }
  },
  readsFloat16: true,
  kernel: ({ specs: { input }, sizes, attributes }) => [
    {
      ...poolLaunch(sizes, attributes, 'windows'),
      kernel: kernelOf('maxPool2d', sizes.C, input.dtype),
      bindings: ['input', 'output', { operand: 'places', at: 3 }],
    },
  ],
  simd: ({ sizes, attributes }) => windowsPhase(SIMD, ['input', 'output', 'places'], { sizes, attributes }),
  chain: ({ attributes }) => maxPool2dChain(SIMD, maxPool2dOperation as Operation, attributes),
  fold: takingStages,
  gradient: ({ inputs: { input }, outputs: { places }, outputGradients: { output }, attributes }) => ({
    input: output && applyOne(maxPool2dGradient, [output, places], { ...attributes, picture: input.shape.slice(1, 3) }),
  }),
  tolerance: { absolute: 0, relative: 0 },
  cases: [...CASES.map((setting) => poolCase(setting)), ...HALF.map((setting) => poolCase(setting, 'f16'))],
  cost: ({ sizes: { N, H, W, C }, attributes: { ceilMode, ...window } }) => {
    const [rows, columns] = windowsIn('maxPool2d', [H, W], window, ceilMode);
    const outputs = N * rows * columns * C;
    return { flop: outputs * elementAt(window.kernel, 0) * elementAt(window.kernel, 1) };
  },
  benchmarks: {
    resnet50: poolCase([[8, 112, 112, 64], 3, { stride: 2, padding: 1 }]),
    convnet: poolCase([[32, 64, 64, 16], 2]),
  },
});

type GradientAttributes = PoolAttributes & { readonly picture: readonly number[] };

/** Each element of the output's gradient goes to the place in the picture that was the largest of its window. */
const maxPool2dGradient = defineOperation<GradientAttributes>()({
  name: 'maxPool2dGradient',
  inputs: { outputGradient: given('N', 'OH', 'OW', 'C'), places: u32('N', 'OH', 'OW', 'words') },
  outputs: { inputGradient: f32('N', 'H', 'W', 'C') },
  infer: ({ sizes: { N, C }, attributes: { picture } }) => ({
    inputGradient: [N, elementAt(picture, 0), elementAt(picture, 1), C],
  }),
  reference({ outputGradient, places, inputGradient }, { N, H, W, C, OH, OW, words }, window) {
    const sums = new View({ data: new Float64Array(inputGradient.size), shape: inputGradient.shape });
    for (let n = 0; n < N; n++) {
      for (let row = 0; row < OH; row++) {
        for (let column = 0; column < OW; column++) {
          const at = (n * OH + row) * OW + column;
          for (const { y, x, place } of tapsOf(window, [H, W], [row, column])) {
            for (let c = 0; c < C; c++) {
              const winner = (places.at(at * words + Math.floor(c / PLACES_PER_WORD)) >>> shiftOf(c)) & 0xff;
              const to = ((n * H + y) * W + x) * C + c;
              if (winner === place) sums.set(to, sums.at(to) + outputGradient.at(at * C + c));
            }
          }
        }
      }
    }
    inputGradient.data.set(sums.data);
  },
  readsFloat16: true,
  kernel: ({ specs: { outputGradient }, sizes, attributes }) => [
    {
      ...poolLaunch(sizes, attributes, 'picture'),
      kernel: kernelOf('maxPool2dGradient', sizes.C, outputGradient.dtype),
      bindings: ['outputGradient', 'inputGradient', { operand: 'places', at: 4 }],
    },
  ],
  simd: ({ sizes, attributes }) => {
    const kernel = { module: maxPool2dWasm, entryPoint: 'maxPool2dGradient' };
    return windowGradientsPhase(kernel, ['outputGradient', 'inputGradient', 'places'], { sizes, attributes });
  },
  gradient: { unwritten: 'second derivatives of maxPool2d are not written' },
  tolerance: { absolute: 1e-5, relative: 1e-6 }, // sums of up to 9 normal numbers
  cases: [...CASES.map((setting) => gradientCase(setting)), ...HALF.map((setting) => gradientCase(setting, 'f16'))],
  cost: ({ sizes: { N, C }, attributes: { picture } }) => ({
    flop: N * C * elementAt(picture, 0) * elementAt(picture, 1),
    terms: 4,
  }),
  benchmarks: {
    resnet50: gradientCase([[8, 112, 112, 64], 3, { stride: 2, padding: 1 }]),
    convnet: gradientCase([[32, 64, 64, 16], 2]),
  },
});

function gradientCase(setting: PoolCase, dtype: DType = 'f32') {
  const [[N = 0, H = 0, W = 0, C = 0]] = setting;
  const { attributes } = poolCase(setting);
  const windows = windowsIn('maxPool2d', [H, W], attributes, attributes.ceilMode);
  const places = attributes.kernel.reduce((product, size) => product * size, 1);
  return {
    inputs: {
      outputGradient: { shape: [N, ...windows, C], dtype },
      places: {
        shape: [N, ...windows, ceilDivide(C, PLACES_PER_WORD)],
        dtype: 'u32' as const,
        fill: { below: places },
      },
    },
    attributes: { ...attributes, picture: [H, W] },
  };
}

function kernelOf(entryPoint: 'maxPool2d' | 'maxPool2dGradient', C: number, input: DType) {
  return { name: entryPoint, code: commonWgsl + poolWindowWgsl + channelsWgsl(C, input) + maxPool2dWgsl, entryPoint };
}

/** Options of {@link maxPool2d}. */
export interface MaxPool2dOptions extends PoolOptions {
  /** From one place of a window to the next. Default 1. */
  readonly dilation?: Pair;
}

/** @internal Rules of {@link MaxPool2dOptions} but the size. */
export const MAX_POOL_RULES: OptionRules<Omit<MaxPool2dOptions, 'size'>> = { ...POOL_RULES, dilation: pairRule };

/**
 * The largest element of each window that moves over pictures: input [N, H, W, C] → [N, OH, OW, C] (PyTorch: `F.max_pool2d`;
 * Keras: `MaxPooling2D`), where OH = ⌊(H + padding - (size - 1) · dilation - 1) / stride⌋ + 1, and OW likewise.
 *
 * Padding never wins: it counts as -Infinity. NaN wins. The gradient goes to the largest element, the first one in row
 * order where there are several.
 *
 * Throws ShapeError for other shapes and for windows larger than the padded picture; OptionError for padding of more than
 * half a window, for a window of more than 256 places along an axis, and for bad options.
 */
export function maxPool2d(input: TensorLike, options: MaxPool2dOptions): Tensor {
  checkOptions('maxPool2d', options, { ...SIZE_RULE, ...MAX_POOL_RULES });
  const value = asTensor('maxPool2d', 'input', input);
  const window = poolWindow('maxPool2d', value.shape, options, options.dilation);
  const [height, width] = [elementAt(window.kernel, 0), elementAt(window.kernel, 1)];
  if (Math.max(height, width) > MAX_PLACES) {
    throw new OptionError(
      `maxPool2d: a window has at most ${MAX_PLACES} places along an axis, whose number is kept as a byte; found ` +
        `${height} x ${width}`,
    );
  }
  if (height * width <= MAX_PLACES) return pooled(value, window);
  // The largest of rows, then of those: the same winner, whose two places are bytes.
  return pooled(pooled(value, alongAxis(window, 1)), alongAxis(window, 0));
}

function pooled(input: Tensor, window: PoolAttributes): Tensor {
  return applyOne(maxPool2dOperation, [input], window);
}

/** A window as it is along one axis, and of one place along the other. */
function alongAxis({ kernel, stride, dilation, padding, ceilMode }: PoolAttributes, axis: 0 | 1): PoolAttributes {
  const only = (pair: readonly number[]) => pair.map((size, a) => (a === axis ? size : 1));
  const sides = padding.map((zeros, side) => (side >> 1 === axis ? zeros : 0));
  return { kernel: only(kernel), stride: only(stride), dilation: only(dilation), padding: sides, ceilMode };
}

export const maxPool2dOperations = [maxPool2dOperation, maxPool2dGradient];

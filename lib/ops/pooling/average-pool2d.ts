import { elementAt } from '../../element-at.js';
import { averagePool2dWasm } from '../../generated/wasm.js';
import { averagePool2dWgsl, commonWgsl, poolWindowWgsl } from '../../generated/wgsl.js';
import { defineOperation } from '../../graph/define.js';
import { applyOne } from '../../graph/node.js';
import { f32, View } from '../../graph/operands.js';
import type { DType, Operation } from '../../graph/operation.js';
import { boolean, checkOptions, type OptionRules } from '../../options.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { channelsWgsl } from '../channels.js';
import { type Pair, windowsIn } from '../convolution/window.js';
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

type AverageAttributes = PoolAttributes & { readonly countIncludePad: boolean };
type GradientAttributes = AverageAttributes & { readonly picture: readonly number[] };

type PoolCase = readonly [shape: readonly number[], size: Pair, options?: Omit<AveragePool2dOptions, 'size'>];

const CASES: readonly PoolCase[] = [
  [[2, 8, 8, 4], 2],
  [[2, 7, 9, 8], 3, { stride: 2, padding: 1 }],
  [[2, 7, 9, 8], 3, { stride: 2, padding: 1, countIncludePad: false }],
  [[1, 5, 6, 3], 3, { stride: 1, padding: 1 }],
  [[3, 5, 5, 7], [2, 3], { stride: [3, 1], padding: [0, 1, 1, 0] }],
  [[1, 9, 8, 5], 3, { stride: 2, padding: 'same', countIncludePad: false }],
  [[1, 6, 7, 4], 2, { stride: 3, ceilMode: true }],
  [[2, 6, 5, 12], 3, { stride: 2, padding: 1, ceilMode: true }],
  [[1, 1, 1, 1], 1],
  [[1, 17, 3, 65], [5, 3], { stride: 4 }],
  [[0, 4, 4, 3], 2],
  [[2, 4, 4, 0], 2],
];

/** Those that are run with 16-bit floats, too. */
const HALF: readonly PoolCase[] = [
  [[2, 7, 9, 8], 3, { stride: 2, padding: 1 }],
  [[1, 5, 6, 3], 3, { stride: 1, padding: 1 }],
  [[1, 1, 1, 1], 1],
  [[2, 4, 4, 0], 2],
];

function poolCase([shape, size, { countIncludePad = true, ...options } = {}]: PoolCase, dtype: DType = 'f32') {
  return {
    inputs: { input: { shape, dtype } },
    attributes: { ...poolWindow('averagePool2d', shape, { size, ...options }), countIncludePad },
  };
}

function gradientCase(setting: PoolCase, dtype: DType = 'f32') {
  const [[N = 0, H = 0, W = 0, C = 0]] = setting;
  const { attributes } = poolCase(setting);
  const windows = windowsIn('averagePool2d', [H, W], attributes, attributes.ceilMode);
  return {
    inputs: { outputGradient: { shape: [N, ...windows, C], dtype } },
    attributes: { ...attributes, picture: [H, W] },
  };
}

/** How many places of the window of output (row, column) its mean is taken over. */
function countedIn(
  { kernel, stride, padding, countIncludePad }: AverageAttributes,
  picture: readonly [height: number, width: number],
  at: readonly [row: number, column: number],
): number {
  const along = (axis: 0 | 1): number => {
    const [before, behind] = [elementAt(padding, 2 * axis), elementAt(padding, 2 * axis + 1)];
    let counted = 0;
    for (let i = 0; i < elementAt(kernel, axis); i++) {
      const place = at[axis] * elementAt(stride, axis) - before + i;
      const isPicture = place >= 0 && place < picture[axis];
      if (isPicture || (countIncludePad && place >= -before && place < picture[axis] + behind)) counted++;
    }
    return counted;
  };
  return along(0) * along(1);
}

/** The kernels are told how much of the padding counts. */
function countedPadding({ padding, countIncludePad }: AverageAttributes): readonly number[] {
  return countIncludePad ? padding : padding.map(() => 0);
}

function kernelOf(entryPoint: 'averagePool2d' | 'averagePool2dGradient', C: number, input: DType) {
  return {
    name: entryPoint,
    code: commonWgsl + poolWindowWgsl + channelsWgsl(C, input) + averagePool2dWgsl,
    entryPoint,
  };
}

const averagePool2dOperation: Operation<AverageAttributes> = defineOperation<AverageAttributes>()({
  name: 'averagePool2d',
  inputs: { input: given('N', 'H', 'W', 'C') },
  outputs: { output: f32('N', 'OH', 'OW', 'C') },
  infer: ({ sizes: { N, H, W, C }, attributes: { ceilMode, ...window } }) => ({
    output: [N, ...windowsIn('averagePool2d', [H, W], window, ceilMode), C],
  }),
  reference({ input, output }, { N, H, W, C, OH, OW }, window) {
    for (let n = 0; n < N; n++) {
      for (let row = 0; row < OH; row++) {
        for (let column = 0; column < OW; column++) {
          const taps = tapsOf(window, [H, W], [row, column]);
          const counted = countedIn(window, [H, W], [row, column]);
          for (let c = 0; c < C; c++) {
            let sum = 0;
            for (const { y, x } of taps) sum += input.at(((n * H + y) * W + x) * C + c);
            output.set(((n * OH + row) * OW + column) * C + c, sum / counted);
          }
        }
      }
    }
  },
  readsFloat16: true,
  kernel: ({ specs: { input }, sizes, attributes }) => [
    {
      ...poolLaunch(sizes, attributes, 'windows', countedPadding(attributes)),
      kernel: kernelOf('averagePool2d', sizes.C, input.dtype),
      bindings: ['input', 'output'],
    },
  ],
  simd: ({ sizes, attributes }) => {
    const kernel = { module: averagePool2dWasm, entryPoint: 'averagePool2d' };
    return windowsPhase(kernel, ['input', 'output', 0], { sizes, attributes, counted: countedPadding(attributes) });
  },
  gradient: ({ inputs: { input }, outputGradients: { output }, attributes }) => ({
    input: applyOne(averagePool2dGradient, [output], { ...attributes, picture: input.shape.slice(1, 3) }),
  }),
  tolerance: { absolute: 1e-6, relative: 1e-5 }, // means of up to 15 normal numbers
  cases: [...CASES.map((setting) => poolCase(setting)), ...HALF.map((setting) => poolCase(setting, 'f16'))],
  cost: ({ sizes: { N, H, W, C }, attributes: { ceilMode, ...window } }) => {
    const [rows, columns] = windowsIn('averagePool2d', [H, W], window, ceilMode);
    const places = elementAt(window.kernel, 0) * elementAt(window.kernel, 1);
    return { flop: N * rows * columns * C * places, terms: places };
  },
  benchmarks: {
    transition: poolCase([[8, 56, 56, 64], 2]),
    overlapping: poolCase([[8, 56, 56, 64], 3, { stride: 2 }]),
  },
});

/** Each element of the output's gradient goes, in equal shares, to the places of its window. */
const averagePool2dGradient = defineOperation<GradientAttributes>()({
  name: 'averagePool2dGradient',
  inputs: { outputGradient: given('N', 'OH', 'OW', 'C') },
  outputs: { inputGradient: f32('N', 'H', 'W', 'C') },
  infer: ({ sizes: { N, C }, attributes: { picture } }) => ({
    inputGradient: [N, elementAt(picture, 0), elementAt(picture, 1), C],
  }),
  reference({ outputGradient, inputGradient }, { N, H, W, C, OH, OW }, window) {
    const sums = new View({ data: new Float64Array(inputGradient.size), shape: inputGradient.shape });
    for (let n = 0; n < N; n++) {
      for (let row = 0; row < OH; row++) {
        for (let column = 0; column < OW; column++) {
          const counted = countedIn(window, [H, W], [row, column]);
          for (const { y, x } of tapsOf(window, [H, W], [row, column])) {
            for (let c = 0; c < C; c++) {
              const to = ((n * H + y) * W + x) * C + c;
              sums.set(to, sums.at(to) + outputGradient.at(((n * OH + row) * OW + column) * C + c) / counted);
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
      ...poolLaunch(sizes, attributes, 'picture', countedPadding(attributes)),
      kernel: kernelOf('averagePool2dGradient', sizes.C, outputGradient.dtype),
      bindings: ['outputGradient', 'inputGradient'],
    },
  ],
  simd: ({ sizes, attributes }) => {
    const kernel = { module: averagePool2dWasm, entryPoint: 'averagePool2dGradient' };
    const call = { sizes, attributes, counted: countedPadding(attributes) };
    return windowGradientsPhase(kernel, ['outputGradient', 'inputGradient', 0], call);
  },
  // Pooling is linear: its gradient's gradient is itself.
  gradient: ({
    outputGradients: { inputGradient },
    attributes: { kernel, stride, dilation, padding, ceilMode, countIncludePad },
  }) => {
    const window = { kernel, stride, dilation, padding, ceilMode, countIncludePad };
    return { outputGradient: applyOne(averagePool2dOperation, [inputGradient], window) };
  },
  tolerance: { absolute: 1e-6, relative: 1e-5 }, // sums of up to 9 such shares
  cases: [...CASES.map((setting) => gradientCase(setting)), ...HALF.map((setting) => gradientCase(setting, 'f16'))],
  cost: ({ sizes: { N, C }, attributes: { picture } }) => ({
    flop: N * C * elementAt(picture, 0) * elementAt(picture, 1),
    terms: 4,
  }),
  benchmarks: {
    transition: gradientCase([[8, 56, 56, 64], 2]),
    overlapping: gradientCase([[8, 56, 56, 64], 3, { stride: 2 }]),
  },
});

/** Options of {@link averagePool2d}. */
export interface AveragePool2dOptions extends PoolOptions {
  /**
   * Whether the padding counts in the number that a sum is divided by (PyTorch: count_include_pad). Default true, as there;
   * Keras never counts it.
   */
  readonly countIncludePad?: boolean;
}

/** @internal Rules of {@link AveragePool2dOptions} but the size. */
export const AVERAGE_POOL_RULES: OptionRules<Omit<AveragePool2dOptions, 'size'>> = {
  ...POOL_RULES,
  countIncludePad: boolean,
};

/**
 * The mean of each window that moves over pictures: input [N, H, W, C] → [N, OH, OW, C] (PyTorch: `F.avg_pool2d`; Keras:
 * `AveragePooling2D`), where OH = ⌊(H + padding - size) / stride⌋ + 1, and OW likewise.
 *
 * Padding is zeros, which count as elements, as in PyTorch. Keras's padding 'same' does not count: that is
 * `{ padding: 'same', countIncludePad: false }`. What `ceilMode` adds beyond the padding counts in neither.
 *
 * Throws ShapeError for other shapes and for windows larger than the padded picture; OptionError for padding of more than
 * half a window and for bad options.
 */
export function averagePool2d(input: TensorLike, options: AveragePool2dOptions): Tensor {
  checkOptions('averagePool2d', options, { ...SIZE_RULE, ...AVERAGE_POOL_RULES });
  const value = asTensor('averagePool2d', 'input', input);
  const { countIncludePad = true } = options;
  return applyOne(averagePool2dOperation, [value], {
    ...poolWindow('averagePool2d', value.shape, options),
    countIncludePad,
  });
}

export const averagePool2dOperations = [averagePool2dOperation, averagePool2dGradient];

import { elementAt } from '../../element-at.js';
import { OptionError, ShapeError } from '../../errors.js';
import { upsampleWasm } from '../../generated/wasm.js';
import { commonWgsl, upsampleWgsl } from '../../generated/wgsl.js';
import { defineOperation } from '../../graph/define.js';
import type { NamedPhase } from '../../graph/definition.js';
import { ceilDivide, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { bind, f32, View } from '../../graph/operands.js';
import type { Operation } from '../../graph/operation.js';
import { boolean, checkOptions, oneOf, type OptionRules } from '../../options.js';
import { formatShape } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { channelsWgsl } from '../channels.js';
import { rowParts } from '../simd-parts.js';
import { type Pair, pairOf, pairRule } from '../convolution/window.js';

/** `aligned`: bilinear with `alignCorners`. */
type Mode = 'nearest' | 'bilinear' | 'aligned';
type UpsampleAttributes = { readonly size: readonly number[]; readonly mode: Mode };
type GradientAttributes = UpsampleAttributes & { readonly picture: readonly number[] };

/** Of sizes from and to: up to which the kernels' whole numbers, 2 · from · to and less, stay within 31 bits. */
const MOST = 2 ** 29;

/**
 * Where place `i` of `to` places lies among `from` places, by PyTorch's formulas: the two around it, and how far it is on
 * the way from the lower to the upper one.
 */
function between(mode: Mode, i: number, from: number, to: number) {
  const place =
    mode === 'nearest'
      ? Math.floor((i * from) / to)
      : mode === 'aligned'
        ? (i * (from - 1)) / Math.max(to - 1, 1)
        : Math.max(((i + 0.5) * from) / to - 0.5, 0);
  const lower = Math.floor(place);
  return { lower, upper: Math.min(lower + 1, from - 1), part: place - lower };
}

/** The elements of a picture that output (row, column) is made of, and their weights. */
function sharesOf(
  mode: Mode,
  [H, W]: readonly [height: number, width: number],
  [OH, OW]: readonly [height: number, width: number],
  [row, column]: readonly [row: number, column: number],
) {
  const [y, x] = [between(mode, row, H, OH), between(mode, column, W, OW)];
  return [
    { place: y.lower * W + x.lower, weight: (1 - y.part) * (1 - x.part) },
    { place: y.lower * W + x.upper, weight: (1 - y.part) * x.part },
    { place: y.upper * W + x.lower, weight: y.part * (1 - x.part) },
    { place: y.upper * W + x.upper, weight: y.part * x.part },
  ].filter(({ weight }) => weight > 0);
}

type UpsampleCase = readonly [shape: readonly number[], size: readonly [number, number], mode: Mode];

const CASES: readonly UpsampleCase[] = (['nearest', 'bilinear', 'aligned'] as const).flatMap(
  (mode): readonly UpsampleCase[] => [
    [[2, 4, 4, 4], [8, 8], mode],
    [[1, 3, 5, 3], [7, 6], mode],
    [[2, 1, 1, 8], [3, 1], mode],
    [[1, 7, 9, 65], [3, 4], mode],
    [[1, 2, 3, 4], [13, 5], mode],
    [[0, 2, 2, 4], [4, 4], mode],
    [[1, 5, 4, 2], [5, 4], mode],
  ],
);

function upsampleCase([shape, size, mode]: UpsampleCase) {
  return { inputs: { input: { shape } }, attributes: { size, mode } };
}

function gradientCase([[N = 0, H = 0, W = 0, C = 0], size, mode]: UpsampleCase) {
  return { inputs: { outputGradient: { shape: [N, ...size, C] } }, attributes: { size, mode, picture: [H, W] } };
}

const TIMED = {
  nearest: [[8, 28, 28, 64], [56, 56], 'nearest'],
  bilinear: [[8, 28, 28, 64], [56, 56], 'bilinear'],
} as const satisfies Record<string, UpsampleCase>;

/**
 * What the kernels know of an axis: output i lies at the place (i · step + start) / denominator of the input, in whole
 * numbers.
 */
function axisOf(mode: Mode, size: number, to: number) {
  if (mode === 'nearest') return { size, to, step: size, start: 0, denominator: to };
  if (mode === 'aligned') return { size, to, step: size - 1, start: 0, denominator: Math.max(to - 1, 1) };
  return { size, to, step: 2 * size, start: size - to, denominator: 2 * to };
}

type Sizes = Readonly<Record<'N' | 'H' | 'W' | 'C' | 'OH' | 'OW', number>>;

/** What both kernels are told of rows and columns. */
function axesOf({ H, W, OH, OW }: Sizes, mode: Mode): readonly number[] {
  return [axisOf(mode, H, OH), axisOf(mode, W, OW)].flatMap((axis) => Object.values(axis));
}

function launchOf(entryPoint: 'upsample' | 'upsampleGradient', sizes: Sizes, mode: Mode) {
  const { N, H, W, C, OH, OW } = sizes;
  const quads = ceilDivide(C, 4);
  const count = N * quads * (entryPoint === 'upsample' ? OH * OW : H * W);
  return {
    kernel: { name: entryPoint, code: commonWgsl + channelsWgsl(C) + upsampleWgsl, entryPoint },
    constants: { IS_NEAREST: Number(mode === 'nearest') },
    uniforms: new Uniforms().u32(...axesOf(sizes, mode), quads, C, count).bytes(),
    workgroups: foldWorkgroups(ceilDivide(count, 64)),
  };
}

/** The phase of kernels/moving/upsample.wat, of some lines of what is made a task. */
function phaseOf<const Name extends string>(
  entryPoint: 'upsample' | 'upsampleGradient',
  tensors: readonly [from: Name, to: Name],
  sizes: Sizes,
  mode: Mode,
): readonly NamedPhase<Name>[] {
  const { N, H, W, C, OH, OW } = sizes;
  const [lines, width] = entryPoint === 'upsample' ? [N * OH, OW] : [N * H, W];
  const kernel = { module: upsampleWasm, entryPoint };
  const tasks = rowParts(lines, width * C).map(({ start, count }) => {
    const settings = [start, count, C, Number(mode === 'nearest'), ...axesOf(sizes, mode)];
    return [{ kernel, arguments: [...tensors, ...settings, { scratch: true } as const] }];
  });
  // Entries and shares of all rows and columns, and the longer line.
  return [{ tasks, scratchBytes: 16 * (OH + OW) + 4 * Math.max(W, OW) * C }];
}

const upsampleOperation: Operation<UpsampleAttributes> = defineOperation<UpsampleAttributes>()({
  name: 'upsample',
  inputs: { input: f32('N', 'H', 'W', 'C') },
  outputs: { output: f32('N', 'OH', 'OW', 'C') },
  infer({ specs: { input }, sizes: { N, H, W, C }, attributes: { size } }) {
    const [OH, OW] = [elementAt(size, 0), elementAt(size, 1)];
    if (H * W === 0) throw new ShapeError(`upsample: the pictures of ${formatShape(input.shape)} have no element`);
    if (H * OH > MOST || W * OW > MOST) {
      throw new ShapeError(`upsample: ${formatShape([H, W])} to ${formatShape([OH, OW])} is beyond 32 bits`);
    }
    return { output: [N, OH, OW, C] };
  },
  reference({ input, output }, { N, H, W, C, OH, OW }, { mode }) {
    for (let n = 0; n < N; n++) {
      for (let row = 0; row < OH; row++) {
        for (let column = 0; column < OW; column++) {
          const shares = sharesOf(mode, [H, W], [OH, OW], [row, column]);
          for (let c = 0; c < C; c++) {
            let sum = 0;
            for (const { place, weight } of shares) sum += weight * input.at((n * H * W + place) * C + c);
            output.set(((n * OH + row) * OW + column) * C + c, sum);
          }
        }
      }
    }
  },
  kernel: ({ sizes, attributes: { mode } }) => [
    { ...launchOf('upsample', sizes, mode), bindings: ['input', 'output'] },
  ],
  simd: ({ sizes, attributes: { mode } }) => phaseOf('upsample', ['input', 'output'], sizes, mode),
  gradient: ({ inputs: { input }, outputGradients: { output }, attributes }) => ({
    input: applyOne(upsampleGradient, [output], { ...attributes, picture: input.shape.slice(1, 3) }),
  }),
  tolerance: { absolute: 1e-6, relative: 1e-5 }, // means of four normal numbers
  cases: CASES.map(upsampleCase),
  cost: ({ sizes: { N, C }, attributes: { size, mode } }) => ({
    flop: (mode === 'nearest' ? 0 : 8) * N * C * elementAt(size, 0) * elementAt(size, 1),
  }),
  benchmarks: { nearest: upsampleCase(TIMED.nearest), bilinear: upsampleCase(TIMED.bilinear) },
});

/** Each element of the output's gradient goes to what its output was made of, in the same shares. */
const upsampleGradient = defineOperation<GradientAttributes>()({
  name: 'upsampleGradient',
  inputs: { outputGradient: f32('N', 'OH', 'OW', 'C') },
  outputs: { inputGradient: f32('N', 'H', 'W', 'C') },
  infer: ({ sizes: { N, C }, attributes: { picture } }) => ({
    inputGradient: [N, elementAt(picture, 0), elementAt(picture, 1), C],
  }),
  reference({ outputGradient, inputGradient }, { N, H, W, C, OH, OW }, { mode }) {
    const sums = new View({ data: new Float64Array(inputGradient.size), shape: inputGradient.shape });
    for (let n = 0; n < N; n++) {
      for (let row = 0; row < OH; row++) {
        for (let column = 0; column < OW; column++) {
          for (const { place, weight } of sharesOf(mode, [H, W], [OH, OW], [row, column])) {
            for (let c = 0; c < C; c++) {
              const to = (n * H * W + place) * C + c;
              sums.set(to, sums.at(to) + weight * outputGradient.at(((n * OH + row) * OW + column) * C + c));
            }
          }
        }
      }
    }
    inputGradient.data.set(sums.data);
  },
  kernel: ({ sizes, attributes: { mode } }) => [
    { ...launchOf('upsampleGradient', sizes, mode), bindings: ['outputGradient', 'inputGradient'] },
  ],
  simd: ({ sizes, attributes: { mode } }) =>
    phaseOf('upsampleGradient', ['outputGradient', 'inputGradient'], sizes, mode),
  // It is linear: its gradient's gradient is itself.
  gradient: ({ outputGradients: { inputGradient }, attributes: { size, mode } }) => ({
    outputGradient: applyOne(upsampleOperation, [inputGradient], { size, mode }),
  }),
  tolerance: { absolute: 1e-5, relative: 1e-5 }, // sums of up to 65 shares
  cases: CASES.map(gradientCase),
  cost: ({ specs: { outputGradient }, attributes: { mode } }) => ({
    flop: (mode === 'nearest' ? 1 : 8) * outputGradient.shape.reduce((a, b) => a * b, 1),
    terms: 16,
  }),
  benchmarks: { nearest: gradientCase(TIMED.nearest), bilinear: gradientCase(TIMED.bilinear) },
});

/** Options of {@link upsample}: either `scale` or `size`. */
export interface UpsampleOptions {
  /** How many times as large height and width become: whole numbers. */
  readonly scale?: Pair;
  /** Height and width of the output; smaller ones than the input's as well. */
  readonly size?: Pair;
  /** Each output is the nearest element (PyTorch's `nearest`), or is made of the four around it. Default `nearest`. */
  readonly mode?: 'nearest' | 'bilinear';
  /** In mode `bilinear`: the corners of input and output are the centers of their corner elements. Default false. */
  readonly alignCorners?: boolean;
}

const RULES: OptionRules<UpsampleOptions> = {
  scale: pairRule,
  size: pairRule,
  mode: oneOf('nearest', 'bilinear'),
  alignCorners: boolean,
};

/**
 * Pictures [N, H, W, C] in another size, [N, OH, OW, C] (PyTorch: `F.interpolate`; Keras: `UpSampling2D`). Output i along an
 * axis of `from` elements, made to `to`, lies at the place
 *
 *     nearest                    ⌊i · from / to⌋
 *     bilinear                   max((i + 1/2) · from / to - 1/2, 0)
 *     bilinear, alignCorners     i · (from - 1) / (to - 1)
 *
 * between two elements, and takes of each by how near it is. Nothing is smoothed where pictures become smaller. Places are
 * exact; PyTorch computes them in float32, and is one element off here and there (nearest, 78 to 132: output 88).
 *
 * Throws ShapeError for other shapes and pictures without an element; OptionError unless there is one of `scale` and
 * `size`, for `alignCorners` with nearest elements, and for bad options.
 */
export function upsample(input: TensorLike, options: UpsampleOptions): Tensor {
  checkUpsampleOptions('upsample', options);
  const value = asTensor('upsample', 'input', input);
  const { H = 0, W = 0 } = bind('upsample', { input: f32('N', 'H', 'W', 'C') }, [value]).sizes;
  const { mode = 'nearest', alignCorners = false, scale = 1 } = options;
  const [down, across] = pairOf(scale);
  return applyOne(upsampleOperation, [value], {
    size: options.size === undefined ? [H * down, W * across] : pairOf(options.size),
    mode: alignCorners ? 'aligned' : mode,
  });
}

/** @internal Throws OptionError for options of `caller` that are none of {@link UpsampleOptions}. */
export function checkUpsampleOptions(caller: string, options: UpsampleOptions): void {
  checkOptions(caller, options, RULES);
  const { scale, size, mode, alignCorners } = options;
  if ((scale === undefined) === (size === undefined)) {
    throw new OptionError(`${caller}: needs either scale or size, found ${scale === undefined ? 'neither' : 'both'}`);
  }
  if (alignCorners === true && mode !== 'bilinear') {
    throw new OptionError(`${caller}: alignCorners goes with mode 'bilinear'`);
  }
}

export const upsampleOperations = [upsampleOperation, upsampleGradient];

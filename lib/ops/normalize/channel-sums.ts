import { channelSumsWasm } from '../../generated/wasm.js';
import { channelSumsWgsl } from '../../generated/wgsl.js';
import { defineOperation } from '../../graph/define.js';
import { apply } from '../../graph/node.js';
import { f32 } from '../../graph/operands.js';
import type { Operation } from '../../graph/operation.js';
import type { SimdPhase } from '../../graph/simd.js';
import { type Shape, sizeOf } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { columnPairPhases } from '../reduce/column-pairs.js';
import type { ReduceEnds } from '../reduce/reduce-ends.js';
import { reduceHost } from '../reduce/reduce-host.js';

type SumsAttributes = { readonly epsilon: number };

const SHAPES: readonly Shape[] = [
  [7],
  [1, 1],
  [3, 5],
  [300, 3],
  [2, 3, 4, 5],
  [9, 8, 7, 33],
  [131, 260],
  [4150, 8],
  [5000, 1],
  [4, 65],
];

/** What a gradient with respect to normalized channels comes to for weight and bias: both sums in one pass. */
const channelSums: Operation<SumsAttributes> = defineOperation<SumsAttributes>()({
  name: 'channelSums',
  ...reduceHost(() => ({
    operation: channelSums,
    reads: ['valueAt', 'inputAt', 'meanAt', 'varianceAt'],
    outputs: 2,
    use: ({ epsilon }, shape) => ({
      kernel: {
        ...{ name: 'channelSums', dtype: 'f32', result: 'f32', fields: ['sum', 'product'] },
        ...{ code: channelSumsWgsl, hooks: ['beginItem', 'accumulatorAt'], constants: { EPSILON: Number(epsilon) } },
        finish: (first) => `put(${first('scaledProduct(total, index)')}, index); put1(${first('total.sum')}, index);`,
      },
      axes: shape.slice(0, -1).map((_, axis) => axis),
    }),
    phases: (ends, { epsilon }, shape) => channelSumsPhases(shape, Number(epsilon), ends),
  })),
  inputs: { outputGradient: f32('...', 'C'), input: f32('...', 'C'), mean: f32('C'), variance: f32('C') },
  outputs: { weightGradient: f32('C'), biasGradient: f32('C') },
  reference({ outputGradient, input, mean, variance, weightGradient, biasGradient }, { C }, { epsilon }) {
    for (let c = 0; c < C; c++) {
      let [sum, product] = [0, 0];
      for (let i = c; i < input.size; i += C) {
        sum += outputGradient.at(i);
        product += outputGradient.at(i) * (input.at(i) - mean.at(c));
      }
      weightGradient.set(c, product / Math.sqrt(variance.at(c) + epsilon));
      biasGradient.set(c, sum);
    }
  },
  gradient: { unwritten: 'second derivatives of normalizations are not written' },
  tolerance: { absolute: 1e-4, relative: 1e-5 }, // sums of up to 5000 products of normal numbers: √5000 · 1e-7 · a few
  cases: SHAPES.map((shape) => caseOf(shape)),
  // a difference, a product, two sums
  cost: ({ specs: { input }, sizes: { C } }) => ({ flop: 4 * sizeOf(input.shape), terms: sizeOf(input.shape) / C }),
  benchmarks: { resnet50Layer1: caseOf([8, 56, 56, 64]), resnet50Layer2: caseOf([8, 28, 28, 128]) },
});

/** Places among the inputs. */
const [OUTPUT_GRADIENT, INPUT, MEAN, VARIANCE] = [0, 1, 2, 3];

function channelSumsPhases(shape: Shape, epsilon: number, ends: ReduceEnds): readonly SimdPhase[] | undefined {
  const [rows, columns] = [sizeOf(shape.slice(0, -1)), sizeOf(shape.slice(-1))];
  if (!ends.goByBlocks({ rows: 1, columns })) return undefined;
  const kernelOf = (entryPoint: string) => ({ module: channelSumsWasm, entryPoint });
  return columnPairPhases(
    { starts: [0], rows, columns },
    ends,
    ({ start, rows: some, to, stride }) => ({
      kernel: kernelOf('columnPairs'),
      arguments: [
        ...[OUTPUT_GRADIENT, INPUT].map((input) => ({ input, offset: 4 * start })),
        ...[some, 4 * columns, columns, { input: MEAN }, to, stride],
      ],
    }),
    ({ parts, partBytes, stride, blocks, to }) => ({
      kernel: kernelOf('joinChannelSums'),
      arguments: [parts, partBytes, stride, blocks.length, { input: VARIANCE }, columns, ...to, epsilon],
    }),
  );
}

function caseOf(shape: Shape) {
  const channels = shape.slice(-1);
  return {
    inputs: {
      outputGradient: { shape },
      input: { shape },
      mean: { shape: channels },
      variance: { shape: channels, fill: 'positive' as const },
    },
    attributes: { epsilon: 1e-5 },
  };
}

/** Σ dy · x̂ and Σ dy of each channel, x̂ = (x - mean) / √(variance + epsilon). */
export function sumsOfChannels(
  outputGradient: Tensor,
  { input, mean, variance, epsilon }: { input: Tensor; mean: Tensor; variance: Tensor; epsilon: number },
): { readonly weight: Tensor; readonly bias: Tensor } {
  const [weight, bias] = apply(channelSums, [outputGradient, input, mean, variance], { epsilon });
  if (!weight || !bias) throw new Error('channelSums has two outputs');
  return { weight, bias };
}

export const channelSumsOperations = [channelSums];

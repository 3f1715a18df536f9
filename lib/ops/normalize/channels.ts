import type { Stage } from '../../fusion/stage.js';
import { channelsWasm } from '../../generated/wasm.js';
import { channelsWgsl } from '../../generated/wgsl.js';
import { defineOperation } from '../../graph/define.js';
import type { Definition } from '../../graph/definition.js';
import { ceilDivide } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { f32 } from '../../graph/operands.js';
import type { Operation } from '../../graph/operation.js';
import { type Shape, sizeOf } from '../../shape.js';
import { tensor, type Tensor } from '../../tensor.js';
import { stopGradient } from '../moving/stop-gradient.js';
import { elementwiseHost } from '../pointwise/elementwise.js';
import type { Moments } from '../reduce/moments.js';
import { fromEnd } from '../simd-parts.js';
import { sumsOfChannels } from './channel-sums.js';

// Both operations compute (input - mean) / √(variance + epsilon) · weight + bias of the channels, the last axis: a stage, which
// others go along with. They differ in what mean and variance are: given numbers, or those of the input itself.

type ChannelsAttributes = { readonly epsilon: number };

const CHANNELS = { mean: f32('C'), variance: f32('C'), weight: f32('C'), bias: f32('C') };
const INPUTS = { input: f32('...', 'C'), ...CHANNELS };
const OUTPUTS = { output: f32('...', 'C') };

type ChannelsDefinition = Definition<ChannelsAttributes, typeof INPUTS, typeof OUTPUTS>;

const SHAPES: readonly Shape[] = [
  [3],
  [1, 1],
  [2, 1],
  [4, 3],
  [2, 3, 4, 8],
  [2, 5, 7, 16],
  [2, 2, 3, 33],
  [5, 65],
  [300, 4],
  [0, 3],
];

function defineChannels(
  name: string,
  own: Pick<ChannelsDefinition, 'reference' | 'gradient'>,
  ofBatch: boolean,
): Operation<ChannelsAttributes> {
  const caseOf = (shape: Shape) => {
    const channels = { shape: shape.slice(-1) };
    return {
      inputs: {
        input: { shape },
        mean: { ...channels, fill: ofBatch ? ('batchMean' as const) : ('normal' as const) },
        variance: { ...channels, fill: ofBatch ? ('batchVariance' as const) : ('positive' as const) },
        ...{ weight: channels, bias: channels },
      },
      // A variance of 0 is no case: of two elements each is ±1, or 0.
      attributes: { epsilon: 0.1 },
    };
  };
  const operation: Operation<ChannelsAttributes> = defineOperation<ChannelsAttributes>()<typeof INPUTS, typeof OUTPUTS>(
    {
      name,
      ...{ inputs: INPUTS, outputs: OUTPUTS },
      ...own,
      ...elementwiseHost(() => operation, 0),
      stage: ({ position, attributes: { epsilon } }): Stage | undefined =>
        position === 0
          ? {
              wgsl: { sources: [channelsWgsl], call: 'normalizeChannels', on: 'Element' },
              simd: { module: channelsWasm, entryPoint: 'normalizeChannels', strided: true, settings: [epsilon] },
              settings: { epsilon },
              keepsInput: true,
            }
          : undefined,
      tolerance: { absolute: 1e-5, relative: 1e-5 },
      cases: SHAPES.map(caseOf),
      cost: ({ specs: { input } }) => ({ flop: 4 * sizeOf(input.shape) }),
      benchmarks: { resnet50Layer1: caseOf([8, 56, 56, 64]), resnet50Layer2: caseOf([8, 28, 28, 128]) },
    },
  );
  return operation;
}

/** Mean and variance are given: data, which no gradient is asked for. */
const normalizeChannels = defineChannels(
  'normalizeChannels',
  {
    reference({ input, mean, variance, weight, bias, output }, { C }, { epsilon }) {
      for (let i = 0; i < input.size; i++) {
        const c = i % C;
        const normalized = (input.at(i) - mean.at(c)) / Math.sqrt(variance.at(c) + epsilon);
        output.set(i, normalized * weight.at(c) + bias.at(c));
      }
    },
    gradient({ inputs: { input, ...channels }, outputGradients: { output: dy }, attributes, sizes: { C }, needs }) {
      const { epsilon } = attributes;
      const sums = needs.weight || needs.bias ? sumsOfChannels(dy, { input, ...channels, epsilon }) : undefined;
      const zero = tensor(new Float32Array(C));
      const { variance, weight } = channels;
      return {
        // dy · weight / √(variance + epsilon)
        input: needs.input ? applyOne(normalizeChannels, [dy, zero, variance, weight, zero], attributes) : undefined,
        weight: sums?.weight,
        bias: sums?.bias,
      };
    },
  },
  false,
);

/**
 * Mean and biased variance are those of the input over all axes but the channels, computed before, so that they need not be
 * computed again: the output is a function of input, weight and bias alone.
 */
const normalizeBatch = defineChannels(
  'normalizeBatch',
  {
    reference({ input, weight, bias, output }, { C }, { epsilon }) {
      for (let c = 0; c < C; c++) {
        const { mean, variance } = momentsOfChannel(input, c, C);
        for (let i = c; i < input.size; i += C) {
          output.set(i, ((input.at(i) - mean) / Math.sqrt(variance + epsilon)) * weight.at(c) + bias.at(c));
        }
      }
    },
    gradient({ inputs: { input, ...channels }, outputGradients: { output: dy }, attributes, needs }) {
      const { mean, variance, weight } = channels;
      const sums = sumsOfChannels(dy, { input, mean, variance, ...attributes });
      const given = [dy, input, mean, variance, weight, sums.weight, sums.bias];
      return {
        input: needs.input ? applyOne(normalizeBatchInputGradient, given, attributes) : undefined,
        weight: sums.weight,
        bias: sums.bias,
      };
    },
  },
  true,
);

function momentsOfChannel(input: { readonly size: number; at(i: number): number }, c: number, C: number) {
  const count = input.size / C;
  let sum = 0;
  for (let i = c; i < input.size; i += C) sum += input.at(i);
  let squares = 0;
  for (let i = c; i < input.size; i += C) squares += (input.at(i) - sum / count) ** 2;
  return { mean: sum / count, variance: squares / count };
}

// Of y = x̂ · w + b, x̂ = (x - m) / d, d = √(v + epsilon), where m and v hang on all n values x of the channel:
// dx = w / d · (dy - Σ dy / n - x̂ · Σ dy · x̂ / n), the sums being the gradients of b and w.
const normalizeBatchInputGradient: Operation<ChannelsAttributes> = defineOperation<ChannelsAttributes>()({
  name: 'normalizeBatchInputGradient',
  inputs: {
    outputGradient: f32('...', 'C'),
    input: f32('...', 'C'),
    ...{ mean: f32('C'), variance: f32('C'), weight: f32('C'), weightGradient: f32('C'), biasGradient: f32('C') },
  },
  outputs: { inputGradient: f32('...', 'C') },
  reference(
    { outputGradient, input, mean, variance, weight, weightGradient, biasGradient, inputGradient },
    { C },
    { epsilon },
  ) {
    const count = input.size / C;
    for (let i = 0; i < input.size; i++) {
      const c = i % C;
      const deviation = Math.sqrt(variance.at(c) + epsilon);
      const normalized = (input.at(i) - mean.at(c)) / deviation;
      const mean_ = (biasGradient.at(c) + normalized * weightGradient.at(c)) / count;
      inputGradient.set(i, (weight.at(c) / deviation) * (outputGradient.at(i) - mean_));
    }
  },
  ...elementwiseHost(() => normalizeBatchInputGradient, 0),
  stage: ({ position, inputs: [first], attributes: { epsilon } }): Stage | undefined => {
    const { shape } = first ?? { shape: [] };
    const share = sizeOf(shape.slice(-1)) / sizeOf(shape);
    return position === 0
      ? {
          wgsl: { sources: [channelsWgsl], call: 'normalizeBatchInputGradient', on: 'Element' },
          simd: {
            ...{ module: channelsWasm, entryPoint: 'normalizeBatchInputGradient', strided: true },
            settings: [epsilon, share],
            scratchBytes: 4 * 16 * ceilDivide(fromEnd(shape, 1, 1), 4),
          },
          settings: { epsilon, share: { varies: share } },
        }
      : undefined;
  },
  gradient: { unwritten: 'second derivatives of normalizations are not written' },
  tolerance: { absolute: 1e-5, relative: 1e-5 },
  cases: SHAPES.map(gradientCaseOf),
  cost: ({ specs: { input } }) => ({ flop: 6 * sizeOf(input.shape) }),
  benchmarks: {
    resnet50Layer1: gradientCaseOf([8, 56, 56, 64]),
    resnet50Layer2: gradientCaseOf([8, 28, 28, 128]),
  },
});

function gradientCaseOf(shape: Shape) {
  const channels = { shape: shape.slice(-1) };
  return {
    inputs: {
      ...{ outputGradient: { shape }, input: { shape }, mean: channels },
      variance: { ...channels, fill: 'positive' as const },
      ...{ weight: channels, weightGradient: channels, biasGradient: channels },
    },
    attributes: { epsilon: 1e-5 },
  };
}

/** What channels are normalized by. */
export interface NormalizedBy extends Moments {
  readonly weight: Tensor | undefined;
  readonly bias: Tensor | undefined;
  readonly epsilon: number;
}

/**
 * (input - mean) / √(variance + epsilon) · weight + bias, all of them [C], input [.., C]; without weight and bias 1 and 0.
 *
 * @param of whether mean and variance are the moments of the input itself, which its gradient counts on, or data
 */
export function normalize(input: Tensor, by: NormalizedBy, of: 'batch' | 'data'): Tensor {
  const channels = sizeOf(input.shape.slice(-1));
  const { weight = tensor(new Float32Array(channels).fill(1)), bias = tensor(new Float32Array(channels)) } = by;
  const { epsilon } = by;
  const given = [input, stopGradient(by.mean), stopGradient(by.variance), weight, bias];
  return applyOne(of === 'batch' ? normalizeBatch : normalizeChannels, given, { epsilon });
}

export const channelsOperations = [normalizeChannels, normalizeBatch, normalizeBatchInputGradient];

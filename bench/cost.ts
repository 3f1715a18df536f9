import type { Attributes, TensorSpec } from '../lib/graph/operation.js';
import { wordsOf } from '../lib/graph/launch.js';
import { sizeOf } from '../lib/shape.js';
import type { Entry } from './entry.js';

/** What an execution must do at the least, whatever kernel does it. */
export interface Cost {
  /** Floating-point operations: 2 · M · N · K of a product; see {@link FLOP_PER_ELEMENT} for the others. */
  readonly flop: number;
  /** Every tensor that is read or written once over the bus; caches may save some of it, tiles read it more often. */
  readonly bytes: number;
  /** Terms in the longest sum: rounding errors grow with it. */
  readonly terms: number;
  /** [M, N, K] of a product; the shape of the largest tensor of anything else. */
  readonly size: readonly number[];
}

/** Operations that move numbers and compute none, or compute with integers. */
const MOVES = new Set(
  'transpose concat slice sliceGradient broadcastTo gather randomBits randomUniform randomNormal assign copy advance argmax correctPredictions negativeLogLikelihoodGradient'.split(
    ' ',
  ),
);
/** Reductions do a flop for every element that is read. */
const REDUCTIONS = new Set(['sum', 'max', 'min', 'gatherGradient']);
/** What reads of its input only as much as it writes. */
const READS_A_PART = new Set(['gather', 'slice', 'negativeLogLikelihood']);
/** Flop an element of the largest tensor: maximum, subtraction, exponential, sum, division … each count as one. */
const FLOP_PER_ELEMENT: Readonly<Record<string, number>> = {
  softmax: 5,
  logSoftmax: 5,
  softmaxCrossEntropy: 4,
  softmaxCrossEntropyGradient: 6,
  softmaxCrossEntropyLoss: 6,
  sgdUpdate: 2,
  sgdMomentumUpdate: 4,
  adamUpdate: 10,
};

/** The cost of a benchmark. An elementwise function counts as one flop an element, `exp` like `add`. */
export function costOf({ operation, inputs: given, attributes }: Entry): Cost {
  const inputs = given.map(({ shape, dtype = 'f32' }): TensorSpec => ({ shape, dtype }));
  const outputs = operation.infer(inputs, attributes);
  const elements = (specs: readonly TensorSpec[]): number => specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const [read, written] = [elements(inputs), elements(outputs)];
  const largest = [...inputs, ...outputs].sort((a, b) => sizeOf(b.shape) - sizeOf(a.shape))[0]?.shape ?? [];
  const { name } = operation;
  if (isProduct(name)) {
    const size = productSize(inputs, outputs, attributes);
    const K = size[2] ?? 0;
    const words = [...inputs, ...outputs].reduce((sum, spec) => sum + wordsOf(spec), 0);
    return { flop: 2 * sizeOf(outputs[0]?.shape ?? []) * K, bytes: 4 * words, terms: K, size };
  }
  const terms = Math.max(1, Math.ceil(read / Math.max(written, 1)));
  const bytes = 4 * (READS_A_PART.has(name) ? 2 * written : read + written);
  if (MOVES.has(name)) return { flop: 0, bytes, terms, size: largest };
  if (REDUCTIONS.has(name)) return { flop: read, bytes, terms, size: largest };
  if (READS_A_PART.has(name)) return { flop: written, bytes, terms, size: largest };
  return { flop: sizeOf(largest) * (FLOP_PER_ELEMENT[name] ?? 1), bytes, terms, size: largest };
}

/** Whether an operation is a matrix product, on its own or with what is fused to it, whose few flop do not count. */
export function isProduct(name: string): boolean {
  return name === 'matmul' || name.startsWith('matmul + ');
}

function productSize(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[], attributes: Attributes): number[] {
  const [M = 0, N = 0] = outputs[0]?.shape.slice(-2) ?? [];
  return [M, N, inputs[0]?.shape.at(attributes['transposeA'] === true ? -2 : -1) ?? 0];
}

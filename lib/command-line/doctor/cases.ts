import type { CaseInput, NumericArray, Operation } from '../../graph/operation.js';
import { MEMBER_WORDS, optimizerState } from '../../ops/update/optimizer-state.js';
import { RandomStream } from '../../random.js';
import { formatShape, sizeOf } from '../../shape.js';
import { arrayOf, tensor, type Tensor } from '../../tensor.js';

/** A case of any operation. */
export type Case = Operation['cases'][number];

/** The tensors of a case, filled from the seed as the case asks for. */
export function caseInputs({ inputs }: Case, seed = 7): Tensor[] {
  const first = inputs[0] && fill(inputs[0], new RandomStream(seed, 'input 0'));
  return inputs.map((input, i) => {
    const isMoment = input.fill === 'batchMean' || input.fill === 'batchVariance';
    const values =
      isMoment && first
        ? columnMoments(first, sizeOf(input.shape))[input.fill]
        : fill(input, new RandomStream(seed, `input ${i}`));
    return tensor(values, { shape: input.shape, ...(input.dtype === 'f16' && { dtype: 'f16' }) });
  });
}

function fill(input: CaseInput, stream: RandomStream): NumericArray {
  const count = sizeOf(input.shape);
  const kind = input.fill ?? 'normal';
  if (typeof kind === 'object' && 'step' in kind) {
    const members = Array.from({ length: (count - 3) / MEMBER_WORDS }, () => ({ steps: kind.step, take: 0.1 }));
    return optimizerState(kind.step, members, Float32Array.of(...stream.uniform(1, 0.1, 3), 0));
  }
  if (typeof kind === 'object') {
    const integers = Array.from(stream.uniform(count), (u) => Math.floor(u * kind.below));
    return arrayOf(input.dtype ?? 'i32', integers);
  }
  if (kind === 'state') return stream.bits(count);
  if (kind === 'zero') return new Float32Array(count);
  if (kind === 'positive') return stream.uniform(count, 0.1, 3);
  if (kind === 'unit') return stream.uniform(count);
  if (kind === 'probabilities') return normalizedRows(stream.uniform(count, 0.1, 1), input.shape.at(-1) ?? 1);
  if (kind === 'distinct') return distinct(count, stream);
  return stream.normal(count);
}

/** Mean and biased variance of the columns of a matrix. */
function columnMoments(values: NumericArray, columns: number) {
  const rows = values.length / columns;
  const [batchMean, batchVariance] = [new Float64Array(columns), new Float64Array(columns)];
  const add = (sums: Float64Array, i: number, value: number): void => {
    sums[i % columns] = (sums[i % columns] ?? NaN) + value / rows;
  };
  values.forEach((value, i) => {
    add(batchMean, i, value);
  });
  values.forEach((value, i) => {
    add(batchVariance, i, (value - (batchMean[i % columns] ?? NaN)) ** 2);
  });
  return { batchMean: Float32Array.from(batchMean), batchVariance: Float32Array.from(batchVariance) };
}

function normalizedRows(values: Float32Array, size: number): Float32Array {
  for (let start = 0; start < values.length; start += size) {
    const row = values.subarray(start, start + size);
    const total = row.reduce((sum, value) => sum + value, 0);
    row.forEach((value, i) => (row[i] = value / total));
  }
  return values;
}

/** Multiples of 1/8 in random order: no two closer than a finite difference. */
function distinct(count: number, stream: RandomStream): Float32Array {
  const keys = stream.uniform(count);
  const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0));
  return Float32Array.from(order, (rank) => (rank - count / 2) / 8);
}

/** `[3, 5] · [5] {"axis":1}`: what a case is, for a test's name. */
export function describeCase({ inputs, attributes }: Case): string {
  return `${inputs.map(({ shape }) => formatShape(shape)).join(' ')} ${JSON.stringify(attributes)}`;
}

/** Examples in a step. */
export const BATCH = 32;

/** Numbers in a picture: 3 × 28 × 28, flattened. */
export const INPUTS = 2352;

/** Width of the hidden layer. */
export const HIDDEN = 200;

/** Classes of the pictures. */
export const CLASSES = 2;

/** Batches in the data set, which are trained on in turn. */
export const BATCHES = 10;

/** Of the optimizer, SGD as PyTorch defines it. */
export const LEARNING_RATE = 0.02;

/** Of the optimizer. */
export const MOMENTUM = 0.9;

/** Share of the hidden layer that is dropped where a step is timed; nothing is dropped where losses are compared. */
export const DROPOUT = 0.5;

/** A tensor as plain numbers. */
export interface PlainTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** The parameters of MyNet by PyTorch's names, weights as [out, in]. */
export type ParameterName = 'fc1.weight' | 'fc1.bias' | 'fc2.weight' | 'fc2.bias';

/** What every library trains: the same numbers for all of them. */
export interface Workload {
  /** f32 [BATCHES · BATCH, INPUTS] */
  readonly pictures: Float32Array;
  /** i32 [BATCHES · BATCH] */
  readonly labels: Int32Array;
  readonly parameters: Readonly<Record<ParameterName, PlainTensor>>;
}

/** Pictures, labels and initial weights of MyNet, made from a seed without any library. */
export function makeWorkload(seed = 1): Workload {
  const random = uniformNumbers(seed);
  const count = BATCHES * BATCH;
  const labels = Int32Array.from({ length: count }, (_, row) => row % CLASSES);
  const pictures = Float32Array.from({ length: count * INPUTS }, (_, i) => {
    const label = Math.floor(i / INPUTS) % CLASSES;
    return 0.9 * random() + 0.1 * ((i % INPUTS) % CLASSES === label ? 1 : 0);
  });
  const parameter = (shape: readonly number[], inputs: number): PlainTensor => {
    const length = shape.reduce((product, size) => product * size, 1);
    return { shape, data: Float32Array.from({ length }, () => (2 * random() - 1) / Math.sqrt(inputs)) };
  };
  return {
    pictures,
    labels,
    parameters: {
      'fc1.weight': parameter([HIDDEN, INPUTS], INPUTS),
      'fc1.bias': parameter([HIDDEN], INPUTS),
      'fc2.weight': parameter([CLASSES, HIDDEN], HIDDEN),
      'fc2.bias': parameter([CLASSES], HIDDEN),
    },
  };
}

/** A matrix turned round: from PyTorch's weight [out, in] to the kernel [in, out] of Keras, TensorFlow.js and Flax. */
export function transposed({ shape, data }: PlainTensor): PlainTensor {
  const [rows = 1, columns = 1] = shape;
  const at = (i: number): number => data[(i % rows) * columns + Math.floor(i / rows)] ?? NaN;
  return { shape: [columns, rows], data: Float32Array.from({ length: data.length }, (_, i) => at(i)) };
}

/** The rows of a batch: [start, end). */
export function batchRange(batch: number): readonly [start: number, end: number] {
  const start = (batch % BATCHES) * BATCH;
  return [start, start + BATCH];
}

/** Uniform numbers in [0, 1): the generator mulberry32, which is enough for a benchmark's data. */
export function uniformNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
}

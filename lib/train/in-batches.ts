import { compileIn } from '../compile.js';
import { InputStream } from '../data/input-stream.js';
import { isStreamed, type StreamedData } from '../data/streamed-data.js';
import { checkExampleData } from '../data/check-data.js';
import { type ExampleData, outcomesOf } from '../data/training-data.js';
import { ShapeError } from '../errors.js';
import type { NumericArray } from '../graph/operation.js';
import type { Module } from '../nn/module.js';
import { cast } from '../ops/pointwise/cast.js';
import { type OptionRules, wholeNumber } from '../options.js';
import { RUN_RULES, type RunOptions } from '../run.js';
import { formatShape, type Shape, sizeOf } from '../shape.js';
import { tensor, Tensor } from '../tensor.js';
import { EVALUATION_BATCH } from './evaluate.js';
import { builtInputShape } from './prepare-model.js';

/** Options of {@link predict} and {@link saliency}. */
export interface PredictOptions extends RunOptions {
  /** Rows computed at once, at most: all of them where there are fewer. Default 256. */
  readonly batchSize?: number;
}

export const PREDICT_RULES: OptionRules<PredictOptions> = { batchSize: wholeNumber({ min: 1 }), ...RUN_RULES };

/**
 * What `compute` gives for inputs [N, ...inputShape] of a model, in evaluation mode and in batches: [N, ...rowShape].
 *
 * @param rowShape of the shape of one input, which the model is built for when it is asked
 */
export async function inBatches(
  caller: string,
  model: Module,
  inputs: Tensor | ExampleData | StreamedData,
  { batchSize = EVALUATION_BATCH, ...options }: PredictOptions,
  rowShape: (inputShape: Shape) => Shape,
  compute: (batch: Tensor) => Tensor,
): Promise<Tensor> {
  const { shape, scale, length, next } = await sourceOf(caller, inputs);
  const [count = 0, ...rest] = shape;
  if (!Number.isInteger(count)) {
    throw new ShapeError(`${caller}: ${length} numbers are no whole number of inputs ${formatShape(rest)}`);
  }
  const expected = builtInputShape(caller, model, rest);
  if (expected.join() !== rest.join()) {
    throw new ShapeError(`${caller}: inputs ${formatShape(shape)} for a model built for [N, ${expected.join(', ')}]`);
  }
  const outputShape = [count, ...rowShape(rest)];
  const outputs = new Float32Array(sizeOf(outputShape));
  const step = compileIn(
    { training: false, model },
    (batch) => compute(scale === undefined ? batch : cast(batch, 'f32', { scale })),
    options,
  );
  try {
    for (let start = 0; start < count; start += batchSize) {
      const rows = Math.min(batchSize, count - start);
      const batch = tensor(await next(start, rows), { shape: [rows, ...rest] });
      outputs.set(await (await step(batch)).data(), (start * outputs.length) / count);
    }
  } finally {
    step.dispose();
  }
  return tensor(outputs, { shape: outputShape });
}

/** Inputs [N, ..], batch after batch. */
interface Source {
  readonly shape: Shape;
  /** What bytes are multiplied by; undefined where they are floats. */
  readonly scale: number | undefined;
  /** Numbers in all. */
  readonly length: number;
  readonly next: (start: number, rows: number) => NumericArray | Promise<NumericArray>;
}

async function sourceOf(caller: string, inputs: Tensor | ExampleData | StreamedData): Promise<Source> {
  if (isStreamed(inputs)) {
    const { inputShape, dtype, scale = 1 } = inputs;
    const stream = new InputStream({ ...inputs, prefetch: 0 }, { seed: 0, shuffle: false });
    const shape = [outcomesOf(inputs).count, ...inputShape];
    const next = async (_start: number, rows: number): Promise<NumericArray> => (await stream.take(rows, rows)).inputs;
    return { shape, scale: dtype === 'u8' ? scale : undefined, length: sizeOf(shape), next };
  }
  if (inputs instanceof Tensor) {
    const data = await inputs.data();
    return { shape: inputs.shape, scale: undefined, length: data.length, next: partsOf(data, inputs.shape.slice(1)) };
  }
  checkExampleData(`${caller}: inputs`, inputs);
  const { inputs: data, inputShape, scale = 1 } = inputs;
  return {
    shape: [data.length / sizeOf(inputShape), ...inputShape],
    scale: data instanceof Uint8Array ? scale : undefined,
    length: data.length,
    next: partsOf(data, inputShape),
  };
}

function partsOf(data: NumericArray, rowShape: Shape): Source['next'] {
  const columns = sizeOf(rowShape);
  return (start, rows) => data.subarray(start * columns, (start + rows) * columns);
}

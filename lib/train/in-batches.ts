import { compileIn } from '../compile.js';
import { checkExampleData, type ExampleData } from '../data/training-data.js';
import { ShapeError } from '../errors.js';
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
  inputs: Tensor | ExampleData,
  { batchSize = EVALUATION_BATCH, ...options }: PredictOptions,
  rowShape: (inputShape: Shape) => Shape,
  compute: (batch: Tensor) => Tensor,
): Promise<Tensor> {
  if (!(inputs instanceof Tensor)) checkExampleData(`${caller}: inputs`, inputs);
  const { shape, data, scale } =
    'inputs' in inputs
      ? {
          shape: [inputs.inputs.length / sizeOf(inputs.inputShape), ...inputs.inputShape],
          data: inputs.inputs,
          scale: inputs.inputs instanceof Uint8Array ? (inputs.scale ?? 1) : undefined,
        }
      : { shape: inputs.shape, data: await inputs.data(), scale: undefined };
  const [count = 0, ...rest] = shape;
  if (!Number.isInteger(count)) {
    throw new ShapeError(`${caller}: ${data.length} numbers are no whole number of inputs ${formatShape(rest)}`);
  }
  const expected = builtInputShape(caller, model, rest);
  if (expected.join() !== rest.join()) {
    throw new ShapeError(`${caller}: inputs ${formatShape(shape)} for a model built for [N, ${expected.join(', ')}]`);
  }
  const columns = sizeOf(rest);
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
      const batch = tensor(data.subarray(start * columns, (start + rows) * columns), { shape: [rows, ...rest] });
      outputs.set(await (await step(batch)).data(), (start * outputs.length) / count);
    }
  } finally {
    step.dispose();
  }
  return tensor(outputs, { shape: outputShape });
}

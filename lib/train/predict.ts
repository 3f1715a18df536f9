import { compileIn } from '../compile.js';
import { checkExampleData, type ExampleData } from '../data/training-data.js';
import { ShapeError } from '../errors.js';
import type { Module } from '../nn/module.js';
import { cast } from '../ops/pointwise/cast.js';
import { checkOptions, type OptionRules, wholeNumber } from '../options.js';
import { RUN_RULES, type RunOptions } from '../run.js';
import { sizeOf } from '../shape.js';
import { tensor, Tensor } from '../tensor.js';
import { EVALUATION_BATCH } from './evaluate.js';
import { builtInputShape } from './prepare-model.js';

/** Options of {@link predict}. */
export interface PredictOptions extends RunOptions {
  /** Rows computed at once, at most: all of them where there are fewer. Default 256. */
  readonly batchSize?: number;
}

const RULES: OptionRules<PredictOptions> = { batchSize: wholeNumber({ min: 1 }), ...RUN_RULES };

/**
 * The outputs of a model for inputs [N, ...inputShape], in evaluation mode and in batches: [N, ..]. For probabilities
 * of a net that gives logits, `softmax(await predict(…))`. Throws ShapeError where the inputs do not fit the model.
 *
 * @param inputs a tensor, or training data, of which only the inputs are looked at; bytes are read with their scale
 */
export async function predict(
  model: Module,
  inputs: Tensor | ExampleData,
  options: PredictOptions = {},
): Promise<Tensor> {
  checkOptions('predict', options, RULES);
  if (!(inputs instanceof Tensor)) checkExampleData('predict: inputs', inputs);
  const { batchSize = EVALUATION_BATCH } = options;
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
    throw new ShapeError(`predict: ${data.length} numbers are no whole number of inputs [${rest.join(', ')}]`);
  }
  const expected = builtInputShape('predict', model, rest);
  if (expected.join() !== rest.join()) {
    throw new ShapeError(`predict: inputs [${shape.join(', ')}] for a model built for [N, ${expected.join(', ')}]`);
  }
  const columns = sizeOf(rest);
  const outputShape = [count, ...model.outputShape()];
  const outputs = new Float32Array(sizeOf(outputShape));
  const forward = compileIn(
    { training: false, model },
    (batch) => model.forward(scale === undefined ? batch : cast(batch, 'f32', { scale })),
    options,
  );
  try {
    for (let start = 0; start < count; start += batchSize) {
      const rows = Math.min(batchSize, count - start);
      const batch = tensor(data.subarray(start * columns, (start + rows) * columns), { shape: [rows, ...rest] });
      outputs.set(await (await forward(batch)).data(), (start * outputs.length) / count);
    }
  } finally {
    forward.dispose();
  }
  return tensor(outputs, { shape: outputShape });
}

import type { StreamedData } from '../data/streamed-data.js';
import type { ExampleData } from '../data/training-data.js';
import type { Module } from '../nn/module.js';
import { checkOptions } from '../options.js';
import type { Tensor } from '../tensor.js';
import { inBatches, PREDICT_RULES, type PredictOptions } from './in-batches.js';

/**
 * The outputs of a model for inputs [N, ...inputShape], in evaluation mode and in batches: [N, ..]. For probabilities
 * of a net that gives logits, `softmax(await predict(…))`. Throws ShapeError where the inputs do not fit the model.
 *
 * @param inputs a tensor, or training data, of which only the inputs are looked at; bytes are read with their scale
 */
export async function predict(
  model: Module,
  inputs: Tensor | ExampleData | StreamedData,
  options: PredictOptions = {},
): Promise<Tensor> {
  checkOptions('predict', options, PREDICT_RULES);
  return inBatches(
    'predict',
    model,
    inputs,
    options,
    () => model.outputShape(),
    (batch) => model.forward(batch),
  );
}

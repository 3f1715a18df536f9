import type { ExampleData } from '../data/training-data.js';
import { ShapeError } from '../errors.js';
import { gradient } from '../graph/gradient.js';
import type { Module } from '../nn/module.js';
import { max } from '../ops/reduce/extremes.js';
import { sum } from '../ops/reduce/sum.js';
import { checkOptions } from '../options.js';
import { formatShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { inBatches, PREDICT_RULES, type PredictOptions } from './in-batches.js';

/**
 * How much each number of an input matters for the class that a classifier gives to it: the gradient of the greatest logit
 * with respect to the input (Simonyan, Vedaldi and Zisserman 2013, "Deep inside convolutional networks"),
 *
 *     saliency[i] = ∂ max_j logits[i, j] / ∂ inputs[i]      inputs [N, ...inputShape] → [N, ...inputShape]
 *
 * in evaluation mode and in batches. Its magnitude says how much; `drawSaliency` of `kernelwright/report` draws it. A model that
 * ends in a softmax gives the gradient of the probability, which vanishes where it is sure.
 *
 * Throws ShapeError where the inputs do not fit the model, or its output is not [N, classes], and TraceError where an
 * operation on the way has no gradient.
 *
 * @param inputs a tensor, or training data, of which only the inputs are looked at; bytes are read with their scale, and
 *   the gradient is that with respect to what is read
 */
export async function saliency(
  model: Module,
  inputs: Tensor | ExampleData,
  options: PredictOptions = {},
): Promise<Tensor> {
  checkOptions('saliency', options, PREDICT_RULES);
  const rowShape = (inputShape: readonly number[]): readonly number[] => {
    const outputShape = model.outputShape();
    if (outputShape.length === 1) return inputShape;
    throw new ShapeError(
      `saliency: a model with outputs ${formatShape(outputShape)} each: expected one number a class`,
    );
  };
  return inBatches('saliency', model, inputs, options, rowShape, (batch) => {
    const [slope] = gradient(sum(max(model.forward(batch), { axes: 1 })), [batch]);
    if (!slope) throw new Error('gradient gave nothing for the inputs');
    return slope;
  });
}

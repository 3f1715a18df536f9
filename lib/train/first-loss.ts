import type { StreamedData } from '../data/streamed-data.js';
import type { TrainingData } from '../data/training-data.js';
import type { Module } from '../nn/module.js';
import { softmaxCrossEntropy } from '../ops/loss/softmax-cross-entropy.js';
import { sizeOf } from '../shape.js';
import type { Loss } from './objective.js';

interface FirstLossOptions {
  readonly loss?: Loss;
  /** Whether the model was just built. */
  readonly isNew: boolean;
  readonly onWarning?: (message: string) => void;
}

/** A first loss beyond so many times what a guess comes to, or below one part in so many, is remarked on. */
const FAR = 2;

/**
 * Looks at the loss of a training's first step. One that knows nothing of its classes gives each the same
 * probability, and its cross-entropy is ln(classes): much more says that it is sure of what it does not know, and much
 * less, of a model that was just built, that it knows what it should not. Undefined where the loss is another one.
 */
export function firstLossWatch(
  model: Module,
  data: TrainingData | StreamedData,
  { loss = softmaxCrossEntropy, isNew, onWarning = console.warn }: FirstLossOptions,
): ((first: number) => void) | undefined {
  const outputs = model.outputShape();
  const classes = outputs.at(-1) ?? 0;
  const isOfClasses = 'labels' in data && classes > 1 && sizeOf(outputs) === classes;
  if (!isOfClasses || loss !== softmaxCrossEntropy) return undefined;
  const guess = Math.log(classes);
  return (first) => {
    const found =
      `fit: the loss of the first step is ${first.toPrecision(3)}, ` +
      `and that of a guess among ${classes} classes ${guess.toPrecision(3)}`;
    if (first > FAR * guess) {
      onWarning(`${found}: the inputs may be too large (make them about -1 to 1), or the weights of the last layer`);
    } else if (isNew && first < guess / FAR) {
      onWarning(`${found}, though the model is new: do its inputs hold the answer?`);
    }
  };
}

import { DataLoader, type Device, fromArrays, myNet, SGD } from '../../lib/index.js';
import { TrainingStep } from '../step/training-step.js';
import { CLASSES, DROPOUT, LEARNING_RATE, MOMENTUM, uniformNumbers } from '../step/workload.js';

/** How large a training step is. */
export interface Scale {
  /** Numbers in an example. */
  readonly inputs: number;
  /** Examples in a step. */
  readonly batch: number;
  /** Width of the hidden layer. */
  readonly hidden: number;
  /** Examples in the data set, which is on the device. */
  readonly examples: number;
}

/**
 * Multiply-adds in the products of a step: of both layers forwards, of both weight gradients, and of the gradient with
 * respect to the hidden layer.
 */
export function multiplyAddsOf({ inputs, batch, hidden }: Scale): number {
  return batch * hidden * (2 * inputs + 3 * CLASSES);
}

/** A training step of a net like MyNet at any scale; its batches go round the data set. */
export function scaledStep(device: Device, { inputs, batch, hidden, examples }: Scale): TrainingStep {
  const random = uniformNumbers(1);
  const pictures = Float32Array.from({ length: examples * inputs }, random);
  const labels = Int32Array.from({ length: examples }, (_, row) => row % CLASSES);
  const data = fromArrays(pictures, labels, { inputShape: [inputs] });
  return new TrainingStep(device, {
    model: myNet({ hidden, classes: CLASSES, dropout: DROPOUT }).build([inputs]),
    loader: new DataLoader(data, { batchSize: batch }),
    optimizer: new SGD({ learningRate: LEARNING_RATE, momentum: MOMENTUM }),
    hasAccuracy: true,
  });
}

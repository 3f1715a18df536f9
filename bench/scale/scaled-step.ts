import {
  accuracy,
  compile,
  DataLoader,
  type Device,
  fromArrays,
  Meter,
  myNet,
  SGD,
  softmaxCrossEntropy,
} from '../../lib/index.js';
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
export class ScaledStep {
  readonly #device: Device;
  readonly #loss = new Meter();
  readonly #step;
  readonly #owned: readonly { dispose(): void }[];

  constructor(device: Device, scale: Scale) {
    const { inputs, batch, hidden, examples } = scale;
    this.#device = device;
    const random = uniformNumbers(1);
    const pictures = Float32Array.from({ length: examples * inputs }, random);
    const labels = Int32Array.from({ length: examples }, (_, row) => row % CLASSES);
    const loader = new DataLoader(fromArrays(pictures, labels, { inputShape: [inputs] }), { batchSize: batch });
    const model = myNet({ hidden, classes: CLASSES, dropout: DROPOUT }).build([inputs]);
    model.train();
    const optimizer = new SGD({ learningRate: LEARNING_RATE, momentum: MOMENTUM });
    const hits = new Meter();
    this.#step = compile(
      () => {
        const { inputs: rows, labels: target } = loader.next();
        const logits = model.forward(rows);
        const value = softmaxCrossEntropy(logits, target);
        optimizer.minimize(value, model.parameters());
        this.#loss.update(value, batch);
        hits.update(accuracy(logits, target), batch);
      },
      { device },
    );
    this.#owned = [this.#step, loader, model, optimizer, this.#loss, hits];
  }

  /** Trains so many steps, then waits for the device. */
  async run(steps: number): Promise<void> {
    await this.#step.repeat(steps);
    await this.#device.finished();
  }

  /** The mean loss since it was read last. */
  async readLoss(): Promise<number> {
    return (await this.#loss.take()).mean;
  }

  dispose(): void {
    for (const owned of this.#owned) owned.dispose();
  }
}

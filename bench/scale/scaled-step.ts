import { MyNet } from '../../examples/mynet/model.js';
import { accuracy, compile, type Device, gather, Meter, SGD, softmaxCrossEntropy, Variable } from '../../lib/index.js';
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

/** Steps without a turn for the timers, as in bench/step/training-step.ts. */
const STEPS_BETWEEN_BREATHS = 64;

/** A training step of a net like MyNet at any scale; its batches go round the data set. */
export class ScaledStep {
  readonly #device: Device;
  readonly #scale: Scale;
  readonly #loss = new Meter();
  readonly #step;
  readonly #owned: readonly { dispose(): void }[];
  readonly #rows: Int32Array;
  #nextRow = 0;

  constructor(device: Device, scale: Scale) {
    const { inputs, batch, hidden, examples } = scale;
    this.#device = device;
    this.#scale = scale;
    this.#rows = new Int32Array(batch);
    const random = uniformNumbers(1);
    const pictures = Float32Array.from({ length: examples * inputs }, random);
    const data = new Variable('pictures', pictures, [examples, inputs]);
    const labels = new Variable(
      'labels',
      Int32Array.from({ length: examples }, (_, row) => row % CLASSES),
    );
    const model = new MyNet(hidden, CLASSES, DROPOUT).build([inputs]);
    model.train();
    const optimizer = new SGD({ learningRate: LEARNING_RATE, momentum: MOMENTUM });
    const hits = new Meter();
    this.#step = compile(
      (rows) => {
        const target = gather(labels, rows);
        const logits = model.forward(gather(data, rows));
        const value = softmaxCrossEntropy(logits, target);
        optimizer.minimize(value, model.parameters());
        this.#loss.update(value, rows.size);
        hits.update(accuracy(logits, target), rows.size);
      },
      { device },
    );
    this.#owned = [this.#step, data, labels, model, optimizer, this.#loss, hits];
  }

  /** Trains so many steps, then waits for the device. */
  async run(steps: number): Promise<void> {
    const { batch, examples } = this.#scale;
    for (let i = 1; i <= steps; i++) {
      for (let row = 0; row < batch; row++) this.#rows[row] = (this.#nextRow + row) % examples;
      this.#nextRow = (this.#nextRow + batch) % examples;
      await this.#step(this.#rows);
      if (i % STEPS_BETWEEN_BREATHS === 0) await new Promise((resume) => setImmediate(resume));
    }
    await this.#device.finished();
  }

  /** The mean loss since it was read last. */
  async readLoss(): Promise<number> {
    const { mean } = await this.#loss.read();
    this.#loss.reset();
    return mean;
  }

  dispose(): void {
    for (const owned of this.#owned) owned.dispose();
  }
}

import { MyNet } from '../../examples/mynet/model.js';
import { accuracy, compile, type Device, gather, Meter, SGD, softmaxCrossEntropy, Variable } from '../../lib/index.js';
import {
  BATCH,
  BATCHES,
  batchRange,
  CLASSES,
  HIDDEN,
  INPUTS,
  LEARNING_RATE,
  MOMENTUM,
  type Workload,
} from './workload.js';

/**
 * Steps without a turn for the timers: a CPU device computes without a pause, and `fit` lets them run now and then.
 * Here nothing waits for them but the process's own housekeeping.
 */
const STEPS_BETWEEN_BREATHS = 64;

/** MyNet's training step as `fit` makes it, over a data set on the device: what the benchmarks time. */
export class TrainingStep {
  readonly #device: Device;
  readonly #loss = new Meter();
  readonly #hits = new Meter();
  readonly #step;
  readonly #owned: readonly { dispose(): void }[];
  readonly #batches: readonly Int32Array[];
  #stepsDone = 0;

  constructor(device: Device, work: Workload, dropout: number) {
    this.#device = device;
    const model = new MyNet(HIDDEN, CLASSES, dropout).build([INPUTS]);
    for (const parameter of model.parameters()) {
      const initial = Object.entries(work.parameters).find(([name]) => name === parameter.name);
      if (!initial) throw new Error(`the workload has no numbers for ${parameter.name}`);
      parameter.set(initial[1].data);
    }
    model.train();
    const inputs = new Variable('pictures', work.pictures, [BATCHES * BATCH, INPUTS]);
    const labels = new Variable('labels', work.labels);
    const optimizer = new SGD({ learningRate: LEARNING_RATE, momentum: MOMENTUM });
    this.#step = compile(
      (rows) => {
        const target = gather(labels, rows);
        const logits = model.forward(gather(inputs, rows));
        const value = softmaxCrossEntropy(logits, target);
        optimizer.minimize(value, model.parameters());
        this.#loss.update(value, rows.size);
        this.#hits.update(accuracy(logits, target), rows.size);
      },
      { device },
    );
    this.#owned = [this.#step, inputs, labels, this.#loss, this.#hits];
    this.#batches = Array.from({ length: BATCHES }, (_, batch) => {
      const [start] = batchRange(batch);
      return Int32Array.from({ length: BATCH }, (_, row) => start + row);
    });
  }

  /** Trains on the batches in turn, and reads the loss after every `readEvery` steps; then waits for the device. */
  async run(steps: number, readEvery = Infinity): Promise<void> {
    for (let i = 1; i <= steps; i++) {
      await this.#next();
      if (i % readEvery === 0) await this.#readLoss();
      if (i % STEPS_BETWEEN_BREATHS === 0) await new Promise((resume) => setImmediate(resume));
    }
    await this.#device.finished();
  }

  /** The loss of each of the next steps. */
  async losses(steps: number): Promise<number[]> {
    const losses: number[] = [];
    for (let i = 0; i < steps; i++) {
      await this.#next();
      losses.push(await this.#readLoss());
    }
    return losses;
  }

  dispose(): void {
    for (const owned of this.#owned) owned.dispose();
  }

  #next(): Promise<void> {
    const rows = this.#batches[this.#stepsDone++ % BATCHES];
    if (!rows) throw new Error('there are no batches');
    return this.#step(rows);
  }

  async #readLoss(): Promise<number> {
    const { mean } = await this.#loss.read();
    this.#loss.reset();
    return mean;
  }
}

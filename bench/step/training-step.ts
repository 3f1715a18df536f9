import {
  accuracy,
  compile,
  DataLoader,
  type Device,
  fromArrays,
  Meter,
  myNet,
  type Plan,
  SGD,
  softmaxCrossEntropy,
} from '../../lib/index.js';
import { BATCH, CLASSES, HIDDEN, INPUTS, LEARNING_RATE, MOMENTUM, type Workload } from './workload.js';

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

  constructor(device: Device, work: Workload, dropout: number) {
    this.#device = device;
    const model = myNet({ hidden: HIDDEN, classes: CLASSES, dropout }).build([INPUTS]);
    for (const parameter of model.parameters()) {
      const initial = Object.entries(work.parameters).find(([name]) => name === parameter.name);
      if (!initial) throw new Error(`the workload has no numbers for ${parameter.name}`);
      parameter.set(initial[1].data);
    }
    model.train();
    const data = fromArrays(work.pictures, work.labels, { inputShape: [INPUTS] });
    const loader = new DataLoader(data, { batchSize: BATCH, shuffle: false });
    const optimizer = new SGD({ learningRate: LEARNING_RATE, momentum: MOMENTUM });
    this.#step = compile(
      () => {
        const { inputs, labels } = loader.next();
        const logits = model.forward(inputs);
        const value = softmaxCrossEntropy(logits, labels);
        optimizer.minimize(value, model.parameters());
        this.#loss.update(value, labels.size);
        this.#hits.update(accuracy(logits, labels), labels.size);
      },
      { device },
    );
    this.#owned = [this.#step, loader, this.#loss, this.#hits];
  }

  /** Trains on the batches in turn, many steps a submit, and reads the loss after every `readEvery`; waits for the device. */
  async run(steps: number, readEvery = Infinity): Promise<void> {
    for (let done = 0; done < steps; done += readEvery) {
      await this.#step.repeat(Math.min(readEvery, steps - done));
      if (done + readEvery <= steps) await this.#readLoss();
    }
    await this.#device.finished();
  }

  /** The same with a call and a submit for each step. */
  async runOneByOne(steps: number): Promise<void> {
    for (let i = 1; i <= steps; i++) {
      await this.#step();
      if (i % STEPS_BETWEEN_BREATHS === 0) await new Promise((resume) => setImmediate(resume));
    }
    await this.#device.finished();
  }

  /** The loss of each of the next steps. */
  async losses(steps: number): Promise<number[]> {
    const losses: number[] = [];
    for (let i = 0; i < steps; i++) {
      await this.#step();
      losses.push(await this.#readLoss());
    }
    return losses;
  }

  /** What the step was compiled to. */
  plans(): readonly Plan[] {
    return this.#step.plans();
  }

  dispose(): void {
    for (const owned of this.#owned) owned.dispose();
  }

  async #readLoss(): Promise<number> {
    return (await this.#loss.take()).mean;
  }
}

import {
  accuracy,
  compile,
  type DataLoader,
  type Device,
  Meter,
  type Module,
  type Optimizer,
  type Plan,
  softmaxCrossEntropy,
} from '../../lib/index.js';

/**
 * Steps without a turn for the timers: a CPU device computes without a pause, and `fit` lets them run now and then.
 * Here nothing waits for them but the process's own housekeeping.
 */
const STEPS_BETWEEN_BREATHS = 64;

/** What a training is made of. */
export interface TrainingParts {
  /** Built. */
  readonly model: Module;
  readonly loader: DataLoader;
  readonly optimizer: Optimizer;
  /** Whether the share of right classes is metered beside the loss. */
  readonly hasAccuracy: boolean;
}

/** A training step as `fit` makes it, over a data set on the device: what the benchmarks time. It owns its parts. */
export class TrainingStep {
  /** What is compiled: the operations of a step. */
  readonly record: () => void;
  readonly #device: Device;
  readonly #loss = new Meter();
  readonly #step;
  readonly #owned: readonly { dispose(): void }[];

  constructor(device: Device, { model, loader, optimizer, hasAccuracy }: TrainingParts) {
    this.#device = device;
    model.train();
    const hits = new Meter();
    this.record = () => {
      const { inputs, labels } = loader.next();
      const logits = model.forward(inputs);
      const value = softmaxCrossEntropy(logits, labels);
      optimizer.minimize(value, model.parameters());
      this.#loss.update(value, labels.size);
      if (hasAccuracy) hits.update(accuracy(logits, labels), labels.size);
    };
    this.#step = compile(this.record, { device });
    this.#owned = [this.#step, loader, model, optimizer, this.#loss, hits];
  }

  /** Trains on the batches in turn, many steps a submit, and reads the loss after every `readEvery`; waits for the device. */
  async run(steps: number, readEvery = Infinity): Promise<void> {
    for (let done = 0; done < steps; done += readEvery) {
      await this.#step.repeat(Math.min(readEvery, steps - done));
      if (done + readEvery <= steps) await this.readLoss();
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
      losses.push(await this.readLoss());
    }
    return losses;
  }

  /** The mean loss since it was read last. */
  async readLoss(): Promise<number> {
    return (await this.#loss.take()).mean;
  }

  /** What the step was compiled to. */
  plans(): readonly Plan[] {
    return this.#step.plans();
  }

  dispose(): void {
    for (const owned of this.#owned) owned.dispose();
  }
}

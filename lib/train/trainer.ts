import type { Augment } from '../data/augment.js';
import type { CompiledFunction } from '../compile.js';
import { outcomesOf, type TrainingData } from '../data/training-data.js';
import type { StreamedData } from '../data/streamed-data.js';
import { DataLoader } from '../data/data-loader.js';
import { TrainingError } from '../errors.js';
import type { Module } from '../nn/module.js';
import type { Optimizer } from '../optim/optimizer.js';
import type { Trace } from '../graph/trace.js';
import type { RunOptions } from '../run.js';
import type { Tensor } from '../tensor.js';
import type { Variable } from '../variable.js';
import type { PreparedPlan } from '../plan.js';
import { EpochSteps } from './epoch-steps.js';
import type { Means } from './history.js';
import { type Measured, Measurements } from './measurements.js';
import type { Objective } from './objective.js';
import type { DTypePolicy } from './dtype-policy.js';

/** How a model is trained; see `FitOptions`. */
export interface TrainerOptions extends RunOptions {
  readonly optimizer: Optimizer;
  readonly batchSize: number;
  readonly seed?: number;
  readonly shuffle?: boolean;
  readonly augment?: Augment | undefined;
  /** Whether Dropout layers drop anything. Default true. */
  readonly dropout?: boolean;
  readonly dtypePolicy?: DTypePolicy;
}

/** The training step over a data set, and what it adds up. */
export class Trainer {
  #firstEpoch: number;
  readonly #loader: DataLoader<TrainingData | StreamedData>;
  readonly #measurements: Measurements;
  readonly #steps: EpochSteps;

  constructor(model: Module, data: TrainingData | StreamedData, objective: Objective, options: TrainerOptions) {
    const { optimizer, batchSize, seed = 0, shuffle = true, augment, dropout = true, dtypePolicy } = options;
    this.#firstEpoch = Math.floor(optimizer.step / Math.ceil(outcomesOf(data).count / batchSize));
    this.#loader = new DataLoader(data, {
      ...{ batchSize, seed, epoch: this.#firstEpoch, shuffle, ...(augment && { augment }) },
    });
    this.#measurements = new Measurements(objective);
    this.#steps = new EpochSteps(
      { training: true, model, dropout },
      this.#loader,
      (batch, rows) => {
        const forward = (): Tensor => model.forward(batch.inputs);
        const output = dtypePolicy?.forward(forward) ?? forward();
        const loss = this.#measurements.add(output, batch, rows);
        optimizer.minimize(loss, model.parameters(), { lossScale: dtypePolicy?.lossScale });
      },
      options,
    );
  }

  get stepsPerEpoch(): number {
    return this.#steps.count;
  }

  /** The epoch of the data, counted from 0, that the training began with. */
  get firstEpoch(): number {
    return this.#firstEpoch;
  }

  /** Goes to the place in the data where a training is that began with that epoch and has taken so many steps. */
  seek(firstEpoch: number, steps: number): void {
    this.#firstEpoch = firstEpoch;
    const epochs = Math.floor(steps / this.stepsPerEpoch);
    this.#loader.seek(firstEpoch + epochs, (steps - epochs * this.stepsPerEpoch) * this.#loader.batchSize);
  }

  /** Where the epoch at hand is added up, by name. */
  meters(): Map<string, Variable> {
    return this.#measurements.variables();
  }

  /** A recording of a step over a full batch. */
  record(): Trace {
    return this.#steps.record();
  }

  /** Whether a variable is its own: of its place in the data, and of what the epoch has come to. */
  owns(variable: Variable): boolean {
    return this.#loader.owns(variable) || [...this.meters().values()].includes(variable);
  }

  /** Its plans, before they are loaded. */
  prepare(): PreparedPlan[] {
    return this.#steps.prepare();
  }

  /** Its steps: one has a plan. */
  functions(): CompiledFunction<void>[] {
    return this.#steps.functions();
  }

  /** Queues so many steps of an epoch from one on, and says how many: an aborted signal ends it between two submits. */
  run(from: number, count: number, signal: AbortSignal): Promise<number> {
    return this.#steps.run(from, count, signal);
  }

  /** What the epoch that was queued last has come to so far. Rejects with TrainingError where its loss is not finite. */
  async read(epoch: number): Promise<Means> {
    return this.#meansOf(await this.#measurements.read(), epoch);
  }

  /** What the epoch that was queued last came to, as {@link read}. Steps of the next one may be queued meanwhile. */
  async take(epoch: number): Promise<Means> {
    return this.#meansOf(await this.#measurements.take(), epoch);
  }

  #meansOf({ loss, metrics }: Measured, epoch: number): Means {
    if (loss.firstNonFinite !== undefined) {
      const step = (epoch - 1) * this.stepsPerEpoch + loss.firstNonFinite + 1;
      throw new TrainingError(
        `the loss is not finite at step ${step} (step ${loss.firstNonFinite + 1} of its epoch): the learning rate may be too high`,
        step,
      );
    }
    return { loss: loss.mean, metrics };
  }

  dispose(): void {
    for (const owned of [this.#steps, this.#loader, this.#measurements]) owned.dispose();
  }
}

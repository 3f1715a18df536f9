import { TrainingError } from '../errors.js';
import type { Module } from '../nn/module.js';
import type { Optimizer } from '../optim/optimizer.js';
import type { Callback, RunParts, TrainingRun } from './callback.js';
import { type AnyEpochResult, type Epoch, epochResult } from './history.js';
import { type MetricValue, validationName } from './metrics.js';
import type { Training } from './training.js';
import type { TrainingCheckpoint } from './training-checkpoint.js';

/** What a {@link TrainingLoop} goes by. */
interface LoopOptions extends Omit<RunParts, 'trainer' | 'epochs' | 'seconds'> {
  readonly optimizer: Optimizer;
  readonly epochs: number;
  readonly metricNames: readonly string[];
  readonly signal: AbortSignal | undefined;
  readonly resume: TrainingCheckpoint | undefined;
  /** Is told the loss of the first step: for that the device is waited for. */
  readonly onFirstLoss: ((loss: number) => void) | undefined;
}

/** What is read of an epoch. */
type Measured = Omit<Epoch, 'seconds'>;

/**
 * Epochs of a training, with what is called in their course. An epoch is queued in stretches: one goes up to the next step
 * that a callback wants to be called after, or until somebody stops or pauses the training.
 */
export class TrainingLoop implements TrainingRun {
  readonly model: Module;
  readonly optimizer: Optimizer;
  readonly epochs: number;
  readonly names: readonly string[];
  readonly #training: Training;
  readonly #options: LoopOptions;
  readonly #callbacks: readonly Callback[];
  readonly #results: Epoch[] = [];
  #epoch = 0;
  #step = 0;
  /** Seconds that the epoch at hand took before it was resumed. */
  #secondsBefore = 0;
  #lastEnd = performance.now();
  #isStopped = false;
  #stopReason: unknown;
  #isPaused = false;
  #error: unknown;
  /** Ends the stretch that is being queued. */
  #interruption = new AbortController();
  /** Wakes the loop, where it waits to be resumed. */
  #wake: () => void = () => undefined;

  constructor(model: Module, training: Training, options: LoopOptions) {
    this.model = model;
    this.optimizer = options.optimizer;
    this.epochs = options.epochs;
    const measured = ['loss', ...options.metricNames];
    this.names = training.evaluator ? [...measured, ...measured.map(validationName)] : measured;
    this.#training = training;
    this.#options = options;
    const { callbacks } = options;
    this.#callbacks = [...callbacks.filter((each) => !savesState(each)), ...callbacks.filter(savesState)];
  }

  get stepsPerEpoch(): number {
    return this.#training.trainer.stepsPerEpoch;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get step(): number {
    return this.#step;
  }

  get results(): readonly AnyEpochResult[] {
    return this.#results.map((epoch) => epochResult(this.#options.metricNames, epoch));
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  get stopReason(): unknown {
    return this.#stopReason;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  get error(): unknown {
    return this.#error;
  }

  stop(reason?: unknown): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#stopReason = reason;
    this.#interrupt();
  }

  pause(): void {
    this.#isPaused = true;
    this.#interrupt();
  }

  resume(): void {
    this.#isPaused = false;
    this.#wake();
  }

  async measured(): Promise<{ readonly loss: number } & Readonly<Record<string, MetricValue>>> {
    const { loss, metrics } = await this.#training.trainer.read(this.#epoch);
    return { loss, ...metrics };
  }

  get parts(): RunParts {
    const isBetween = this.#step === this.#results.length * this.stepsPerEpoch;
    const seconds = isBetween ? 0 : (performance.now() - this.#lastEnd) / 1000;
    return { ...this.#options, trainer: this.#training.trainer, epochs: this.#results, seconds };
  }

  /** @internal Goes on behind so many steps and epochs, and some seconds of the one at hand. */
  goOnBehind(step: number, epochs: readonly Epoch[], seconds: number): void {
    this.#step = step;
    this.#results.push(...epochs);
    this.#epoch = epochs.length;
    this.#secondsBefore = seconds;
  }

  /** Trains; resolves to the epochs that were completed. */
  async run(): Promise<readonly Epoch[]> {
    const { signal, resume } = this.#options;
    const onAbort = (): void => {
      this.stop(signal?.reason);
    };
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener('abort', onAbort);
    const begun: Callback[] = [];
    try {
      resume?.restore(this);
      for (const callback of this.#callbacks) {
        await callback.onTrainBegin?.(this);
        begun.push(callback);
        await resume?.restoreCallback(this, callback);
      }
      await this.#train();
    } catch (error) {
      this.#error = error;
      await this.#end(inEndingOrder(begun)).catch(() => undefined); // what went wrong first is told
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
    await this.#end(inEndingOrder(begun));
    return this.#results;
  }

  async #train(): Promise<void> {
    if (this.#epoch < this.epochs && (await this.#goesOn())) await this.#training.load();
    this.#lastEnd = performance.now() - 1000 * this.#secondsBefore;
    // Where nobody looks at an epoch before the next one begins, its figures are read while that one is trained.
    const isWatched = this.#training.evaluator !== undefined || this.#callbacks.length > 0;
    let reading: Promise<Measured | undefined> | undefined;
    while (this.#epoch < this.epochs && (await this.#goesOn())) {
      this.#epoch++;
      for (const callback of this.#callbacks) await callback.onEpochBegin?.(this);
      await this.#queueEpoch();
      await this.#keep(reading);
      reading = this.#readEpoch();
      reading.catch(() => undefined); // it is waited for here, or behind the next epoch's steps
      if (!isWatched) continue;
      await this.#keep(reading);
      reading = undefined;
    }
    await this.#keep(reading);
  }

  async #queueEpoch(): Promise<void> {
    const end = this.#epoch * this.stepsPerEpoch;
    while (this.#step < end && (await this.#goesOn())) {
      const called = this.#callbacks.filter((callback) => typeof callback.onStepEnd === 'function');
      const next = called.map(({ everySteps = 1 }) => everySteps - (this.#step % everySteps));
      this.#interruption = new AbortController();
      const from = this.#step % this.stepsPerEpoch;
      const { onFirstLoss } = this.#options;
      const isFirst = this.#step === 0 && onFirstLoss !== undefined;
      const count = isFirst ? 1 : Math.min(end - this.#step, ...next);
      const queued = await this.#training.trainer.run(from, count, this.#interruption.signal);
      this.#step += queued;
      if (queued === 0) continue;
      if (isFirst) onFirstLoss((await this.measured()).loss);
      for (const callback of called) {
        if (this.#step % (callback.everySteps ?? 1) === 0) await callback.onStepEnd?.(this);
      }
    }
  }

  /** Reads what an epoch came to, and validates; undefined where it was ended before its last step. */
  async #readEpoch(): Promise<Measured | undefined> {
    const { trainer, evaluator } = this.#training;
    const [epoch, step] = [this.#epoch, this.#step];
    if (step < epoch * this.stepsPerEpoch) {
      await trainer.read(epoch);
      return undefined;
    }
    const training = await trainer.take(epoch);
    const validation = await evaluator?.run();
    if (validation && !Number.isFinite(validation.loss)) {
      throw new TrainingError(
        `the validation loss is not finite after step ${step}: the learning rate may be too high`,
        step,
      );
    }
    return { epoch, training, validation };
  }

  async #keep(reading: Promise<Measured | undefined> | undefined): Promise<void> {
    const measured = await reading;
    if (!measured) return;
    const epoch = { ...measured, seconds: (performance.now() - this.#lastEnd) / 1000 };
    this.#results.push(epoch);
    const result = epochResult(this.#options.metricNames, epoch);
    for (const callback of this.#callbacks) await callback.onEpochEnd?.(this, result);
    this.#lastEnd = performance.now();
  }

  /** Waits while the training is paused. Whether it goes on then. */
  async #goesOn(): Promise<boolean> {
    const start = performance.now();
    while (this.#isPaused && !this.#isStopped) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#lastEnd += performance.now() - start; // no time of the epoch's
    return !this.#isStopped;
  }

  #interrupt(): void {
    this.#interruption.abort();
    this.#wake();
  }

  /** Calls `onTrainEnd` of all, also where one of them fails. */
  async #end([callback, ...others]: readonly Callback[]): Promise<void> {
    if (!callback) return;
    try {
      await callback.onTrainEnd?.(this);
    } finally {
      await this.#end(others);
    }
  }
}

function savesState(callback: Callback): boolean {
  return callback.savesState === true;
}

/** What saves the state of a training does so before the others change anything. */
function inEndingOrder(callbacks: readonly Callback[]): Callback[] {
  return [...callbacks.filter(savesState), ...callbacks.filter((each) => !savesState(each))];
}

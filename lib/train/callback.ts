import type { StreamedData } from '../data/streamed-data.js';
import type { TrainingData } from '../data/training-data.js';
import type { Device } from '../device/device.js';
import { OptionError } from '../errors.js';
import type { StoredValue } from '../io/stored-value.js';
import type { Module } from '../nn/module.js';
import type { Optimizer } from '../optim/optimizer.js';
import { boolean, callback, checkArgument, type OptionRule, type OptionRules, text, wholeNumber } from '../options.js';
import { suggest } from '../suggest.js';
import type { AnyEpochResult, Epoch } from './history.js';
import type { MetricValue } from './metrics.js';
import type { Trainer } from './trainer.js';

/** A training that is under way, as its callbacks see it. */
export interface TrainingRun {
  /** The model that is trained. */
  readonly model: Module;
  /** What changes its parameters. */
  readonly optimizer: Optimizer;
  /** How many epochs were asked for. */
  readonly epochs: number;
  /** Steps of an epoch, the last one, of what is left, included. */
  readonly stepsPerEpoch: number;
  /** The epoch that is under way, or was the last: counted from 1, and 0 before the first. */
  readonly epoch: number;
  /** Steps that have been queued since the training began. */
  readonly step: number;
  /** What the numbers of {@link results} are called that can be watched: loss and metrics, and those of the validation. */
  readonly names: readonly string[];
  /** What the epochs that are over came to. */
  readonly results: readonly AnyEpochResult[];
  /** Whether somebody stopped the training. */
  readonly isStopped: boolean;
  /** Why, where whoever stopped it said so. */
  readonly stopReason: unknown;
  /** Whether the training stands still until {@link resume}. */
  readonly isPaused: boolean;
  /** What ended the training where it failed: for `onTrainEnd`. */
  readonly error: unknown;
  /**
   * Ends the training after the steps that are under way (about 0.1 s), at any time and from anywhere. `fit` resolves to the
   * epochs that were completed. Called in `onEpochEnd`, it keeps that epoch.
   *
   * @param reason for {@link stopReason}
   */
  stop(reason?: unknown): void;
  /** Has the training stand still after the steps that are under way, at any time and from anywhere. */
  pause(): void;
  /** Has a training that was paused go on: its results are, bit for bit, those of one that was not. */
  resume(): void;
  /**
   * Means over the examples of this epoch so far: of the loss, and of each metric by its name; NaN ahead of its first step.
   * Waits for the steps that are queued. Rejects with TrainingError once the loss is not finite.
   */
  measured(): Promise<Readonly<Record<'loss', number>> & Readonly<Record<string, MetricValue>>>;
  /** @internal What a {@link TrainingCheckpoint} is made of. */
  readonly parts: RunParts;
}

/** @internal What a training goes by, and where it is. */
export interface RunParts {
  readonly trainer: Trainer;
  readonly device: Device;
  readonly data: TrainingData | StreamedData;
  readonly validation: TrainingData | StreamedData | undefined;
  readonly options: { readonly batchSize: number; readonly seed: number; readonly shuffle: boolean };
  readonly callbacks: readonly Callback[];
  /** Those that are over. */
  readonly epochs: readonly Epoch[];
  /** Time of the epoch at hand so far. */
  readonly seconds: number;
}

/** The state of a callback in a {@link TrainingCheckpoint}. */
export type CallbackState = Readonly<Record<string, StoredValue | undefined>>;

/**
 * What is called in the course of a {@link fit} (compare `keras.callbacks.Callback`), and waited for. Callbacks of a list are
 * called in its order. What one of them throws ends the training: `fit` rejects with it.
 *
 *     const sayWhere: Callback = { everySteps: 100, onStepEnd: (run) => console.log(`step ${run.step} of epoch ${run.epoch}`) };
 *     await fit(model, data, { epochs: 10, optimizer, callbacks: [sayWhere] });
 *
 * An object may take part in one training after another; one that takes part in several at a time is given each one's run.
 */
export interface Callback {
  /** After the checks of `fit`, ahead of the first step. */
  onTrainBegin?(run: TrainingRun): void | Promise<void>;
  /** Ahead of each epoch's first step. */
  onEpochBegin?(run: TrainingRun): void | Promise<void>;
  /**
   * After every so many steps ({@link everySteps}): the device is still at work on some of them. Steps up to the next
   * call share submits, and results are, bit for bit, the same, however often it is called.
   */
  onStepEnd?(run: TrainingRun): void | Promise<void>;
  /** `onStepEnd` is called where {@link TrainingRun.step} is a multiple of it: a whole number of 1 or more, which may change. Default 1. */
  readonly everySteps?: number;
  /** After each epoch that was completed, its validation included. */
  onEpochEnd?(run: TrainingRun, result: AnyEpochResult): void | Promise<void>;
  /**
   * At the end, also of a training that was stopped or failed ({@link TrainingRun.error}): of each callback whose
   * `onTrainBegin`, if it has one, returned.
   */
  onTrainEnd?(run: TrainingRun): void | Promise<void>;
  /** What its state goes by in a training checkpoint. Left out where there is none. */
  readonly name?: string;
  /**
   * What a {@link TrainingCheckpoint} is to hold of it, so that a training which is resumed goes on as this one does. It must
   * be there at once, so no promise, and nothing may change it later.
   */
  state?(run: TrainingRun): CallbackState;
  /** Goes on from what `state` gave, perhaps in another process: after `onTrainBegin` of a training that is resumed. */
  restore?(run: TrainingRun, state: CallbackState): void | Promise<void>;
  /**
   * It saves the state of the others: whatever its place in the list, it is called behind them, so that they have dealt with
   * the same moment, and at the end ahead of them, while the model is still as the last step left it. Default false.
   */
  readonly savesState?: boolean;
}

const RULES: OptionRules<Callback> = {
  onTrainBegin: callback,
  onEpochBegin: callback,
  onStepEnd: callback,
  everySteps: wholeNumber({ min: 1 }),
  onEpochEnd: callback,
  onTrainEnd: callback,
  name: text,
  state: callback,
  restore: callback,
  savesState: boolean,
};

/** @internal A list of callbacks; {@link checkCallbacks} looks at each of them. */
export const callbacksRule: OptionRule = {
  expected: 'an array of callbacks, objects with functions such as onEpochEnd',
  accepts: (value) => Array.isArray(value) && value.every((each) => typeof each === 'object' && each !== null),
};

/** @internal Throws OptionError for what cannot be called, and for a misspelt name: an object may well have other things of its own. */
export function checkCallbacks(caller: string, callbacks: readonly Callback[]): void {
  callbacks.forEach((given, i) => {
    const what = `${caller}: callbacks[${i}]`;
    for (const [name, rule] of Object.entries<OptionRule>(RULES)) {
      const value: unknown = Reflect.get(given, name);
      if (value !== undefined) checkArgument(what, name, value, rule);
    }
    if (given.state && given.name === undefined) throw new OptionError(`${what} has a state, and no name for it`);
    const known = Object.keys(RULES);
    const misspelt = Object.keys(given).find((name) => /^on[A-Z]/.test(name) && !known.includes(name));
    if (misspelt !== undefined) {
      throw new OptionError(`${what} has ${misspelt}, which is never called${suggest(misspelt, known)}`);
    }
  });
}

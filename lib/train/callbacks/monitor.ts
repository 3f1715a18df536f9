import { OptionError } from '../../errors.js';
import { number, oneOf, type OptionRules, show, text } from '../../options.js';
import type { TrainingRun } from '../callback.js';
import type { AnyEpochResult } from '../history.js';

/** What a callback watches. */
export interface MonitorOptions {
  /** A number of `EpochResult`, such as `loss` or `validationAccuracy`. Default `validationLoss`. */
  readonly monitor?: string;
  /** Whether less or more of it is better. Default: `min` for losses, `max` for accuracies; others need to be told. */
  readonly mode?: 'min' | 'max';
  /** By how much at least a value must be better than the best one so far to count as such. Default 0. */
  readonly minDelta?: number;
}

/** @internal */
export const MONITOR_RULES: OptionRules<MonitorOptions> = {
  monitor: text,
  mode: oneOf('min', 'max'),
  minDelta: number({ min: 0 }),
};

const USUAL_MODES: Readonly<Record<string, 'min' | 'max'>> = {
  ...{ loss: 'min', validationLoss: 'min' },
  ...{ accuracy: 'max', validationAccuracy: 'max' },
};

/** @internal The value of each epoch that a callback watches, and which of two is the better one. */
export class Monitor {
  readonly name: string;
  readonly #caller: string;
  readonly #sign: number;
  readonly #minDelta: number;

  /** Throws OptionError where nobody said whether less or more is better. */
  constructor(caller: string, { monitor = 'validationLoss', mode, minDelta = 0 }: MonitorOptions) {
    const direction = mode ?? USUAL_MODES[monitor];
    if (direction === undefined) {
      throw new OptionError(`${caller}: say by mode 'min' or 'max' whether less or more of ${show(monitor)} is better`);
    }
    this.name = monitor;
    this.#caller = caller;
    this.#sign = direction === 'min' ? -1 : 1;
    this.#minDelta = minDelta;
  }

  /** Throws OptionError where the epochs of a training have no such number. */
  checkNames({ names }: TrainingRun): void {
    if (names.includes(this.name)) return;
    const advice = this.name.startsWith('validation') ? ', give fit validation data' : '';
    throw new OptionError(
      `${this.#caller}: there is no ${show(this.name)} in this training${advice}: monitor one of ${names.join(', ')}`,
    );
  }

  /** Throws OptionError where it is no number, but one for each class. */
  valueOf(result: AnyEpochResult): number {
    const value = result[this.name];
    if (typeof value === 'number') return value;
    throw new OptionError(`${this.#caller}: ${show(this.name)} is ${show(value)}; only a number can be monitored`);
  }

  /** Whether a value is better than the best one so far, of which there may be none. NaN is not. */
  isBetter(value: number, best: number | undefined): boolean {
    if (best === undefined) return !Number.isNaN(value);
    return this.#sign * (value - best) > this.#minDelta;
  }
}

import { checkOptions, number, type OptionRules, wholeNumber } from '../../options.js';
import type { Callback } from '../callback.js';
import { Monitor, MONITOR_RULES, type MonitorOptions } from './monitor.js';

/** Options of {@link reduceOnPlateau}. */
export interface ReduceOnPlateauOptions extends MonitorOptions {
  /** What the learning rates are multiplied by: a number above 0 and below 1. Default 0.1. */
  readonly factor?: number;
  /** They are reduced after so many epochs in a row without a better value: a whole number of 1 or more. Default 10. */
  readonly patience?: number;
  /** Epochs after a reduction in which none is counted. Default 0. */
  readonly cooldown?: number;
  /** What all reductions together come to at least. Default 0: they go on and on. */
  readonly minFactor?: number;
  /** By how much at least a value must be better than the best one so far to count as such. Default 1e-4. */
  readonly minDelta?: number;
}

const RULES: OptionRules<ReduceOnPlateauOptions> = {
  ...MONITOR_RULES,
  factor: number({ above: 0, below: 1 }),
  patience: wholeNumber({ min: 1 }),
  cooldown: wholeNumber({ min: 0 }),
  minFactor: number({ min: 0, max: 1 }),
};

/**
 * Multiplies all learning rates by `factor` once a number of the epochs, usually the validation loss, has not become better for
 * `patience` epochs in a row: `keras.callbacks.ReduceLROnPlateau`, and `torch.optim.lr_scheduler.ReduceLROnPlateau` with the mode
 * of its threshold `abs` and a patience of one less. Schedules go on under it: their rates are multiplied, too
 * ({@link Optimizer.learningRateFactor}).
 *
 * Throws OptionError for an unknown or unusable option, and `fit` does where the training has no such number.
 */
export function reduceOnPlateau(options: ReduceOnPlateauOptions = {}): Callback {
  checkOptions('reduceOnPlateau', options, RULES);
  const { factor = 0.1, patience = 10, cooldown = 0, minFactor = 0, minDelta = 1e-4 } = options;
  const monitor = new Monitor('reduceOnPlateau', { ...options, minDelta });
  let best: number | undefined;
  let [waited, resting] = [0, 0];
  return {
    name: 'reduceOnPlateau',
    onTrainBegin: (run) => {
      monitor.checkNames(run);
      best = undefined;
      [waited, resting] = [0, 0];
    },
    onEpochEnd: ({ optimizer }, result) => {
      const value = monitor.valueOf(result);
      if (monitor.isBetter(value, best)) {
        best = value;
        waited = 0;
      } else {
        waited++;
      }
      if (resting > 0) {
        resting--;
        waited = 0;
      }
      if (waited < patience) return;
      [waited, resting] = [0, cooldown];
      const next = Math.max(optimizer.learningRateFactor * factor, minFactor);
      optimizer.learningRateFactor = Math.min(optimizer.learningRateFactor, next);
    },
    state: () => ({ best, waited, resting }), // the factor is in the optimizer's
    restore: (_run, state) => {
      best = typeof state['best'] === 'number' ? state['best'] : undefined;
      [waited, resting] = [Number(state['waited']), Number(state['resting'])];
    },
  };
}

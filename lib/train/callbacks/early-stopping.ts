import type { NumericArray } from '../../graph/operation.js';
import { boolean, checkOptions, type OptionRules, wholeNumber } from '../../options.js';
import type { Callback, TrainingRun } from '../callback.js';
import { Monitor, MONITOR_RULES, type MonitorOptions } from './monitor.js';

/** Options of {@link earlyStopping}. */
export interface EarlyStoppingOptions extends MonitorOptions {
  /** The training is stopped after so many epochs in a row without a better value: a whole number of 1 or more. Default 1. */
  readonly patience?: number;
  /** Whether the model is given its weights of the best epoch when the training ends. Default true (Keras: false). */
  readonly restoreBest?: boolean;
}

const RULES: OptionRules<EarlyStoppingOptions> = {
  ...MONITOR_RULES,
  patience: wholeNumber({ min: 1 }),
  restoreBest: boolean,
};

/** The best epoch so far. */
type Best = {
  readonly value: number;
  readonly epoch: number;
  /** Steps that had been taken. */
  readonly step: number;
  /** All that the model has, running statistics included, by name; undefined where it is not to be restored. */
  readonly variables: Readonly<Record<string, NumericArray>> | undefined;
};

/**
 * Stops a training once a number of its epochs, usually the validation loss, has not become better for `patience` epochs in
 * a row (compare `keras.callbacks.EarlyStopping`). At the end, however it came, the model gets back the weights and running
 * statistics of the best epoch; the optimizer's state is the last one's. For that, what the model has is read after each
 * epoch that is better than those before.
 *
 *     await fit(model, data, { epochs: 1000, optimizer, validation, callbacks: [earlyStopping({ patience: 10 })] });
 *
 * Throws OptionError for an unknown or unusable option, and `fit` does where the training has no such number.
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callback {
  checkOptions('earlyStopping', options, RULES);
  const { patience = 1, restoreBest = true } = options;
  const monitor = new Monitor('earlyStopping', options);
  let best: Best | undefined;
  let waited = 0;
  const stopWhereDue = (run: TrainingRun): void => {
    if (waited < patience) return;
    const since = best ? ` since epoch ${best.epoch}` : '';
    run.stop(`${monitor.name} has not become better${since}`);
  };
  return {
    name: 'earlyStopping',
    onTrainBegin: (run) => {
      monitor.checkNames(run);
      best = undefined;
      waited = 0;
    },
    onEpochEnd: async (run, result) => {
      const value = monitor.valueOf(result);
      if (monitor.isBetter(value, best?.value)) {
        const variables = restoreBest ? await valuesOf(run) : undefined;
        best = { value, epoch: run.epoch, step: run.step, variables };
        waited = 0;
      } else {
        waited++;
      }
      stopWhereDue(run);
    },
    onTrainEnd: (run) => {
      if (run.step === best?.step) return;
      for (const [name, variable] of run.model.namedVariables()) {
        const values = best?.variables?.[name];
        if (values) variable.set(values);
      }
    },
    state: () => ({ best, waited }),
    restore: (run, state) => {
      best = isBest(state['best']) ? state['best'] : undefined;
      waited = Number(state['waited']);
      stopWhereDue(run);
    },
  };
}

/** All that the model has, as it is at one time. */
async function valuesOf({ model }: TrainingRun): Promise<Readonly<Record<string, NumericArray>>> {
  const variables = [...model.namedVariables()];
  return Object.fromEntries(
    await Promise.all(variables.map(async ([name, each]) => [name, await each.data()] as const)),
  );
}

function isBest(value: unknown): value is Best {
  return typeof value === 'object' && value !== null && 'value' in value && 'epoch' in value && 'step' in value;
}

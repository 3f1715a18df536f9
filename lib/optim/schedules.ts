import { checkArgument, checkOptions, number, type OptionRules, required, wholeNumber } from '../options.js';
import type { LearningRate, Schedule } from './groups.js';

const rate = number({ min: 0 });

/** Options of {@link stepDecay}. */
export interface StepDecayOptions {
  /** Steps from one decay to the next: a whole number of 1 or more. */
  readonly every: number;
  /** What the rate is multiplied by: a number of 0 or more. Default 0.1. */
  readonly factor?: number;
}

const STEP_RULES: OptionRules<StepDecayOptions> = { every: required(wholeNumber({ min: 1 })), factor: rate };

/**
 * learningRate · factor^⌊step / every⌋: `torch.optim.lr_scheduler.StepLR`, and `keras.optimizers.schedules.ExponentialDecay` with
 * `staircase`. Where a schedule is to go by epochs, `every` is a multiple of an epoch's steps. Throws OptionError for a rate or
 * an option out of its range.
 */
export function stepDecay(learningRate: number, options: StepDecayOptions): Schedule {
  checkArgument('stepDecay', 'the learning rate', learningRate, rate);
  checkOptions('stepDecay', options, STEP_RULES);
  const { every, factor = 0.1 } = options;
  return (step) => learningRate * factor ** Math.floor(step / every);
}

/** Options of {@link exponentialDecay}. */
export interface ExponentialDecayOptions {
  /** What the rate is multiplied by in the course of `every` steps: a number of 0 or more. */
  readonly factor: number;
  /** Default 1. */
  readonly every?: number;
}

const EXPONENTIAL_RULES: OptionRules<ExponentialDecayOptions> = {
  factor: required(rate),
  every: number({ above: 0 }),
};

/**
 * learningRate · factor^(step / every): `torch.optim.lr_scheduler.ExponentialLR`, where `every` is 1, and
 * `keras.optimizers.schedules.ExponentialDecay`. Throws OptionError for a rate or an option out of its range.
 */
export function exponentialDecay(learningRate: number, options: ExponentialDecayOptions): Schedule {
  checkArgument('exponentialDecay', 'the learning rate', learningRate, rate);
  checkOptions('exponentialDecay', options, EXPONENTIAL_RULES);
  const { factor, every = 1 } = options;
  return (step) => learningRate * factor ** (step / every);
}

/** Options of {@link cosineDecay}. */
export interface CosineDecayOptions {
  /** Steps in which the rate falls: a whole number of 1 or more. */
  readonly steps: number;
  /** What it falls to, and stays at. Default 0. */
  readonly min?: number;
}

const COSINE_RULES: OptionRules<CosineDecayOptions> = { steps: required(wholeNumber({ min: 1 })), min: rate };

/**
 * min + (learningRate - min) · (1 + cos(π · step / steps)) / 2, and `min` from there on (Loshchilov & Hutter 2017):
 * `torch.optim.lr_scheduler.CosineAnnealingLR`, which rises again behind `T_max`, and `keras.optimizers.schedules.CosineDecay`, whose
 * `alpha` is min / learningRate. Throws OptionError for a rate or an option out of its range.
 */
export function cosineDecay(learningRate: number, options: CosineDecayOptions): Schedule {
  checkArgument('cosineDecay', 'the learning rate', learningRate, rate);
  checkOptions('cosineDecay', options, COSINE_RULES);
  const { steps, min = 0 } = options;
  return (step) => alongCosine(learningRate, min, step / steps);
}

/** Options of {@link warmUp}. */
export interface WarmUpOptions {
  /** What the rate begins with, in parts of the first one of what follows: a number from 0 to 1. Default 1/3. */
  readonly startFactor?: number;
}

const WARM_UP_RULES: OptionRules<WarmUpOptions> = { startFactor: number({ min: 0, max: 1 }) };

/**
 * In so many steps the rate rises in a line to that of step 0 of `then`, which follows from there on (Goyal et al. 2017):
 * `torch.optim.lr_scheduler.LinearLR`, by `SequentialLR` ahead of another one.
 *
 *     warmUp(500, cosineDecay(0.1, { steps: 9500 }))
 *
 * Throws OptionError for steps that are no whole number of 1 or more, or an option out of its range.
 */
export function warmUp(steps: number, then: LearningRate, options: WarmUpOptions = {}): Schedule {
  checkArgument('warmUp', 'steps', steps, wholeNumber({ min: 1 }));
  checkArgument('warmUp', 'then', then, {
    expected: 'a learning rate: a number of 0 or more, or a function of the step',
    accepts: (value) => typeof value === 'function' || rate.accepts(value),
  });
  checkOptions('warmUp', options, WARM_UP_RULES);
  const { startFactor = 1 / 3 } = options;
  const after = typeof then === 'function' ? then : (): number => then;
  return (step) => (step < steps ? after(0) * (startFactor + (1 - startFactor) * (step / steps)) : after(step - steps));
}

/** What {@link oneCycle} and {@link oneCycleMomentum} have in common. */
interface CycleOptions {
  /** Steps of the whole cycle, at the end of which everything stays: a whole number of 1 or more. */
  readonly steps: number;
  /** Share of them in which the rate rises, above 0 and below 1. Default 0.3 (PyTorch: `pct_start`). */
  readonly rise?: number;
}

/** Options of {@link oneCycle}. */
export interface OneCycleOptions extends CycleOptions {
  /** The rate begins with the largest one divided by it: 1 or more. Default 25 (PyTorch: `div_factor`). */
  readonly startDivisor?: number;
  /** It ends with the first one divided by it: 1 or more. Default 1e4 (PyTorch: `final_div_factor`). */
  readonly endDivisor?: number;
}

/** Options of {@link oneCycleMomentum}. */
export interface OneCycleMomentumOptions extends CycleOptions {
  /** Where the rate is the largest, in [0, 1). Default 0.85 (PyTorch: `base_momentum`). */
  readonly min?: number;
  /** At the beginning and at the end, in [0, 1). Default 0.95 (PyTorch: `max_momentum`). */
  readonly max?: number;
}

const CYCLE_RULES: OptionRules<CycleOptions> = {
  steps: required(wholeNumber({ min: 1 })),
  rise: number({ above: 0, below: 1 }),
};

const ONE_CYCLE_RULES: OptionRules<OneCycleOptions> = {
  ...CYCLE_RULES,
  startDivisor: number({ min: 1 }),
  endDivisor: number({ min: 1 }),
};

const MOMENTUM_RULES: OptionRules<OneCycleMomentumOptions> = {
  ...CYCLE_RULES,
  min: number({ min: 0, below: 1 }),
  max: number({ min: 0, below: 1 }),
};

/**
 * The rate rises along half a cosine from largest / startDivisor to the largest one, and falls along another one to
 * largest / (startDivisor · endDivisor) (Smith & Topin 2017): `torch.optim.lr_scheduler.OneCycleLR`. The momentum that
 * PyTorch cycles along with it is {@link oneCycleMomentum}. Throws OptionError for a rate or an option out of its range.
 *
 *     const steps = 40 * Math.ceil(count / batchSize);
 *     new AdamW({ learningRate: oneCycle(0.0015, { steps }), beta1: oneCycleMomentum({ steps }) });
 */
export function oneCycle(largest: number, options: OneCycleOptions): Schedule {
  checkArgument('oneCycle', 'the largest learning rate', largest, rate);
  checkOptions('oneCycle', options, ONE_CYCLE_RULES);
  const { startDivisor = 25, endDivisor = 1e4 } = options;
  const first = largest / startDivisor;
  return cycle(options, { first, top: largest, last: first / endDivisor });
}

/**
 * A momentum that falls where {@link oneCycle}'s rate rises, from `max` to `min`, and rises where it falls: for `beta1` of
 * {@link Adam} and {@link AdamW}, and `momentum` of {@link SGD} and {@link RMSprop}. Throws OptionError for an option out of
 * its range.
 */
export function oneCycleMomentum(options: OneCycleMomentumOptions): Schedule {
  checkOptions('oneCycleMomentum', options, MOMENTUM_RULES);
  const { min = 0.85, max = 0.95 } = options;
  return cycle(options, { first: max, top: min, last: max });
}

function cycle(
  { steps, rise = 0.3 }: CycleOptions,
  { first, top, last }: Readonly<Record<'first' | 'top' | 'last', number>>,
): Schedule {
  const turn = rise * steps - 1;
  return (step) => {
    if (step <= turn) return turn > 0 ? alongCosine(first, top, step / turn) : top;
    return alongCosine(top, last, (step - turn) / (steps - 1 - turn));
  };
}

/** From one number to another, along half a cosine. */
function alongCosine(from: number, to: number, share: number): number {
  return to + ((from - to) / 2) * (1 + Math.cos(Math.PI * Math.min(Math.max(share, 0), 1)));
}

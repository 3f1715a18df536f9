import {
  Adam,
  AdamW,
  cosineDecay,
  type LearningRate,
  oneCycle,
  oneCycleMomentum,
  type Optimizer,
  RMSprop,
  type Schedule,
  SGD,
  stepDecay,
} from '../../index.js';

/** Share of a cycle's steps in which the step size rises. */
const RISE = 0.2;

/** How the step size goes over so many steps, by name. */
export const SCHEDULES = {
  constant: (learningRate: number) => learningRate,
  step: (learningRate: number, steps: number) => stepDecay(learningRate, { every: Math.ceil(steps / 3) }),
  cosine: (learningRate: number, steps: number) => cosineDecay(learningRate, { steps }),
  'one-cycle': (learningRate: number, steps: number) => oneCycle(learningRate, { steps, rise: RISE }),
} as const satisfies Readonly<Record<string, (learningRate: number, steps: number) => LearningRate>>;

export type ScheduleName = keyof typeof SCHEDULES;

/** What changes the parameters. */
export interface OptimizerSettings {
  readonly optimizer: OptimizerName;
  /** The step size, of a schedule the largest. */
  readonly learningRate: number;
  /** Of 'sgd' and 'rmsprop'. */
  readonly momentum?: number;
  readonly weightDecay?: number;
  readonly schedule: ScheduleName;
}

interface OptimizerKind {
  /** The step size where neither the command line nor a recipe says. */
  readonly learningRate: number;
  /** Whether it has a momentum, and which. */
  readonly momentum?: number;
  readonly make: (settings: Settings, beta1?: Schedule) => Optimizer;
}

interface Settings {
  readonly learningRate: LearningRate;
  readonly momentum?: number;
  readonly weightDecay?: number;
}

/** The optimizers by name. */
export const OPTIMIZERS = {
  sgd: { learningRate: 0.01, momentum: 0.9, make: (settings: Settings) => new SGD(settings) },
  adam: {
    learningRate: 0.001,
    make: (settings: Settings, beta1?: Schedule) => new Adam({ ...settings, ...(beta1 && { beta1 }) }),
  },
  adamw: {
    learningRate: 0.001,
    make: (settings: Settings, beta1?: Schedule) => new AdamW({ ...settings, ...(beta1 && { beta1 }) }),
  },
  rmsprop: { learningRate: 0.001, momentum: 0, make: (settings: Settings) => new RMSprop(settings) },
} as const satisfies Readonly<Record<string, OptimizerKind>>;

export type OptimizerName = keyof typeof OPTIMIZERS;

/**
 * The step size, or that of each step where it is not the same in all of them.
 *
 * @param steps in the whole training
 */
export function scheduleOf({ schedule, learningRate }: OptimizerSettings, steps: number): LearningRate {
  return SCHEDULES[schedule](learningRate, steps);
}

/**
 * Along one cycle Adam's beta1 falls where the step size rises; a momentum is what was asked for.
 *
 * @param steps in the whole training
 */
export function makeOptimizer(settings: OptimizerSettings, steps: number): Optimizer {
  const { optimizer, momentum, weightDecay, schedule } = settings;
  const own = {
    learningRate: scheduleOf(settings, steps),
    ...(momentum !== undefined && { momentum }),
    ...(weightDecay !== undefined && { weightDecay }),
  };
  return OPTIMIZERS[optimizer].make(
    own,
    schedule === 'one-cycle' ? oneCycleMomentum({ steps, rise: RISE }) : undefined,
  );
}

import { compileIn } from '../compile.js';
import { type Augment, augmentRule } from '../data/augment.js';
import { DataLoader } from '../data/data-loader.js';
import type { StreamedData } from '../data/streamed-data.js';
import type { TrainingData } from '../data/training-data.js';
import { elementAt } from '../element-at.js';
import { OptionError, TrainingError } from '../errors.js';
import type { Module } from '../nn/module.js';
import type { LearningRate } from '../optim/groups.js';
import { Optimizer } from '../optim/optimizer.js';
import {
  boolean,
  callback,
  checkOptions,
  number,
  type OptionRules,
  required,
  seed,
  show,
  weights,
  wholeNumber,
} from '../options.js';
import { RUN_RULES, type RunOptions } from '../run.js';
import { refuseInTraining, trainExclusively } from './exclusive.js';
import { type Loss, lossOf, objectiveFor } from './objective.js';
import { prepareModel } from './prepare-model.js';

/** Options of {@link findLearningRate}. */
export interface FindLearningRateOptions extends RunOptions {
  /** Makes the optimizer that the rate is looked for, such as `(learningRate) => new Adam({ learningRate })`. */
  readonly optimizer: (learningRate: LearningRate) => Optimizer;
  /** The rate of the first step. Default 1e-7. */
  readonly from?: number;
  /** The rate of the last step. Default 10. */
  readonly to?: number;
  /** How many steps there are, at most. Default 100. */
  readonly steps?: number;
  /** Examples in a step, as they will be in {@link fit}. Default 32. */
  readonly batchSize?: number;
  /** As in {@link fit}. */
  readonly loss?: Loss;
  /** As in {@link fit}. */
  readonly classWeights?: readonly number[] | Float32Array;
  /** As in {@link fit}. Default 0. */
  readonly seed?: number;
  /** As in {@link fit}. Default true. */
  readonly shuffle?: boolean;
  /** As in {@link fit}. */
  readonly augment?: Augment;
}

/** What {@link findLearningRate} found: a number a step. */
export interface LearningRateCurve {
  /** The learning rate of each step. */
  readonly rates: readonly number[];
  /** The loss of each step's batch, ahead of its update. */
  readonly losses: readonly number[];
  /** The losses, smoothed: an exponential moving average with 0.9 of the one before, corrected for its start as in Adam. */
  readonly smoothedLosses: readonly number[];
  /** The rate to try. */
  readonly suggestion: number;
}

const RULES: OptionRules<FindLearningRateOptions> = {
  optimizer: required(callback),
  from: number({ above: 0 }),
  to: number({ above: 0 }),
  steps: wholeNumber({ min: 2 }),
  batchSize: wholeNumber({ min: 1 }),
  loss: callback,
  classWeights: weights,
  seed,
  shuffle: boolean,
  augment: augmentRule,
  ...RUN_RULES,
};

/** How much of the average before remains in a smoothed loss. */
const SMOOTHING = 0.9;
/** So many steps a smoothed loss stands for, so that the noise of the first ones is no smallest loss. */
const SETTLED = 10;
/** A smoothed loss of so many times the smallest one has exploded; fastai's figure. */
const EXPLODED = 4;

/**
 * Looks for a learning rate to begin with: trains for 100 steps, in which the rate grows exponentially from step to step, and
 * watches the loss (Smith, "Cyclical Learning Rates for Training Neural Networks", 2017, section 3.3; fastai: `lr_find`). It
 * stays flat while the rate is too small, falls, and explodes once the rate is too large, which ends the search.
 *
 * The suggestion is a tenth of the rate at which the smoothed loss was smallest: there a training is about to diverge. It is a
 * rate to try first: with small nets on the bundled pictures it came within about a twentieth to five times the best rate of a
 * coarse sweep. The other rule in use, where the loss falls most steeply, depends on the noise of single batches: it gave 10 to
 * 1,000 times the best rate in most runs, and useless tiny ones in some. Where the data are few and learned before the loss
 * explodes, the suggestion is too large.
 *
 * The model ends as it was, bit for bit, also where the search fails: weights, running statistics and generators. The optimizer
 * is one of its own.
 *
 *     const optimizer = (learningRate: LearningRate) => new Adam({ learningRate });
 *     const { suggestion } = await findLearningRate(model, data, { optimizer });
 *     await fit(model, data, { epochs: 10, optimizer: optimizer(suggestion) });
 *
 * Throws OptionError for an unknown or unusable option and for a model that a `fit` is training, DataError or ShapeError where
 * model, data and loss do not fit, and TrainingError where the loss of the first step is not finite.
 */
export async function findLearningRate(
  model: Module,
  data: TrainingData | StreamedData,
  options: FindLearningRateOptions,
): Promise<LearningRateCurve> {
  checkOptions('findLearningRate', options, RULES);
  const { from = 1e-7, to = 10, steps = 100 } = options;
  if (from >= to) {
    throw new OptionError(`findLearningRate: the rate grows from ${from} to ${to}, which must be the larger one`);
  }
  const rateAt = (step: number): number => from * (to / from) ** (step / (steps - 1));
  const optimizer: unknown = options.optimizer(rateAt);
  if (!(optimizer instanceof Optimizer)) {
    throw new OptionError(`findLearningRate: optimizer must give an Optimizer, found ${show(optimizer)}`);
  }
  refuseInTraining('findLearningRate', model, optimizer);
  prepareModel('findLearningRate', model, data, 'data', options);
  const objective = objectiveFor('findLearningRate', model, data, { ...options, metrics: {} });
  return trainExclusively(model, optimizer, async () => {
    const putBack = await remember(model);
    const loader = new DataLoader(data, {
      batchSize: options.batchSize ?? 32,
      seed: options.seed ?? 0,
      shuffle: options.shuffle ?? true,
      ...(options.augment && { augment: options.augment }),
    });
    const step = compileIn(
      { training: true, model },
      () => {
        const batch = loader.next();
        const output = model.forward(batch.inputs);
        const loss = lossOf(objective, output, objective.targetOf(batch), objective.weightsOf(batch));
        optimizer.minimize(loss, model.parameters());
        return loss;
      },
      options,
    );
    try {
      return await curveOf(steps, rateAt, async () => {
        await loader.load();
        return (await step()).item();
      });
    } finally {
      for (const owned of [step, loader, optimizer]) owned.dispose();
      putBack();
    }
  });
}

/** What a model remembers. Gives a function that has it remember that again. */
async function remember(model: Module): Promise<() => void> {
  const variables = [...model.namedVariables().values()];
  const values = await Promise.all(variables.map((variable) => variable.data()));
  const generators = Array.from(model.namedGenerators().values(), (generator) => ({ generator, step: generator.step }));
  return () => {
    variables.forEach((variable, i) => {
      variable.set(elementAt(values, i));
    });
    for (const { generator, step } of generators) generator.step = step;
  };
}

/** Goes through the steps until the loss explodes. */
async function curveOf(
  steps: number,
  rateAt: (step: number) => number,
  nextLoss: () => Promise<number>,
): Promise<LearningRateCurve> {
  const [rates, losses, smoothedLosses]: [number[], number[], number[]] = [[], [], []];
  let [average, smallest] = [0, Infinity];
  for (let step = 0; step < steps; step++) {
    const loss = await nextLoss();
    if (!Number.isFinite(loss)) break;
    average = SMOOTHING * average + (1 - SMOOTHING) * loss;
    const smoothed = average / (1 - SMOOTHING ** (step + 1));
    rates.push(rateAt(step));
    losses.push(loss);
    smoothedLosses.push(smoothed);
    if (smoothed > EXPLODED * smallest) break;
    smallest = Math.min(smallest, smoothed);
  }
  const settled = smoothedLosses.length > SETTLED ? SETTLED : 0;
  const candidates = smoothedLosses.slice(settled);
  const best = rates[settled + candidates.indexOf(candidates.reduce((least, loss) => Math.min(least, loss), Infinity))];
  if (best !== undefined) return { rates, losses, smoothedLosses, suggestion: best / 10 };
  throw new TrainingError('findLearningRate: the loss is not finite at step 1, before any update', 1);
}

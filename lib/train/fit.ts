import { defaultDevice } from '../device/default.js';
import { type LabelledData, outcomesOf, type TrainingData } from '../data/training-data.js';
import { TrainingError } from '../errors.js';
import { type Module, moduleRule } from '../nn/module.js';
import { Optimizer } from '../optim/optimizer.js';
import {
  anything,
  boolean,
  callback,
  checkArgument,
  checkOptions,
  instanceOf,
  type OptionRules,
  required,
  seed,
  wholeNumber,
} from '../options.js';
import { RUN_RULES, type RunOptions } from '../run.js';
import { tune } from '../tune.js';
import { checkBatchRoom } from './batch-room.js';
import type { Evaluator } from './evaluate.js';
import { refuseInTraining, trainExclusively } from './exclusive.js';
import { type Epoch, epochResult, type EpochResult, type History, historyOf } from './history.js';
import { type DefaultMetrics, type Metrics, metricsRule } from './metrics.js';
import { type Loss, objectiveFor } from './objective.js';
import { prepareModel } from './prepare-model.js';
import type { Trainer } from './trainer.js';
import { Training } from './training.js';

/** Options of {@link fit}. */
export interface FitOptions<M = DefaultMetrics<LabelledData>> extends RunOptions {
  /** How often to go through the data: a whole number of 0 or more. */
  readonly epochs: number;
  /** What changes the parameters, such as {@link SGD}. Its state goes on where it is used for another `fit`, and so do the epochs. */
  readonly optimizer: Optimizer;
  /** Examples in a step; the last step of an epoch takes what is left. More than there are: all of them. Default 32. */
  readonly batchSize?: number;
  /** Default, for classes and for rows of probabilities: {@link softmaxCrossEntropy}. */
  readonly loss?: Loss;
  /**
   * What is measured beside the loss, by name: functions of output [B, ..] and target [B, ..] that give one number, the mean
   * over the batch. Default: `accuracy`, where the targets are classes ({@link accuracy}) or one bit
   * ({@link binaryAccuracy} of logits, or with {@link meanSquaredError} of the bit itself).
   */
  readonly metrics?: M;
  /** Evaluated after every epoch. */
  readonly validation?: TrainingData;
  /** Decides the order of the examples, and the initial weights where the model is not built yet. Default 0. */
  readonly seed?: number;
  /** Whether the examples come in another order in each epoch. Default true. */
  readonly shuffle?: boolean;
  /** Called after every epoch and waited for: for printing, and for saving weights. */
  readonly onEpochEnd?: (result: EpochResult<M>) => void | Promise<void>;
  /** Aborting it ends the training after the steps that are under way (about 0.1 s); `fit` returns the epochs that were completed. */
  readonly signal?: AbortSignal;
  /**
   * Whether kernels are chosen by measuring before training starts ({@link tune}): seconds the first time on an adapter.
   * There is nothing to choose on the CPU. Default false.
   */
  readonly tune?: boolean;
}

const RULES: OptionRules<FitOptions> = {
  epochs: required(wholeNumber({ min: 0 })),
  optimizer: required({
    expected: 'an Optimizer, such as new SGD({ learningRate: 0.01 })',
    accepts: (value) => value instanceof Optimizer,
  }),
  batchSize: wholeNumber({ min: 1 }),
  loss: callback,
  metrics: metricsRule,
  validation: anything,
  seed,
  shuffle: boolean,
  onEpochEnd: callback,
  signal: instanceOf(AbortSignal, 'an AbortSignal'),
  tune: boolean,
  ...RUN_RULES,
};

/**
 * Trains a model on data. Data, order, loss and metrics stay on the device: an epoch uploads nothing, many of
 * its steps share a submit, and results come back once an epoch. The model is built where that has not been done. It is trained in
 * training mode and validated in evaluation mode, whatever its own mode, which stays as it is; a part that was switched to
 * evaluation mode on its own (`model.body.eval()`) is trained in that mode.
 *
 * The order of the examples is a function of the seed and the epoch, and epochs go on with the steps that the optimizer has
 * taken: 5 epochs and 5 more are, bit for bit, 10, where model, optimizer, data and options are the same.
 *
 * Throws OptionError for an unknown or unusable option and for a model or an optimizer that another `fit` is
 * training, or training with, in whole or in part,
 * DataError or ShapeError where model, data, loss and metrics do not fit, DeviceMemoryError, with the batch that would fit
 * and before anything is allocated, where the device has no room for the training, and TrainingError, naming the step, once the loss or the validation loss
 * is not finite: what `onEpochEnd` saved last is then the last good state.
 */
export function fit<M extends Metrics>(
  model: Module,
  data: TrainingData,
  options: FitOptions<M> & { readonly metrics: M },
): Promise<History<M>>;
export function fit<Data extends TrainingData>(
  model: Module,
  data: Data,
  options: FitOptions<DefaultMetrics<Data>>,
): Promise<History<DefaultMetrics<Data>>>;
export async function fit(model: Module, data: TrainingData, options: FitOptions<Metrics>): Promise<History<Metrics>> {
  checkOptions('fit', options, RULES);
  checkArgument('fit', 'the model', model, moduleRule);
  refuseInTraining(model, options.optimizer);
  const { validation, device = defaultDevice(), onEpochEnd } = options;
  prepareModel('fit', model, data, 'training data', options);
  if (validation !== undefined) prepareModel('fit', model, validation, 'validation data', options);
  const objective = objectiveFor('fit', model, data, options);
  const names = Object.keys(objective.metrics);
  const epochs = await trainExclusively(model, options.optimizer, async () => {
    const inBatchesOf = (size: number): Training =>
      new Training(model, data, validation, objective, { ...options, device, batchSize: size });
    const batchSize = Math.min(options.batchSize ?? 32, outcomesOf(data).count);
    const training = inBatchesOf(batchSize);
    try {
      if (options.epochs > 0) checkBatchRoom('fit', device, training, batchSize, inBatchesOf);
      if (options.tune) await tune(device);
      return await train(
        training,
        options,
        onEpochEnd && ((epoch) => onEpochEnd(epochResult(names, epoch) as EpochResult<Metrics>)),
      );
    } finally {
      training.dispose();
    }
  });
  return historyOf(names, epochs) as History<Metrics>;
}

async function train(
  { trainer, evaluator }: Training,
  { epochs, signal }: { readonly epochs: number; readonly signal?: AbortSignal },
  onEpochEnd: ((epoch: Epoch) => void | Promise<void>) | undefined,
): Promise<Epoch[]> {
  let lastEnd = performance.now();
  const results: Epoch[] = [];
  const keep = async (fetched: Promise<Fetched | undefined> | undefined): Promise<void> => {
    const result = await fetched;
    if (!result) return;
    const epoch = { ...result, seconds: (performance.now() - lastEnd) / 1000 };
    results.push(epoch);
    await onEpochEnd?.(epoch);
    lastEnd = performance.now();
  };
  // Where nobody looks at an epoch before the next one begins, its figures are fetched while that one is trained.
  const isWatched = (evaluator ?? onEpochEnd) !== undefined;
  let fetching: Promise<Fetched | undefined> | undefined;
  for (let epoch = 1; epoch <= epochs && signal?.aborted !== true; epoch++) {
    await trainer.run(signal);
    await keep(fetching);
    fetching = fetchEpoch(epoch, trainer, evaluator, signal);
    fetching.catch(() => undefined); // it is waited for here, or behind the next epoch's steps
    if (!isWatched) continue;
    await keep(fetching);
    fetching = undefined;
  }
  await keep(fetching);
  return results;
}

/** What is fetched of an epoch. */
type Fetched = Omit<Epoch, 'seconds'>;

/** Reads what an epoch came to, and validates; undefined where the signal ended the epoch. */
async function fetchEpoch(
  epoch: number,
  trainer: Trainer,
  evaluator: Evaluator | undefined,
  signal: AbortSignal | undefined,
): Promise<Fetched | undefined> {
  const training = await trainer.read(epoch, signal);
  if (!training) return undefined;
  const validation = await evaluator?.run();
  if (validation && !Number.isFinite(validation.loss)) {
    const steps = epoch * trainer.stepsPerEpoch;
    throw new TrainingError(
      `the validation loss is not finite after step ${steps}: the learning rate may be too high`,
      steps,
    );
  }
  return { epoch, training, validation };
}

import { defaultDevice } from '../device/default.js';
import { type Augment, augmentRule } from '../data/augment.js';
import { type LabelledData, outcomesOf, type TrainingData } from '../data/training-data.js';
import type { StreamedData } from '../data/streamed-data.js';
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
  weights,
  wholeNumber,
} from '../options.js';
import { RUN_RULES, type RunOptions } from '../run.js';
import { tune } from '../tune.js';
import { checkBatchRoom } from './batch-room.js';
import { type Callback, callbacksRule, checkCallbacks } from './callback.js';
import { refuseInTraining, trainExclusively } from './exclusive.js';
import { firstLossWatch } from './first-loss.js';
import { type EpochResult, type History, historyOf } from './history.js';
import { type DefaultMetrics, type Metrics, metricsRule } from './metrics.js';
import { type Loss, objectiveFor } from './objective.js';
import type { DTypePolicy } from './dtype-policy.js';
import { overfitted } from './overfit.js';
import { prepareModel } from './prepare-model.js';
import { Training } from './training.js';
import type { TrainingCheckpoint } from './training-checkpoint.js';
import { TrainingLoop } from './training-loop.js';

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
   * over the batch, such as {@link topK}, and what is counted over all batches, such as {@link precision}. Default:
   * `accuracy`, where the targets are classes ({@link accuracy}) or one bit ({@link binaryAccuracy} of logits, or with
   * {@link meanSquaredError} of the bit itself).
   */
  readonly metrics?: M;
  /**
   * How much each class counts in the loss, for classes that are rare or matter more: C numbers of 0 or more, by which the
   * weights of the examples (`weights` of the data) are multiplied. Default 1 each.
   * The loss of a batch, and of an epoch, is Σ weight · loss / Σ weight over its examples, as PyTorch's
   * `CrossEntropyLoss(weight)` has it. Keras's `class_weight` divides by the number of examples instead, so that its loss and
   * its gradients are larger by the mean weight. The validation loss is weighted, too; metrics are not.
   */
  readonly classWeights?: readonly number[] | Float32Array;
  /** Evaluated after every epoch. */
  readonly validation?: TrainingData | StreamedData;
  /** Decides the order of the examples, and the initial weights where the model is not built yet. Default 0. */
  readonly seed?: number;
  /**
   * A training goes on from there as if it had never been interrupted: its results are, bit for bit on one device, those that it
   * would have had, and so is the history. What else decides them must be as it was: model, optimizer, data and
   * options other than `epochs`. Whatever model and optimizer hold is written over. Undefined: it starts afresh.
   */
  readonly resume?: TrainingCheckpoint | undefined;
  /** Whether the examples come in another order in each epoch. Default true. */
  readonly shuffle?: boolean;
  /**
   * What makes views of the pictures, anew in each epoch: `augmentation({ .. })`. Validation sees the pictures themselves, or
   * plain views where they have another size. Default: none.
   */
  readonly augment?: Augment;
  /** How a step stores what it computes: {@link mixedFloat16}. Default: as f32. Validation is in f32. */
  readonly dtypePolicy?: DTypePolicy;
  /**
   * Trains on so many of the examples, and validates on the same ones, without augmentation and with Dropout layers that
   * drop nothing: a net that does not learn these by heart will not learn at all. They are taken at equal distances; data
   * given for validation are left out. Default: it trains on all.
   */
  readonly overfit?: number;
  /** Called in the course of the training, in this order, and waited for: {@link Callback}. */
  readonly callbacks?: readonly Callback[];
  /** Called after every epoch, behind `callbacks`, and waited for: for printing, and for saving weights. */
  readonly onEpochEnd?: (result: EpochResult<M>) => void | Promise<void>;
  /**
   * Is told what seems wrong with a training, and ends nothing: a cross-entropy of classes whose first value is far from
   * ln(classes), which is that of a guess. Default: console.warn.
   */
  readonly onWarning?: (message: string) => void;
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
  classWeights: weights,
  validation: anything,
  seed,
  resume: {
    expected: 'a training checkpoint, as readTrainingCheckpoint gives it',
    accepts: (value) => typeof value === 'object' && value !== null && 'restoreCallback' in value,
  },
  shuffle: boolean,
  augment: augmentRule,
  dtypePolicy: {
    expected: 'what mixedFloat16() gives',
    accepts: (value) => typeof value === 'object' && value !== null && 'forward' in value && 'lossScale' in value,
  },
  overfit: wholeNumber({ min: 1 }),
  callbacks: callbacksRule,
  onEpochEnd: callback,
  onWarning: callback,
  signal: instanceOf(AbortSignal, 'an AbortSignal'),
  tune: boolean,
  ...RUN_RULES,
};

/**
 * Trains a model on data. Data, order, loss and metrics stay on the device: an epoch uploads nothing (of {@link StreamedData} each
 * step's inputs), many of
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
  data: TrainingData | StreamedData,
  options: FitOptions<M> & { readonly metrics: M },
): Promise<History<M>>;
export function fit<Data extends TrainingData | StreamedData>(
  model: Module,
  data: Data,
  options: FitOptions<DefaultMetrics<Data>>,
): Promise<History<DefaultMetrics<Data>>>;
export async function fit(
  model: Module,
  all: TrainingData | StreamedData,
  options: FitOptions<Metrics>,
): Promise<History<Metrics>> {
  checkOptions('fit', options, RULES);
  checkArgument('fit', 'the model', model, moduleRule);
  checkCallbacks('fit', options.callbacks ?? []);
  refuseInTraining('fit', model, options.optimizer);
  const { device = defaultDevice(), overfit, onEpochEnd } = options;
  const isNew = !model.isBuilt;
  prepareModel('fit', model, all, 'training data', options);
  const { data, validation, augment, dropout } =
    overfit === undefined ? { ...options, data: all, dropout: true } : overfitted(all, overfit, options.augment);
  if (validation !== undefined) prepareModel('fit', model, validation, 'validation data', options);
  const objective = objectiveFor('fit', model, data, options);
  const metricNames = Object.keys(objective.metrics);
  const own: Callback[] = onEpochEnd
    ? [{ onEpochEnd: (_run, result) => onEpochEnd(result as EpochResult<Metrics>) }]
    : [];
  const callbacks = [...(options.callbacks ?? []), ...own];
  const epochs = await trainExclusively(model, options.optimizer, async () => {
    const inBatchesOf = (size: number): Training =>
      new Training(model, data, validation, objective, { ...options, augment, dropout, device, batchSize: size });
    const batchSize = Math.min(options.batchSize ?? 32, outcomesOf(data).count);
    const training = inBatchesOf(batchSize);
    try {
      if (options.epochs > 0) checkBatchRoom('fit', device, training, batchSize, inBatchesOf);
      if (options.tune) await tune(device);
      const { epochs, optimizer, signal, resume, seed = 0, shuffle = true } = options;
      const isFirst = optimizer.step === 0 && !resume;
      const onFirstLoss = isFirst ? firstLossWatch(model, data, { ...options, isNew }) : undefined;
      return await new TrainingLoop(model, training, {
        ...{ epochs, optimizer, signal, resume, metricNames, callbacks, device, data, validation, onFirstLoss },
        options: { batchSize, seed, shuffle },
      }).run();
    } finally {
      training.dispose();
    }
  });
  return historyOf(metricNames, epochs) as History<Metrics>;
}

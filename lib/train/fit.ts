import { defaultDevice } from '../device/default.js';
import type { LabelledData } from '../data/arrays.js';
import { checkBatchSize } from '../data/batches.js';
import { DataLoader } from '../data/data-loader.js';
import { OptionError, TrainingError } from '../errors.js';
import type { RunOptions } from '../run.js';
import { checkSeed } from '../generator.js';
import type { Module } from '../nn/module.js';
import { accuracy } from '../ops/loss/accuracy.js';
import { softmaxCrossEntropy } from '../ops/loss/softmax-cross-entropy.js';
import { Optimizer } from '../optim/optimizer.js';
import { checkOptionNames } from '../suggest.js';
import { tune } from '../tune.js';
import { EpochSteps } from './epoch-steps.js';
import { Evaluator, type Loss } from './evaluate.js';
import { Meter } from './meter.js';
import { refuseInTraining, trainExclusively } from './exclusive.js';
import { prepareModel } from './prepare-model.js';

/** What one epoch came to. */
export interface EpochResult {
  /** Counted from 1. */
  readonly epoch: number;
  /** Mean over the epoch's examples, each in the step that it was trained in. */
  readonly loss: number;
  /** Share of the epoch's examples that were predicted correctly, in training mode. */
  readonly accuracy: number;
  /** Mean loss after the epoch, in evaluation mode; undefined without validation data. */
  readonly validationLoss: number | undefined;
  /** Share predicted correctly after the epoch, in evaluation mode; undefined without validation data. */
  readonly validationAccuracy: number | undefined;
  /** Time of the epoch, validation included: since the one before was over. */
  readonly seconds: number;
}

/** One number an epoch. The validation arrays are empty without validation data. */
export interface History {
  /** {@link EpochResult.loss} of each epoch. */
  readonly loss: readonly number[];
  /** {@link EpochResult.accuracy} of each epoch. */
  readonly accuracy: readonly number[];
  /** {@link EpochResult.validationLoss} of each epoch. */
  readonly validationLoss: readonly number[];
  /** {@link EpochResult.validationAccuracy} of each epoch. */
  readonly validationAccuracy: readonly number[];
  /** {@link EpochResult.seconds} of each epoch. */
  readonly seconds: readonly number[];
}

/** Options of {@link fit}. */
export interface FitOptions extends RunOptions {
  /** How often to go through the data: a whole number of 0 or more. */
  readonly epochs: number;
  /** What changes the parameters, such as {@link SGD}. Its state goes on where it is used for another `fit`, and so do the epochs. */
  readonly optimizer: Optimizer;
  /** Examples in a step; the last step of an epoch takes what is left. More than there are: all of them. Default 32. */
  readonly batchSize?: number;
  /** Default: {@link softmaxCrossEntropy}. */
  readonly loss?: Loss;
  /** Evaluated after every epoch. */
  readonly validation?: LabelledData;
  /** Decides the order of the examples, and the initial weights where the model is not built yet. Default 0. */
  readonly seed?: number;
  /** Whether the examples come in another order in each epoch. Default true. */
  readonly shuffle?: boolean;
  /** Called after every epoch and waited for: for printing, and for saving weights. */
  readonly onEpochEnd?: (result: EpochResult) => void | Promise<void>;
  /** Aborting it ends the training after the steps that are under way (about 0.1 s); `fit` returns the epochs that were completed. */
  readonly signal?: AbortSignal;
  /**
   * Whether kernels are chosen by measuring before training starts ({@link tune}): seconds the first time on an adapter.
   * There is nothing to choose on the CPU. Default false.
   */
  readonly tune?: boolean;
}

const OPTION_NAMES = [
  'epochs',
  'optimizer',
  'batchSize',
  'loss',
  'validation',
  'seed',
  'shuffle',
  'onEpochEnd',
  'signal',
  'tune',
  'device',
];

/**
 * Trains a model on labelled data. Data, order, loss and hit counts stay on the device: an epoch uploads nothing, many of
 * its steps share a submit, and results come back once an epoch. The model is built where that has not been done. It is trained in
 * training mode and validated in evaluation mode, whatever its own mode, which stays as it is; a part that was switched to
 * evaluation mode on its own (`model.body.eval()`) is trained in that mode.
 *
 * The order of the examples is a function of the seed and the epoch, and epochs go on with the steps that the optimizer has
 * taken: 5 epochs and 5 more are, bit for bit, 10, where model, optimizer, data and options are the same.
 *
 * Throws OptionError for an unknown or unusable option and for a model that another `fit` is training, in whole or in part,
 * DataError where the data do not fit the model, and TrainingError, naming the step, once the loss or the validation loss
 * is not finite: what `onEpochEnd` saved last is then the last good state.
 */
export async function fit(model: Module, data: LabelledData, options: FitOptions): Promise<History> {
  checkOptions(options);
  refuseInTraining(model);
  const { validation, seed = 0 } = options;
  prepareModel(model, data, 'training data', seed);
  if (validation) prepareModel(model, validation, 'validation data', seed);
  return trainExclusively(model, () => train(model, data, options));
}

async function train(model: Module, data: LabelledData, options: FitOptions): Promise<History> {
  const { epochs, validation, onEpochEnd, signal } = options;
  if (options.tune) await tune(options.device ?? defaultDevice());
  const trainer = new Trainer(model, data, options);
  const evaluator = validation && new Evaluator(model, validation, evaluatorOptions(options));
  let lastEnd = performance.now();
  const keep = async (fetched: Promise<Fetched | undefined> | undefined): Promise<void> => {
    const result = await fetched;
    if (!result) return;
    const seconds = (performance.now() - lastEnd) / 1000;
    results.push({ ...result, seconds });
    await onEpochEnd?.({ ...result, seconds });
    lastEnd = performance.now();
  };
  const results: EpochResult[] = [];
  // Where nobody looks at an epoch before the next one begins, its figures are fetched while that one is trained.
  const isWatched = (validation ?? onEpochEnd) !== undefined;
  let fetching: Promise<Fetched | undefined> | undefined;
  try {
    for (let epoch = 1; epoch <= epochs && signal?.aborted !== true; epoch++) {
      await trainer.run(signal);
      await keep(fetching);
      fetching = resultOf(epoch, trainer, evaluator, signal);
      fetching.catch(() => undefined); // it is waited for here, or behind the next epoch's steps
      if (!isWatched) continue;
      await keep(fetching);
      fetching = undefined;
    }
    await keep(fetching);
  } finally {
    trainer.dispose();
    evaluator?.dispose();
  }
  return historyOf(results);
}

/** What is fetched of an epoch. */
type Fetched = Omit<EpochResult, 'seconds'>;

/** Reads what an epoch came to, and validates; undefined where the signal ended the epoch. */
async function resultOf(
  epoch: number,
  trainer: Trainer,
  evaluator: Evaluator | undefined,
  signal: AbortSignal | undefined,
): Promise<Fetched | undefined> {
  const trained = await trainer.read(epoch, signal);
  if (!trained) return undefined;
  const validated = await evaluator?.run();
  if (validated && !Number.isFinite(validated.loss)) {
    const steps = epoch * trainer.stepsPerEpoch;
    throw new TrainingError(
      `the validation loss is not finite after step ${steps}: the learning rate may be too high`,
      steps,
    );
  }
  return {
    epoch,
    ...trained,
    validationLoss: validated?.loss,
    validationAccuracy: validated?.accuracy,
  };
}

/** The training step over a data set, and what it adds up. */
class Trainer {
  readonly #loader: DataLoader;
  readonly #loss = new Meter();
  readonly #accuracy = new Meter();
  readonly #steps: EpochSteps;

  constructor(model: Module, data: LabelledData, options: FitOptions) {
    const { optimizer, loss = softmaxCrossEntropy, batchSize = 32, seed = 0, shuffle = true } = options;
    const epoch = Math.floor(optimizer.step / Math.ceil(data.labels.length / batchSize));
    this.#loader = new DataLoader(data, { batchSize, seed, epoch, shuffle });
    this.#steps = new EpochSteps(
      { training: true, model },
      this.#loader,
      ({ inputs, labels }) => {
        const logits = model.forward(inputs);
        const value = loss(logits, labels);
        optimizer.minimize(value, model.parameters());
        this.#loss.update(value, labels.size);
        this.#accuracy.update(accuracy(logits, labels), labels.size);
      },
      options,
    );
  }

  get stepsPerEpoch(): number {
    return this.#loader.batchesPerEpoch;
  }

  /** Queues one epoch. */
  run(signal: AbortSignal | undefined): Promise<void> {
    return this.#steps.run(signal);
  }

  /** What the epoch that was queued last came to; undefined where the signal ended it. Others may be queued meanwhile. */
  async read(epoch: number, signal: AbortSignal | undefined) {
    const isAborted = signal?.aborted === true;
    const [loss, hits] = await Promise.all([this.#loss.take(), this.#accuracy.take()]);
    if (loss.firstNonFinite !== undefined) {
      const step = (epoch - 1) * this.stepsPerEpoch + loss.firstNonFinite + 1;
      throw new TrainingError(
        `the loss is not finite at step ${step} (step ${loss.firstNonFinite + 1} of its epoch): the learning rate may be too high`,
        step,
      );
    }
    if (isAborted && loss.updates < this.stepsPerEpoch) return undefined;
    return { loss: loss.mean, accuracy: hits.mean };
  }

  dispose(): void {
    for (const owned of [this.#steps, this.#loader, this.#loss, this.#accuracy]) owned.dispose();
  }
}

function evaluatorOptions({ device, loss }: FitOptions): RunOptions & { readonly loss?: Loss } {
  return { ...(device && { device }), ...(loss && { loss }) };
}

function checkOptions(options: FitOptions): void {
  checkOptionNames('fit', options, OPTION_NAMES);
  const { epochs, optimizer, batchSize = 32, seed = 0 } = options;
  if (!(optimizer instanceof Optimizer)) {
    throw new OptionError('fit: optimizer must be an Optimizer, such as new SGD({ learningRate: 0.01 })');
  }
  if (!Number.isSafeInteger(epochs) || epochs < 0) {
    throw new OptionError(`fit: epochs must be a whole number of 0 or more, found ${epochs}`);
  }
  checkBatchSize('fit', batchSize);
  checkSeed(seed);
}

function historyOf(results: readonly EpochResult[]): History {
  const validated = results.filter((result) => result.validationLoss !== undefined);
  return {
    loss: results.map((result) => result.loss),
    accuracy: results.map((result) => result.accuracy),
    validationLoss: validated.map((result) => result.validationLoss ?? NaN),
    validationAccuracy: validated.map((result) => result.validationAccuracy ?? NaN),
    seconds: results.map((result) => result.seconds),
  };
}

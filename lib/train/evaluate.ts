import type { CompiledFunction } from '../compile.js';
import { type Augment, augmentRule } from '../data/augment.js';
import { type LabelledData, outcomesOf, type TrainingData } from '../data/training-data.js';
import type { StreamedData } from '../data/streamed-data.js';
import { defaultDevice } from '../device/default.js';
import { DataLoader } from '../data/data-loader.js';
import type { Module } from '../nn/module.js';
import { callback, checkOptions, type OptionRules, weights, wholeNumber } from '../options.js';
import { RUN_RULES, type RunOptions } from '../run.js';
import type { PreparedPlan } from '../plan.js';
import { checkBatchRoom } from './batch-room.js';
import { EpochSteps } from './epoch-steps.js';
import type { Means } from './history.js';
import { Measurements } from './measurements.js';
import { type DefaultMetrics, type Metrics, metricsRule, type ValueOf } from './metrics.js';
import { type Loss, type Objective, objectiveFor } from './objective.js';
import { prepareModel } from './prepare-model.js';

/** Options of {@link evaluate}. */
export interface EvaluateOptions<M = DefaultMetrics<LabelledData>> extends RunOptions {
  /** Default, for classes and for rows of probabilities: {@link softmaxCrossEntropy}. */
  readonly loss?: Loss;
  /** What is measured beside the loss. Default: the accuracy, where the targets are classes or one bit ({@link fit}). */
  readonly metrics?: M;
  /** How much each class counts in the loss, as in {@link fit}. Default 1 each. */
  readonly classWeights?: readonly number[] | Float32Array;
  /** Rows computed at once, at most: all of them where there are fewer. Default 256. */
  readonly batchSize?: number;
  /** What the model was trained with. Nothing is drawn: of pictures of another size than its views, plain views are taken. */
  readonly augment?: Augment;
}

/** What {@link evaluate} finds of all rows: the mean loss and each metric by its name. */
export type Evaluation<M = DefaultMetrics<LabelledData>> = {
  /** Mean loss. */
  readonly loss: number;
} & { readonly [Name in keyof M]: ValueOf<M[Name]> };

/** Rows computed at once where nothing is trained. */
export const EVALUATION_BATCH = 256;

const RULES: OptionRules<EvaluateOptions> = {
  loss: callback,
  metrics: metricsRule,
  classWeights: weights,
  batchSize: wholeNumber({ min: 1 }),
  augment: augmentRule,
  ...RUN_RULES,
};

/**
 * Loss and metrics of a model on data, in evaluation mode. Throws OptionError for an unknown or unusable option,
 * DataError or ShapeError where model, data, loss and metrics do not fit, and DeviceMemoryError, with the batch that would
 * fit, where the device has no room for it.
 */
export function evaluate<M extends Metrics>(
  model: Module,
  data: TrainingData | StreamedData,
  options: EvaluateOptions<M> & { readonly metrics: M },
): Promise<Evaluation<M>>;
export function evaluate<Data extends TrainingData | StreamedData>(
  model: Module,
  data: Data,
  options?: EvaluateOptions<DefaultMetrics<Data>>,
): Promise<Evaluation<DefaultMetrics<Data>>>;
export async function evaluate(
  model: Module,
  data: TrainingData | StreamedData,
  options: EvaluateOptions<Metrics> = {},
): Promise<Evaluation<Metrics>> {
  checkOptions('evaluate', options, RULES);
  prepareModel('evaluate', model, data, 'data', options);
  const { device = defaultDevice() } = options;
  const batchSize = Math.min(options.batchSize ?? EVALUATION_BATCH, outcomesOf(data).count);
  const objective = objectiveFor('evaluate', model, data, options);
  const { augment } = options;
  const inBatchesOf = (size: number): Evaluator =>
    new Evaluator(model, data, objective, { device, batchSize: size, ...(augment && { augment }) });
  const evaluator = inBatchesOf(batchSize);
  try {
    checkBatchRoom('evaluate', device, evaluator, batchSize, inBatchesOf);
    const { loss, metrics } = await evaluator.run();
    return { loss, ...metrics };
  } finally {
    evaluator.dispose();
  }
}

/** @internal Evaluation of one data set that can be repeated: its plans and the data on the device are kept. */
export class Evaluator {
  readonly #loader: DataLoader<TrainingData | StreamedData>;
  readonly #measurements: Measurements;
  readonly #steps: EpochSteps;

  constructor(
    model: Module,
    data: TrainingData | StreamedData,
    objective: Objective,
    options: RunOptions & { readonly batchSize?: number; readonly augment?: Augment } = {},
  ) {
    const { batchSize = EVALUATION_BATCH } = options;
    const augment = options.augment?.plainFor(data.inputShape);
    this.#loader = new DataLoader(data, { batchSize, shuffle: false, ...(augment && { augment }) });
    this.#measurements = new Measurements(objective);
    this.#steps = new EpochSteps(
      { training: false, model },
      this.#loader,
      (batch, rows) => {
        this.#measurements.add(model.forward(batch.inputs), batch, rows);
      },
      options,
    );
  }

  /** Its plans, before they are loaded. */
  prepare(): PreparedPlan[] {
    return this.#steps.prepare();
  }

  /** Its steps: one has a plan. */
  functions(): CompiledFunction<void>[] {
    return this.#steps.functions();
  }

  async run(): Promise<Means> {
    await this.#steps.run();
    const { loss, metrics } = await this.#measurements.take();
    return { loss: loss.mean, metrics };
  }

  dispose(): void {
    for (const owned of [this.#steps, this.#loader, this.#measurements]) owned.dispose();
  }
}

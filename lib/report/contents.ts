import type { LearningRate } from '../optim/groups.js';
import type { LearningRateCurve } from '../train/find-learning-rate.js';
import { anything, list, type OptionRules, required, text } from '../options.js';
import type { ConfusionMatrix } from './confusion.js';
import { historyRule, type TrainingHistory } from './curves.js';
import type { GroupResult } from './groups.js';
import type { Prediction } from './predictions.js';
import type { ExplainedPrediction } from './saliency.js';
import type { FirstWeight } from './weights.js';

/** What a report tells of a training. What is left out has no part in it. */
export interface ReportContents {
  /** What was trained, such as the name of the net. */
  readonly title: string;
  /** Default: none. */
  readonly subtitle?: string;
  /** What else is to be known, by its name: the device, the seed, the options. */
  readonly facts?: Readonly<Record<string, string | number>>;
  /** What `fit` returned, or what is in `history.json`. */
  readonly history?: TrainingHistory;
  /** Of pictures that the model was not trained on. All of them count; of many, the first 24 are shown. */
  readonly predictions?: readonly Prediction[];
  /** Default: counted from the predictions. */
  readonly confusionMatrix?: ConfusionMatrix;
  /** Pictures with what matters in them. */
  readonly saliency?: readonly ExplainedPrediction[];
  /** The weight of the first layer. */
  readonly weights?: FirstWeight;
  /** What `findLearningRate` found. */
  readonly learningRates?: LearningRateCurve;
  /** The learning rate over the steps of the training. */
  readonly schedule?: {
    /** By step. */
    readonly learningRate: LearningRate;
    /** Of the whole training. */
    readonly steps: number;
    /** Where given, epochs are marked. */
    readonly stepsPerEpoch?: number;
  };
  /** Accuracy by group, such as `byGroup` of a score of `crossValidate`. */
  readonly groups?: readonly GroupResult[];
}

/** @internal */
export const CONTENTS_RULES: OptionRules<ReportContents> = {
  title: required(text),
  subtitle: text,
  facts: anything,
  history: historyRule,
  predictions: list,
  confusionMatrix: anything,
  saliency: list,
  weights: anything,
  learningRates: anything,
  schedule: anything,
  groups: list,
};

/** @internal So many pictures are shown of the predictions, of the mistakes and of the saliency, at most. */
export const MOST_SHOWN = 24;

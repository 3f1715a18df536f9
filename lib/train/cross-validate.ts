import { foldsOf } from '../data/folds.js';
import { selectExamples } from '../data/select.js';
import { type LabelledData, labelledRule } from '../data/training-data.js';
import { ShapeError } from '../errors.js';
import {
  callback,
  checkArgument,
  checkOptions,
  type OptionRule,
  type OptionRules,
  required,
  seed as seedRule,
  wholeNumber,
} from '../options.js';
import { formatShape } from '../shape.js';
import { Tensor } from '../tensor.js';

/** One of the trainings of {@link crossValidate}. */
export interface Fold {
  /** The examples to train on. */
  readonly training: LabelledData;
  /** The others, to be predicted. */
  readonly heldOut: LabelledData;
  /** Of the partition: for the weights and the order of the training, too. */
  readonly seed: number;
  /** Which fold is held out, counted from 0. */
  readonly fold: number;
}

/** What came of a {@link Fold}. */
export interface FoldOutcome {
  /**
   * Logits or probabilities [n, classes] of the examples held out; or several of them by name, where one model answers in
   * several ways.
   */
  readonly predictions: Tensor | Readonly<Record<string, Tensor>>;
  /** Numbers of the training that are to be averaged, such as its accuracy on what it was trained on. */
  readonly measured?: Readonly<Record<string, number>>;
}

/** Options of {@link crossValidate}. */
export interface CrossValidateOptions {
  /** Trains a fresh model, and predicts. */
  readonly train: (fold: Fold) => Promise<FoldOutcome>;
  /** Into how many parts the data are divided: 2 or more. Default 5. */
  readonly folds?: number;
  /** A partition for each of them, by it. Default [0]. */
  readonly seeds?: readonly number[];
  /** The group of each example: what stays together, such as pictures of one scene. Default: each is its own. */
  readonly groups?: readonly string[];
}

/** What the models came to on one fold. */
export interface FoldScore {
  /** The seed of the division and of the training. */
  readonly seed: number;
  /** Counted from 0. */
  readonly fold: number;
  /** Share of the fold's examples that was predicted correctly. */
  readonly accuracy: number;
}

/** What the models came to on the examples of one group. */
export interface GroupScore {
  /** Its name. */
  readonly group: string;
  /** Examples in it. */
  readonly count: number;
  /** Share of them that was predicted correctly, over all seeds. */
  readonly accuracy: number;
}

/** How often predictions of examples that were held out were right. */
export interface CrossValidationScore {
  /** Right answers / answers, over all seeds. */
  readonly accuracy: number;
  /** Of each seed. */
  readonly bySeed: readonly number[];
  /** Of each fold of each seed. */
  readonly byFold: readonly FoldScore[];
  /** Of each group, over all seeds, in the order of the first example of each; none without groups. */
  readonly byGroup: readonly GroupScore[];
  /** Standard deviation of the folds' accuracies, by n - 1; 0 of one. */
  readonly deviationOfFolds: number;
  /** The same of the seeds'. */
  readonly deviationOfSeeds: number;
  /** How many of the seeds' models were right about each example. */
  readonly right: Int32Array;
}

/** What {@link crossValidate} found. */
export interface CrossValidation {
  /** By the names of the predictions; without names there is one, `predictions`. */
  readonly scores: Readonly<Record<string, CrossValidationScore>>;
  /** Means over all trainings of what they measured, by name. */
  readonly measured: Readonly<Record<string, number>>;
}

const seedsRule: OptionRule = {
  expected: 'an array of one or more different whole numbers of 0 or more',
  accepts: (value) =>
    Array.isArray(value) && value.length > 0 && value.every(seedRule.accepts) && new Set(value).size === value.length,
};
const groupsRule: OptionRule = {
  expected: 'an array of texts',
  accepts: (value) => Array.isArray(value) && value.every((each) => typeof each === 'string'),
};
const RULES: OptionRules<CrossValidateOptions> = {
  train: required(callback),
  folds: wholeNumber({ min: 2 }),
  seeds: seedsRule,
  groups: groupsRule,
};

/**
 * Trains a model for each of several parts of the data on all the others, and counts how often it is right about the part that
 * it has not seen (compare scikit-learn's `cross_val_predict` with StratifiedGroupKFold). With `groups`, whole groups are
 * held out: pictures of one scene resemble each other, and a model that has seen some of them knows the others.
 *
 *     const { scores } = await crossValidate(photos, {
 *       groups: scenes, seeds: [0, 1, 2],
 *       async train({ training, heldOut, seed }) {
 *         const model = convNet({ classes: 2 });
 *         await fit(model, training, { epochs: 20, optimizer: new AdamW({ learningRate: 1e-3 }), seed });
 *         return { predictions: await predict(model, heldOut) };
 *       },
 *     });
 *     console.table(scores.predictions.byGroup);
 *
 * Throws OptionError for a bad option, DataError where the data cannot be divided so, and ShapeError for predictions of
 * another shape. What `train` throws ends it.
 */
export async function crossValidate(data: LabelledData, options: CrossValidateOptions): Promise<CrossValidation> {
  checkArgument('crossValidate', 'data', data, labelledRule);
  checkOptions('crossValidate', options, RULES);
  const { folds = 5, seeds = [0], groups, train } = options;
  const tallies = new Map<string, Tally>();
  const measured = new Map<string, number[]>();
  for (const seed of seeds) {
    const foldOf = foldsOf(data, folds, seed, groups);
    for (let fold = 0; fold < folds; fold++) {
      const rows = (isHeldOut: boolean): number[] =>
        Array.from(foldOf.keys()).filter((row) => (foldOf[row] === fold) === isHeldOut);
      const heldOut = rows(true);
      const outcome = await train({
        training: selectExamples(data, rows(false)),
        heldOut: selectExamples(data, heldOut),
        seed,
        fold,
      });
      for (const [name, predictions] of Object.entries(named(outcome.predictions))) {
        const tally = tallies.get(name) ?? new Tally(data, groups);
        tallies.set(name, tally);
        tally.add(seed, fold, heldOut, await rowsOf(name, predictions, heldOut.length, data.classNames.length));
      }
      for (const [name, value] of Object.entries(outcome.measured ?? {})) {
        measured.set(name, [...(measured.get(name) ?? []), value]);
      }
    }
  }
  return {
    scores: Object.fromEntries(Array.from(tallies, ([name, tally]) => [name, tally.score(seeds.length)])),
    measured: Object.fromEntries(Array.from(measured, ([name, values]) => [name, mean(values)])),
  };
}

function named(predictions: FoldOutcome['predictions']): Readonly<Record<string, Tensor>> {
  return predictions instanceof Tensor ? { predictions } : predictions;
}

async function rowsOf(name: string, predictions: Tensor, count: number, classes: number): Promise<Float32Array[]> {
  const { shape } = predictions;
  if (shape.length !== 2 || shape[0] !== count || shape[1] !== classes) {
    throw new ShapeError(
      `crossValidate: ${name} must be [${count}, ${classes}], a row for each example held out: found ${formatShape(shape)}`,
    );
  }
  const values = Float32Array.from(await predictions.data());
  return Array.from({ length: count }, (_, row) => values.subarray(row * classes, (row + 1) * classes));
}

/** Counts right answers. */
class Tally {
  readonly #data: LabelledData;
  readonly #groups: readonly string[] | undefined;
  readonly #right: Int32Array;
  readonly #folds: { readonly seed: number; readonly fold: number; readonly right: number; readonly count: number }[] =
    [];

  constructor(data: LabelledData, groups: readonly string[] | undefined) {
    this.#data = data;
    this.#groups = groups;
    this.#right = new Int32Array(data.labels.length);
  }

  add(seed: number, fold: number, rows: readonly number[], predictions: readonly Float32Array[]): void {
    let right = 0;
    for (const [i, row] of rows.entries()) {
      if (largest(predictions[i] ?? new Float32Array(0)) !== this.#data.labels[row]) continue;
      right++;
      this.#right[row] = (this.#right[row] ?? 0) + 1;
    }
    this.#folds.push({ seed, fold, right, count: rows.length });
  }

  score(seeds: number): CrossValidationScore {
    const share = (part: readonly { readonly right: number; readonly count: number }[]): number =>
      sum(part.map(({ right }) => right)) / sum(part.map(({ count }) => count));
    const bySeed = groupedBy(this.#folds, ({ seed }) => seed).map(([, folds]) => share(folds));
    const byFold = this.#folds.map(({ seed, fold, right, count }) => ({ seed, fold, accuracy: right / count }));
    const groups = this.#groups?.map((group, row) => ({ group, right: this.#right[row] ?? 0 })) ?? [];
    const byGroup = groupedBy(groups, ({ group }) => group).map(([group, members]) => ({
      group,
      count: members.length,
      accuracy: sum(members.map(({ right }) => right)) / (members.length * seeds),
    }));
    return {
      accuracy: share(this.#folds),
      bySeed,
      byFold,
      byGroup,
      deviationOfFolds: deviation(byFold.map(({ accuracy }) => accuracy)),
      deviationOfSeeds: deviation(bySeed),
      right: this.#right,
    };
  }
}

/** The place of the largest value, the first of equal ones; -1 where there is none but NaN. */
function largest(values: Float32Array): number {
  return values.reduce((most, value, i) => (value > (values[most] ?? -Infinity) ? i : most), -1);
}

/** In the order of the first of each. */
function groupedBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): [Key, Item[]][] {
  const found = new Map<Key, Item[]>();
  for (const item of items) {
    const group = found.get(keyOf(item));
    if (group) group.push(item);
    else found.set(keyOf(item), [item]);
  }
  return [...found];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = mean(values);
  return Math.sqrt(sum(values.map((value) => (value - middle) ** 2)) / (values.length - 1));
}

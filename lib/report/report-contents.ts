import type { ExampleData } from '../data/training-data.js';
import { DataError } from '../errors.js';
import { type Module } from '../nn/module.js';
import { stateOf } from '../nn/state.js';
import { softmax } from '../ops/normalize/softmax.js';
import { anything, checkOptions, list, type OptionRules } from '../options.js';
import { RUN_RULES, type RunOptions } from '../run.js';
import { sizeOf } from '../shape.js';
import { predict } from '../train/predict.js';
import { saliency } from '../train/saliency.js';
import { CONTENTS_RULES, MOST_SHOWN, type ReportContents } from './contents.js';
import { type Picture, pictureShapeOf, picturesOf } from './picture.js';
import type { Prediction } from './predictions.js';
import { saliencyMaps } from './saliency.js';
import type { FirstWeight } from './weights.js';

/** Examples with the names of classes, and with their own classes where these are known. */
export interface TestData extends ExampleData {
  /** The class of each example, where it is known. */
  readonly labels?: Int32Array;
  /** Names of the classes, in the order of their numbers. */
  readonly classNames: readonly string[];
}

/** Options of {@link reportContents}: what a report is to tell beside what the model says. */
export interface ReportContentsOptions
  extends RunOptions, Omit<ReportContents, 'predictions' | 'saliency' | 'weights' | 'confusionMatrix'> {
  /**
   * The test data as they are to be seen, in the same order: where the model's inputs are not the pictures themselves, but
   * normalized, small or flat. Default: the inputs, where they have the shape of pictures.
   */
  readonly pictures?: ExampleData | readonly Picture[];
  /** The shape of the pictures that flat inputs were, such as [3, 28, 28]: for weights and saliency. Default: that of the inputs. */
  readonly inputShape?: readonly number[];
}

const { title, subtitle, facts, history, learningRates, schedule, groups } = CONTENTS_RULES;
const RULES: OptionRules<ReportContentsOptions> = {
  ...{ title, subtitle, facts, history, learningRates, schedule, groups },
  ...{ pictures: anything, inputShape: list },
  ...RUN_RULES,
};

/**
 * What {@link writeReport} needs, of a classifier and its test data: probabilities (the softmax of the model's outputs), saliency of
 * the first pictures, and the weight of the first layer, where it reads pictures.
 *
 * @throws OptionError for an unknown or unusable option
 * @throws ShapeError where the data do not fit the model
 * @throws DataError where pictures, labels or class names are not as many as they should be
 */
export async function reportContents(
  model: Module,
  test: TestData,
  options: ReportContentsOptions,
): Promise<ReportContents> {
  checkOptions('reportContents', options, RULES);
  const { pictures: given, inputShape = test.inputShape, device, ...told } = options;
  const on = device ? { device } : {};
  const { classNames, labels, files } = test;
  const outputs = softmax(await predict(model, test, on));
  const [count = 0, classes = 0] = outputs.shape;
  if (outputs.rank !== 2 || classes !== classNames.length) {
    throw new DataError(`reportContents: outputs [${outputs.shape.join(', ')}] for ${classNames.length} class names`);
  }
  const probabilities = await outputs.data();
  const pictures = picturesFor(given, test);
  checkCounts(count, { labels: labels?.length, pictures: pictures?.length });
  const predictions = Array.from({ length: count }, (_, i): Prediction => {
    const [file, picture, label] = [files?.[i], pictures?.[i], labels && classNames[labels[i] ?? -1]];
    return {
      ...(file !== undefined && { file }),
      ...(picture && { picture }),
      ...(label !== undefined && { label }),
      classNames,
      probabilities: probabilities.slice(i * classes, (i + 1) * classes),
    };
  });
  const weights = await firstWeight(model, inputShape);
  const explained = await explain(model, test, inputShape, predictions, on);
  return { ...told, predictions, ...(explained && { saliency: explained }), ...(weights && { weights }) };
}

function picturesFor(given: ReportContentsOptions['pictures'], test: TestData): readonly Picture[] | undefined {
  if (given) return 'inputs' in given ? picturesOf(given) : given;
  return pictureShapeOf(test.inputShape) && picturesOf(test);
}

function checkCounts(count: number, found: Readonly<Record<string, number | undefined>>): void {
  for (const [name, length] of Object.entries(found)) {
    if (length !== undefined && length !== count)
      throw new DataError(`reportContents: ${length} ${name} for ${count} inputs`);
  }
}

/** The first predictions with what matters in their pictures; undefined where there are no pictures. */
async function explain(
  model: Module,
  { inputs, ...rest }: TestData,
  inputShape: readonly number[],
  predictions: readonly Prediction[],
  on: RunOptions,
) {
  const size = sizeOf(inputShape);
  const shown = predictions.slice(0, MOST_SHOWN);
  if (!pictureShapeOf(inputShape) || shown.length === 0 || !shown.every(({ picture }) => picture)) return undefined;
  const gradients = await saliency(model, { ...rest, inputs: inputs.subarray(0, shown.length * size) }, on);
  const maps = saliencyMaps(await gradients.data(), inputShape);
  return shown.flatMap(({ picture, ...prediction }, i) => {
    const map = maps[i];
    return picture && map ? [{ ...prediction, picture, saliency: map }] : [];
  });
}

/** The weight of a first layer that reads pictures; undefined where the first layer does not. */
async function firstWeight(model: Module, inputShape: readonly number[]): Promise<FirstWeight | undefined> {
  const shape = pictureShapeOf(inputShape);
  const [first] = [...(await stateOf(model)).values()].filter((tensor) => tensor.shape.length > 1);
  if (!shape || !first) return undefined;
  const [, columns] = first.shape;
  const isConvolution = first.shape.length === 4 && columns === shape.channels;
  const isDense = first.shape.length === 2 && columns === sizeOf(inputShape);
  if (!isConvolution && !isDense) return undefined;
  return { shape: first.shape, data: Float32Array.from(first.data as Float32Array), inputShape };
}

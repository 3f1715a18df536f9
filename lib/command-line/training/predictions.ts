import { join } from 'node:path';
import {
  type Device,
  type ExampleData,
  type LabelledData,
  type PictureClassifier,
  predictViews,
  viewsOf,
} from '../../index.js';
import { writeFileAtomically } from '../../node/index.js';
import { printable } from '../../printable.js';
import { jsonText } from '../json.js';
import type { ViewCount } from '../shared-options.js';

/** What a net takes a picture for. */
export interface Answer {
  readonly predicted: string;
  /** One for each class, in the order of the class names; they sum to 1. */
  readonly probabilities: readonly number[];
}

/** A picture's class as the net sees it, and as it is. */
export interface Prediction extends Answer {
  readonly file: string;
  readonly label: string;
}

/**
 * What a net takes each picture of its stored size for.
 *
 * @param views how many views of a picture an answer is the mean of
 */
export async function classify(
  model: PictureClassifier,
  pictures: ExampleData,
  device: Device,
  views: ViewCount,
): Promise<Answer[]> {
  if (pictures.inputs.length === 0) return [];
  const { classNames } = model.description;
  const answers = await predictViews(model, pictures, { augment: viewsOf(model), views, device });
  const probabilities = await answers.data(); // [N, classes]
  return Array.from({ length: probabilities.length / classNames.length }, (_, row) => {
    const own = Array.from(probabilities.subarray(row * classNames.length, (row + 1) * classNames.length));
    return { predicted: classNames[own.indexOf(Math.max(...own))] ?? '', probabilities: own };
  });
}

/** Class and probabilities of every picture. */
export async function predictPictures(
  model: PictureClassifier,
  pictures: LabelledData,
  device: Device,
  views: ViewCount,
): Promise<Prediction[]> {
  const { classNames, labels, files } = pictures;
  const answers = await classify(model, pictures, device, views);
  return answers.map((answer, row) => ({
    file: files?.[row] ?? '',
    label: classNames[labels[row] ?? -1] ?? '',
    ...answer,
  }));
}

/** Writes predictions.json. */
export async function savePredictions(directory: string, predictions: readonly Prediction[]): Promise<void> {
  await writeFileAtomically(join(directory, 'predictions.json'), `${jsonText(predictions, 2)}\n`);
}

/** For a terminal: `HookWrench/hook_125.png: HookWrench (HookWrench 0.934, SpannerWrench 0.066)`, and whether it is wrong. */
export function describePrediction(prediction: Prediction, classNames: readonly string[]): string {
  const { file, label, predicted } = prediction;
  const mistake = predicted === label ? '' : `  ✗ it is a ${label}`;
  return printable(`${file}: ${describeAnswer(prediction, classNames)}${mistake}`);
}

/** So many classes are listed, all of them where there are no more. */
const LISTED = 5;

/** `HookWrench (HookWrench 0.934, SpannerWrench 0.066)`: of many classes the likeliest. */
export function describeAnswer({ predicted, probabilities }: Answer, classNames: readonly string[]): string {
  const shares = classNames.map((name, i) => ({ name, share: probabilities[i] ?? NaN }));
  const listed = shares.length > LISTED ? shares.sort((a, b) => b.share - a.share).slice(0, LISTED) : shares;
  return printable(`${predicted} (${listed.map(({ name, share }) => `${name} ${share.toFixed(3)}`).join(', ')})`);
}

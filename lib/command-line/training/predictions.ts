import { join } from 'node:path';
import { predict, softmax, type Device, type LabelledData, type Module } from '../../index.js';
import { writeFileAtomically } from '../../node/index.js';
import { printable } from '../../printable.js';

/** A picture's class as the net sees it. */
export interface Prediction {
  readonly file: string;
  readonly label: string;
  readonly predicted: string;
  /** One for each class, in the order of the class names; they sum to 1. */
  readonly probabilities: readonly number[];
}

/** Class and probabilities of every picture. */
export async function predictPictures(model: Module, pictures: LabelledData, device: Device): Promise<Prediction[]> {
  const { classNames, labels, files } = pictures;
  const probabilities = await softmax(await predict(model, pictures, { device })).data(); // [N, classes]
  return Array.from(labels, (label, row) => {
    const own = Array.from(probabilities.subarray(row * classNames.length, (row + 1) * classNames.length));
    return {
      file: files?.[row] ?? '',
      label: classNames[label] ?? '',
      predicted: classNames[own.indexOf(Math.max(...own))] ?? '',
      probabilities: own,
    };
  });
}

/** Writes predictions.json. */
export async function savePredictions(directory: string, predictions: readonly Prediction[]): Promise<void> {
  await writeFileAtomically(join(directory, 'predictions.json'), `${JSON.stringify(predictions, null, 2)}\n`);
}

/** For a terminal: `HookWrench/hook_125.png: HookWrench (HookWrench 0.934, SpannerWrench 0.066)`, and whether it is wrong. */
export function describePrediction(prediction: Prediction, classNames: readonly string[]): string {
  const { file, label, predicted, probabilities } = prediction;
  const shares = classNames.map((name, i) => `${name} ${(probabilities[i] ?? 0).toFixed(3)}`).join(', ');
  return printable(`${file}: ${predicted} (${shares})${predicted === label ? '' : `  ✗ it is a ${label}`}`);
}

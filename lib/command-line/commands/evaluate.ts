import {
  accuracy,
  clamp,
  confusionMatrix,
  DataError,
  type Device,
  evaluate,
  type Evaluation,
  type LabelledData,
  log,
  type PictureClassifier,
  predictViews,
  Sequential,
  softmaxCrossEntropy,
  type Tensor,
  viewsOf,
} from '../../index.js';
import { elementAt } from '../../element-at.js';
import { loadModel, openDevice } from '../../node/index.js';
import { readImageSet } from '../../node/pictures/image-folder.js';
import { splitFolders } from '../../node/pictures/image-splits.js';
import { listClasses } from '../../node/pictures/picture-files.js';
import { printable } from '../../printable.js';
import { checkWords } from '../arguments.js';
import { defineCommand } from '../command.js';
import {
  DEVICE_OPTION,
  deviceOption,
  OUTPUT_OPTIONS,
  outputFor,
  type ViewCount,
  VIEWS_OPTION,
  viewsOption,
} from '../shared-options.js';

/** Up to so many classes the confusion matrix is printed without `--verbose`. */
const PRINTED_CLASSES = 10;

const METRICS = { accuracy, confusion: confusionMatrix() };

export const evaluateCommand = defineCommand({
  name: 'evaluate',
  words: 'MODEL DIR',
  summary: 'Measures a model on pictures whose classes are known.',
  options: {
    views: VIEWS_OPTION,
    device: DEVICE_OPTION,
    ...OUTPUT_OPTIONS,
    verbose: { help: `print the confusion matrix of more than ${PRINTED_CLASSES} classes, too` },
  },
  notes: [
    '',
    'MODEL is a file that train wrote. DIR has a sub-folder for each class, all of them or some; of a folder with train, valid and test,',
    'the pictures of test are taken, else those of valid. Precision is the share of the pictures taken for a class that are of it,',
    'recall the share of the pictures of a class that are taken for it, F1 their harmonic mean. With one view the figures are those',
    'that train prints of the same pictures.',
  ],
  async run(values, words) {
    checkWords(words, 'a model and a folder of pictures: kernelwright evaluate MODEL DIR', 2, 2);
    const [path = '', given = ''] = words;
    const output = outputFor(values);
    const views = viewsOption(values.views);
    const model = await loadModel(path);
    const { classNames, size, storedSize = size, layout } = model.description;
    const directory = await folderToMeasure(given);
    const listed = await listClasses(directory);
    if (listed.files.length === 0) throw new DataError(`No picture in ${printable(directory)}`);
    const how = { size: storedSize, layout, dtype: 'u8', onProgress: output.counter('pictures') } as const;
    const pictures = await readImageSet(directory, listed, how);
    const data = withClasses(pictures, classNames, directory);
    const device = await openDevice(deviceOption(values.device), { onCompile: output.counter('kernels') });
    try {
      const found = await (views === 1
        ? evaluate(model, data, { metrics: METRICS, device, augment: viewsOf(model) })
        : evaluateViews(model, data, views, device));
      const { loss, confusion } = found;
      const right = rightOf(confusion);
      const classes = classNames.map((name, i) => ({ name, ...figuresOf(confusion, i) }));
      const count = data.labels.length;
      const isPrinted = values.verbose === true || classNames.length <= PRINTED_CLASSES;
      const lines = [
        `${count} pictures of ${printable(directory)}`,
        `loss ${loss.toFixed(4)}, accuracy ${found.accuracy.toFixed(3)} (${right} of ${count} right)`,
        ...['', ...classTable(classes)],
        ...(isPrinted ? ['', ...matrixTable(confusion, classNames)] : []),
      ];
      output.result(lines.join('\n'), { directory, pictures: count, views, ...found, classes });
    } finally {
      device.dispose();
    }
    return 0;
  },
});

/** Of a folder that is divided, that of the part to be measured by. */
async function folderToMeasure(given: string): Promise<string> {
  const divided = await splitFolders(given);
  if (!divided) return given;
  const { training, validation, test } = divided;
  const folder = test ?? validation;
  if (folder !== undefined) return folder;
  throw new DataError(
    `${printable(given)} has pictures to train on, and none to test; to measure by them all the same, name ${printable(training)}`,
  );
}

/** The same of answers that are means over views. */
async function evaluateViews(
  model: PictureClassifier,
  data: LabelledData,
  views: ViewCount,
  device: Device,
): Promise<Evaluation<typeof METRICS>> {
  const { classNames, labels, files } = data;
  const probabilities = await predictViews(model, data, { augment: viewsOf(model), views, device });
  const inputs = Float32Array.from(await probabilities.data());
  const unknown = inputs.findIndex(Number.isNaN);
  if (unknown >= 0) {
    const row = Math.floor(unknown / classNames.length);
    throw new DataError(printable(`The model's answer to ${files?.[row] ?? `picture ${row}`} is NaN`));
  }
  const answers: LabelledData = { inputs, inputShape: [classNames.length], labels, classNames };
  return evaluate(new Sequential([]), answers, { loss: crossEntropyOfProbabilities, metrics: METRICS, device });
}

/** As Keras has it of probabilities (`from_logits=False`), which it keeps that far from 0 and 1. */
const EPSILON = 1e-7;

function crossEntropyOfProbabilities(probabilities: Tensor, labels: Tensor): Tensor {
  return softmaxCrossEntropy(log(clamp(probabilities, { min: EPSILON, max: 1 - EPSILON })), labels);
}

function rightOf(confusion: Matrix): number {
  return confusion.reduce((sum, line, label) => sum + elementAt(line, label), 0);
}

/** The pictures with the labels that a model has for their classes. */
function withClasses(pictures: LabelledData, classNames: readonly string[], directory: string): LabelledData {
  const unknown = pictures.classNames.filter((name) => !classNames.includes(name));
  if (unknown.length > 0) {
    throw new DataError(
      printable(
        `${directory} has ${unknown.join(', ')}, of which the model knows nothing: it knows ${classNames.join(', ')}`,
      ),
    );
  }
  const labelOf = pictures.classNames.map((name) => classNames.indexOf(name));
  return { ...pictures, classNames, labels: pictures.labels.map((label) => labelOf[label] ?? -1) };
}

interface ClassFigures {
  readonly pictures: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

type Matrix = readonly (readonly number[])[];

/** Of one class; a share of nothing is 0. */
function figuresOf(confusion: Matrix, label: number): ClassFigures {
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, own) => total + own, 0);
  const pictures = sum(confusion[label] ?? []);
  const predictions = sum(confusion.map((line) => line[label] ?? 0));
  const right = confusion[label]?.[label] ?? 0;
  const share = (of: number): number => (of === 0 ? 0 : right / of);
  return { pictures, precision: share(predictions), recall: share(pictures), f1: share((pictures + predictions) / 2) };
}

function classTable(classes: readonly ({ readonly name: string } & ClassFigures)[]): string[] {
  const rows = classes.map(({ name, pictures, precision, recall, f1 }) => [
    printable(name),
    String(pictures),
    ...[precision, recall, f1].map((share) => share.toFixed(3)),
  ]);
  return table([['class', 'pictures', 'precision', 'recall', 'F1'], ...rows]);
}

function matrixTable(confusion: Matrix, classNames: readonly string[]): string[] {
  const names = classNames.map(printable);
  return table([['is ↓  taken for →', ...names], ...confusion.map((line, i) => [names[i] ?? '', ...line.map(String)])]);
}

/** Columns of equal width, the first to the left. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
}

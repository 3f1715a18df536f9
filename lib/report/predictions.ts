import { basename } from 'node:path';
import { DataError } from '../errors.js';
import { checkArgument, checkOptions, list, type OptionRules, show, text, wholeNumber } from '../options.js';
import { printable } from '../printable.js';
import type { TitleOptions } from './curves.js';
import { LABEL_SIZE } from './draw.js';
import { shortened, textWidth } from './font.js';
import { dataAddress, fitted, type Picture, pictureRule } from './picture.js';
import { type Cell, drawSheet, type Marks } from './sheet.js';
import { LIGHT } from './theme.js';

/** What a model says of one picture. */
export interface Prediction {
  /** Where the picture comes from; its last part is shown. */
  readonly file?: string;
  /** Without one, the bars stand alone. */
  readonly picture?: Picture;
  /** Names of the classes, in the order of their numbers. */
  readonly classNames: readonly string[];
  /** One of each class, in the order of the names: they sum to 1. */
  readonly probabilities: ArrayLike<number>;
  /** The name of the class that it is; left out where nobody knows. */
  readonly label?: string;
}

/** Options of {@link drawPredictions}. */
export interface DrawPredictionsOptions extends TitleOptions {
  /** Pictures in a row. Default 5. */
  readonly columns?: number;
}

const RULES: OptionRules<DrawPredictionsOptions> = { columns: wholeNumber({ min: 1 }), title: text, subtitle: text };

/**
 * Draws pictures with the probabilities of their classes as bars below, as SVG: blue for what is right, orange for a class
 * that was predicted and is wrong. Of more than five classes, the five most probable are shown and the right one.
 *
 * @throws DataError where a prediction's probabilities are no numbers or not as many as its classes, or its label is none of them
 * @throws KernelwrightError, with the command to install them, without the packages `vega` and `vega-lite`
 */
export async function drawPredictions(
  predictions: readonly Prediction[],
  options: DrawPredictionsOptions = {},
): Promise<string> {
  checkOptions('drawPredictions', options, RULES);
  const { columns = 5, ...titles } = options;
  return drawSheet({ ...titles, columns, ...predictionCells(predictions) });
}

/** The predictions that are wrong, those first that the model was most sure of. */
export function mistakes(predictions: readonly Prediction[]): Prediction[] {
  const answers = predictions.map(answerOf);
  return answers
    .filter(({ isRight }) => isRight === false)
    .sort((a, b) => b.probability - a.probability)
    .map(({ prediction }) => prediction);
}

/** @internal What a prediction comes to. */
export interface Answer {
  readonly prediction: Prediction;
  /** The most probable class. */
  readonly predicted: string;
  readonly probability: number;
  /** Undefined where the prediction has no label. */
  readonly isRight: boolean | undefined;
}

/** @internal Throws DataError for a prediction that is none. */
export function answerOf(prediction: Prediction): Answer {
  const { file, classNames, probabilities, label, picture } = prediction;
  const what = file === undefined ? 'a prediction' : `the prediction of ${printable(file)}`;
  const own = Array.from(probabilities);
  if (own.length === 0 || own.length !== classNames.length || !own.every((value) => Number.isFinite(value))) {
    throw new DataError(
      `${what} has probabilities [${own.slice(0, 5).join(', ')}${own.length > 5 ? ', …' : ''}]: expected one number for each of ${classNames.length} classes`,
    );
  }
  if (label !== undefined && !classNames.includes(label)) {
    throw new DataError(`${what} has the label ${show(label)}, which is none of its classes`);
  }
  if (picture !== undefined) checkArgument(what, 'the picture', picture, pictureRule);
  const probability = Math.max(...own);
  const predicted = classNames[own.indexOf(probability)] ?? '';
  return { prediction, predicted, probability, isRight: label === undefined ? undefined : predicted === label };
}

/** @internal What the answer is, in a sentence. */
export function describeAnswer({ prediction: { file, label }, predicted, probability, isRight }: Answer): string {
  const where = file === undefined ? '' : `${file}: `;
  const verdict = isRight === undefined ? '' : isRight ? ', which is right' : `, but it is ${label ?? ''}`;
  return printable(`${where}${predicted} ${percent(probability)}${verdict}.`);
}

/** @internal A share in percent. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)}\u00a0%`;
}

/** @internal Width of a picture with its bars. */
export const CELL_WIDTH = 168;
const MOST_HIGH = 168;
const MOST_CLASSES = 5;
const LINE = 16;
const CLASS = { height: 27, bar: 7 };

/** @internal The cells of a sheet, all of one size. */
export function predictionCells(predictions: readonly Prediction[]): {
  readonly cells: readonly Cell[];
  readonly width: number;
  readonly height: number;
} {
  checkArgument('drawPredictions', 'the predictions', predictions, list);
  const answers = predictions.map(answerOf);
  const pictureHeight = highest(predictions.map(({ picture }) => picture));
  const rows = answers.map(shownClasses);
  const hasMistakes = answers.some(({ isRight }) => isRight === false);
  const textHeight = LINE * (hasMistakes ? 3 : 2) + 8;
  const cells = answers.map((answer, i) => ({
    marks: joined(
      pictureMarks(answer.prediction.picture, pictureHeight),
      answerMarks(answer, pictureHeight),
      classMarks(answer, rows[i] ?? [], pictureHeight + textHeight),
    ),
    description: describeAnswer(answer),
  }));
  const most = Math.max(0, ...rows.map(({ length }) => length));
  return { cells, width: CELL_WIDTH, height: pictureHeight + textHeight + most * CLASS.height };
}

/** @internal The height of a box of the sheet's width that all pictures fit into; 0 without pictures. */
export function highest(pictures: readonly (Picture | undefined)[], width = CELL_WIDTH): number {
  const heights = pictures.map((picture) => (picture ? (width * picture.height) / picture.width : 0));
  return Math.round(Math.min(MOST_HIGH, Math.max(0, ...heights)));
}

/** @internal A picture in the middle of a box. */
export function pictureMarks(picture: Picture | undefined, height: number, left = 0, width = CELL_WIDTH): Marks {
  if (!picture) return {};
  const size = fitted(picture, width, height);
  const place = { x: left + (width - size.width) / 2, y: (height - size.height) / 2 };
  return { images: [{ ...place, ...size, url: dataAddress(picture, size.width) }] };
}

/** @internal Everything on one sheet. */
export function joined(...all: readonly Marks[]): Marks {
  return {
    images: all.flatMap(({ images }) => images ?? []),
    bars: all.flatMap(({ bars }) => bars ?? []),
    texts: all.flatMap(({ texts }) => texts ?? []),
  };
}

/** @internal What was predicted, what it is where that is another class, and the file. */
export function answerMarks({ prediction: { label, file }, predicted, isRight }: Answer, top: number): Marks {
  const line = (before: string, name: string, colour: string) => ({
    text: before + shortened(printable(name), LABEL_SIZE, CELL_WIDTH - textWidth(before, LABEL_SIZE)),
    colour,
  });
  const lines = [
    isRight === undefined
      ? line('', predicted, LIGHT.ink)
      : isRight
        ? line('✓ ', predicted, LIGHT.blue)
        : line('✗ ', predicted, LIGHT.orange),
  ];
  if (isRight === false) lines.push(line('it is ', label ?? '', LIGHT.ink));
  if (file !== undefined) lines.push(line('', basename(file), LIGHT.muted));
  return { texts: lines.map((each, i) => ({ ...each, x: 0, y: top + LINE * (i + 1) })) };
}

/** The classes to show, as indices: all in their order, or the most probable ones and the right one. */
function shownClasses({ prediction: { classNames, probabilities, label } }: Answer): number[] {
  const all = classNames.map((_, i) => i);
  if (all.length <= MOST_CLASSES) return all;
  const sorted = all.sort((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0));
  const shown = sorted.slice(0, MOST_CLASSES);
  const right = label === undefined ? -1 : classNames.indexOf(label);
  return right < 0 || shown.includes(right) ? shown : [...shown, right];
}

function classMarks(answer: Answer, classes: readonly number[], top: number): Marks {
  const { classNames, probabilities, label } = answer.prediction;
  const marks = classes.map((index, row): Marks => {
    const [name, share] = [classNames[index] ?? '', probabilities[index] ?? 0];
    const colour =
      name === label
        ? LIGHT.blue
        : name !== answer.predicted
          ? LIGHT.grey
          : label === undefined
            ? LIGHT.ink
            : LIGHT.orange;
    const y = top + row * CLASS.height;
    const value = percent(share);
    const room = CELL_WIDTH - textWidth(value, LABEL_SIZE) - 8;
    return {
      texts: [
        { x: 0, y: y + 12, text: shortened(printable(name), LABEL_SIZE, room), colour: LIGHT.ink },
        { x: CELL_WIDTH, y: y + 12, text: value, colour: LIGHT.ink, align: 'right' },
      ],
      bars: [
        { x: 0, y: y + 16, width: CELL_WIDTH, height: CLASS.bar, colour: LIGHT.grid },
        { x: 0, y: y + 16, width: CELL_WIDTH * Math.min(1, Math.max(0, share)), height: CLASS.bar, colour },
      ],
    };
  });
  return joined(...marks);
}

import { printable } from '../printable.js';
import {
  confusedPairs,
  confusionMatrixOf,
  describeMatrix,
  drawConfusedPairs,
  drawConfusionMatrix,
  checkMatrix,
} from './confusion.js';
import { MOST_SHOWN, type ReportContents } from './contents.js';
import { type Curve, curvePanel, curvesOf, describeCurve, drawCurves, showValue, type TitleOptions } from './curves.js';
import { drawSvg } from './draw.js';
import { drawGroups } from './groups.js';
import type { Table } from './html.js';
import { drawLearningRates, drawSchedule, showRate } from './learning-rate.js';
import { answerOf, drawPredictions, mistakes, percent, type Prediction, predictionCells } from './predictions.js';
import { drawSaliency, saliencyCells } from './saliency.js';
import { drawSheet, type Sheet } from './sheet.js';
import { drawWeights, weightCells } from './weights.js';

/** A part of a report. */
export interface Figure {
  /** Of its picture's file, without the ending. */
  readonly name: string;
  readonly title: string;
  /** What one sees, in a sentence. */
  readonly caption: string;
  /** As one picture, for a file. */
  readonly whole: () => Promise<string>;
  /** As pictures that a page lays out by its width, without the title. */
  readonly parts: () => Promise<readonly string[]>;
  /** Whether these are small ones, such as a picture with its bars, of which several stand side by side on a phone. */
  readonly areCells: boolean;
  /** The same in numbers. */
  readonly table?: Table;
}

/** The figures that the contents are enough for, in their order. */
export function figuresOf(contents: ReportContents): Figure[] {
  return [
    ...curveFigure(contents),
    ...rateFigures(contents),
    ...confusionFigures(contents),
    ...predictionFigures(contents),
    ...saliencyFigure(contents),
    ...weightFigure(contents),
    ...groupFigure(contents),
  ];
}

/** A figure of one picture. */
function single({
  draw,
  ...figure
}: Pick<Figure, 'name' | 'title' | 'caption' | 'table'> & {
  readonly draw: (options: TitleOptions) => Promise<string>;
}): Figure {
  return {
    ...figure,
    areCells: false,
    whole: () => draw({ title: figure.title }),
    parts: async () => [await draw({})],
  };
}

/** Of a table of many epochs, so many rows are shown. */
const MOST_ROWS = 100;

function curveFigure({ title, history }: ReportContents): Figure[] {
  if (!history) return [];
  const curves = curvesOf(history);
  const column = (curve: Curve): { name: string; values: readonly number[]; isShare: boolean }[] => {
    const { name, training, validation, isShare } = curve;
    if (validation.length === 0) return [{ name, values: training, isShare }];
    return [
      { name, values: training, isShare },
      { name: `validation ${name}`, values: validation, isShare },
    ];
  };
  const columns = curves.flatMap(column);
  const epochs = history.loss.length;
  const every = Math.ceil(epochs / MOST_ROWS);
  const shown = Array.from({ length: epochs }, (_, i) => i).filter(
    (i) => (i + 1) % every === 0 || i === 0 || i === epochs - 1,
  );
  return [
    {
      name: 'curves',
      title: 'Training',
      caption:
        'Loss and metrics over the epochs: of the examples that were trained on, and of those that were held out.',
      whole: () => drawCurves(history, { title }),
      areCells: false,
      parts: () =>
        Promise.all(curves.map((curve) => drawSvg({ panel: curvePanel(curve), description: describeCurve(curve) }))),
      table: {
        columns: ['epoch', ...columns.map(({ name }) => name)],
        rows: shown.map((i) => [String(i + 1), ...columns.map((each) => showValue(each, each.values[i]))]),
      },
    },
  ];
}

function rateFigures({ learningRates, schedule }: ReportContents): Figure[] {
  const figures: Figure[] = [];
  if (schedule) {
    const { learningRate, ...steps } = schedule;
    figures.push(
      single({
        name: 'schedule',
        title: 'Learning rate',
        caption: 'The step size of the optimizer over the training.',
        draw: (options) => drawSchedule(learningRate, { ...steps, ...options }),
      }),
    );
  }
  if (learningRates) {
    const { rates, losses, smoothedLosses } = learningRates;
    figures.push(
      single({
        name: 'learning-rates',
        title: 'Search for a learning rate',
        caption:
          'The loss while the learning rate was raised step by step. A good rate lies where it falls, well below the rise on the right.',
        draw: (options) => drawLearningRates(learningRates, options),
        table: {
          columns: ['learning rate', 'loss', 'smoothed'],
          rows: rates.map((rate, i) => [
            showRate(rate),
            showValue({ isShare: false }, losses[i]),
            showValue({ isShare: false }, smoothedLosses[i]),
          ]),
        },
      }),
    );
  }
  return figures;
}

function confusionFigures(contents: ReportContents): Figure[] {
  const { predictions = [], confusionMatrix } = contents;
  const isLabelled = predictions.some(({ label }) => label !== undefined);
  const matrix = confusionMatrix ?? (isLabelled ? confusionMatrixOf(predictions) : undefined);
  if (!matrix) return [];
  const checked = checkMatrix('writeReport: confusionMatrix', matrix);
  const pairs = confusedPairs(matrix);
  const figures = [
    single({
      name: 'confusion-matrix',
      title: 'Confusion matrix',
      caption: `${describeMatrix(checked)} Rows are what examples are, columns what they were predicted as; blue is right, orange wrong, the stronger the larger its share of the row.`,
      draw: (options) => drawConfusionMatrix(matrix, options),
      table: {
        columns: ['class', 'right', 'examples', 'recall', 'precision'],
        rows: checked.classNames.map((name, i) => {
          const right = checked.counts[i]?.[i] ?? 0;
          const examples = (checked.counts[i] ?? []).reduce((sum, count) => sum + count, 0);
          const predicted = checked.counts.reduce((sum, row) => sum + (row[i] ?? 0), 0);
          const share = (all: number): string => (all > 0 ? percent(right / all) : '–');
          return [printable(name), String(right), String(examples), share(examples), share(predicted)];
        }),
      },
    }),
  ];
  if (pairs.length > 0) {
    figures.push(
      single({
        name: 'confused-pairs',
        title: 'Most confused pairs',
        caption: 'Which class was taken for which other one, and in how many of its examples.',
        draw: (options) => drawConfusedPairs(matrix, options),
        table: {
          columns: ['is', 'was taken for', 'mistakes', 'examples of the class'],
          rows: pairs
            .slice(0, MOST_ROWS)
            .map(({ label, predicted, count, of }) => [
              ...[printable(label), printable(predicted), String(count), String(of)],
            ]),
        },
      }),
    );
  }
  return figures;
}

function predictionFigures({ predictions = [] }: ReportContents): Figure[] {
  if (predictions.length === 0) return [];
  const wrong = mistakes(predictions);
  const shown = predictions.slice(0, MOST_SHOWN);
  const figures = [
    ...(wrong.length === 0 ? [] : [mistakeFigure(wrong)]),
    {
      name: 'predictions',
      title: 'Predictions',
      caption: `${some(shown.length, predictions.length)} with the probabilities of their classes: blue is the right class, orange one that was predicted and is wrong.`,
      whole: () => drawPredictions(shown, { title: 'Predictions' }),
      areCells: true,
      parts: () => cellsOf(predictionCells(shown)),
      table: predictionTable(predictions),
    },
  ];
  return figures;
}

function mistakeFigure(wrong: readonly Prediction[]): Figure {
  const shown = wrong.slice(0, MOST_SHOWN);
  return {
    name: 'mistakes',
    title: 'Most confident mistakes',
    caption: `${some(shown.length, wrong.length)} that were predicted wrong, those first that the model was most sure of. Some of them may have a wrong label.`,
    whole: () => drawPredictions(shown, { title: 'Most confident mistakes' }),
    areCells: true,
    parts: () => cellsOf(predictionCells(shown)),
  };
}

function saliencyFigure({ saliency = [] }: ReportContents): Figure[] {
  if (saliency.length === 0) return [];
  const shown = saliency.slice(0, MOST_SHOWN);
  return [
    {
      name: 'saliency',
      title: 'What matters in the pictures',
      caption:
        'Orange are the pixels that the winning logit would change with the most: the magnitude of its gradient. They lie on the object where the model looks at it, and elsewhere where it has learned the background.',
      whole: () => drawSaliency(shown, { title: 'What matters in the pictures' }),
      areCells: true,
      parts: () => cellsOf(saliencyCells(shown)),
    },
  ];
}

function weightFigure({ weights }: ReportContents): Figure[] {
  if (!weights) return [];
  return [
    {
      name: 'weights',
      title: 'Weights of the first layer',
      caption:
        'Each unit as the picture that it answers to most; grey is a weight of 0. A layer that has learned something shows shapes, edges and colours; noise is where it began.',
      whole: () => drawWeights(weights, { title: 'Weights of the first layer' }),
      areCells: true,
      parts: () => cellsOf(weightCells(weights)),
    },
  ];
}

function groupFigure({ groups = [] }: ReportContents): Figure[] {
  if (groups.length === 0) return [];
  return [
    single({
      name: 'groups',
      title: 'Accuracy by group',
      caption: 'Each group was predicted by a model that had seen none of it.',
      draw: (options) => drawGroups(groups, options),
      table: {
        columns: ['group', 'examples', 'accuracy'],
        rows: groups.map(({ group, count, accuracy }) => [printable(group), String(count), percent(accuracy)]),
      },
    }),
  ];
}

/** Each cell as a picture of its own. */
async function cellsOf({ cells, width, height }: Pick<Sheet, 'cells' | 'width' | 'height'>): Promise<string[]> {
  return Promise.all(cells.map((cell) => drawSheet({ cells: [cell], columns: 1, width, height, margin: 0 })));
}

function some(shown: number, all: number): string {
  if (shown === all) return all === 1 ? 'One picture' : `${all} pictures`;
  return `${shown} of ${all} pictures`;
}

function predictionTable(predictions: readonly Prediction[]): Table {
  return {
    columns: ['picture', 'predicted', 'probability', 'is'],
    rows: predictions.slice(0, MOST_ROWS).map((prediction, i) => {
      const { predicted, probability } = answerOf(prediction);
      const { file = String(i), label } = prediction;
      return [printable(file), printable(predicted), percent(probability), printable(label ?? '–')];
    }),
  };
}

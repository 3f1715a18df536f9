import { DataError } from '../errors.js';
import { checkOptions, type OptionRules, text, wholeNumber } from '../options.js';
import { printable } from '../printable.js';
import { drawBars } from './bars.js';
import type { TitleOptions } from './curves.js';
import { drawSvg, LABEL_SIZE } from './draw.js';
import { shortened, textWidth } from './font.js';
import { answerOf, percent, type Prediction } from './predictions.js';
import { LIGHT } from './theme.js';

/** How often each class was taken for each. */
export interface ConfusionMatrix {
  /** Names of the classes, in the order of their numbers. */
  readonly classNames: readonly string[];
  /** `counts[i][j]`: examples of class i that were predicted as class j. */
  readonly counts: readonly ArrayLike<number>[];
}

/** Two classes of which one was taken for the other. */
export interface ConfusedPair {
  /** The class that it is. */
  readonly label: string;
  /** What it was taken for. */
  readonly predicted: string;
  /** How often. */
  readonly count: number;
  /** In how many examples of the class. */
  readonly of: number;
}

/** Options of {@link drawConfusedPairs}. */
export interface DrawConfusedPairsOptions extends TitleOptions {
  /** How many pairs are shown, at most. Default 15. */
  readonly limit?: number;
}

const TITLE_RULES: OptionRules<TitleOptions> = { title: text, subtitle: text };
const PAIR_RULES: OptionRules<DrawConfusedPairsOptions> = { limit: wholeNumber({ min: 1 }), ...TITLE_RULES };

/**
 * Counts what labelled predictions were taken for; those without a label are passed over.
 *
 * @throws DataError where there is none with a label, or where they do not have the same classes
 */
export function confusionMatrixOf(predictions: readonly Prediction[]): ConfusionMatrix {
  const labelled = predictions.filter(({ label }) => label !== undefined);
  const [first] = labelled;
  if (!first) throw new DataError('confusionMatrixOf: no prediction has a label');
  const { classNames } = first;
  const counts = classNames.map(() => classNames.map(() => 0));
  for (const prediction of labelled) {
    if (prediction.classNames.join('\n') !== classNames.join('\n')) {
      throw new DataError('confusionMatrixOf: the predictions do not have the same classes');
    }
    const { predicted } = answerOf(prediction);
    const row = counts[classNames.indexOf(prediction.label ?? '')];
    const column = classNames.indexOf(predicted);
    if (row) row[column] = (row[column] ?? 0) + 1;
  }
  return { classNames, counts };
}

/** The pairs of classes that were mistaken for each other, the most frequent ones first. Throws DataError for what is no matrix. */
export function confusedPairs(matrix: ConfusionMatrix): ConfusedPair[] {
  const { classNames, counts } = checkMatrix('confusedPairs', matrix);
  return counts
    .flatMap((row, i) =>
      row.map((count, j) => ({ label: classNames[i] ?? '', predicted: classNames[j] ?? '', count, of: sumOf(row) })),
    )
    .filter(({ label, predicted, count }) => label !== predicted && count > 0)
    .sort((a, b) => b.count - a.count || b.count / b.of - a.count / a.of);
}

/**
 * Draws a confusion matrix as SVG: a row for each class, a column for what it was predicted as. A field is the more
 * coloured, the larger its share of the class: blue what is right, orange what is wrong. Of more than 100 classes, the 50
 * with the most mistakes are shown.
 *
 * @throws DataError where it is no square of whole numbers, as large as there are names
 * @throws KernelwrightError, with the command to install them, without the packages `vega` and `vega-lite`
 */
export async function drawConfusionMatrix(matrix: ConfusionMatrix, options: TitleOptions = {}): Promise<string> {
  checkOptions('drawConfusionMatrix', options, TITLE_RULES);
  const whole = checkMatrix('drawConfusionMatrix', matrix);
  const shown = mostMistaken(whole);
  const size = shown.length > 40 ? SMALL_SIZE : LABEL_SIZE;
  const labels = shown.map((index) => ({
    index,
    name: shortened(printable(whole.classNames[index] ?? ''), size, NAME_WIDTH),
  }));
  const nameWidth = Math.ceil(Math.max(...labels.map(({ name }) => textWidth(name, size))));
  // Few classes have room for their names below them.
  const widest = Math.max(72, Math.min(130, nameWidth + 10));
  const cell = Math.round(Math.min(widest, Math.max(size + 4, 480 / shown.length)));
  const isTurned = nameWidth > cell - 8;
  // Axes tell their places apart by these texts, and two long names may look alike when they are shortened.
  const names = labels.map(({ index, name }) => `${index}\n${name}`);
  const countSize = Math.min(13, cell - 5);
  const fields = shown.flatMap((i, row) =>
    shown.map((j, column) => {
      const [own, count] = [whole.counts[i] ?? [], whole.counts[i]?.[j] ?? 0];
      const share = count / Math.max(1, sumOf(own));
      const fits = count > 0 && textWidth(String(count), countSize) <= cell - 2;
      return { label: names[row], predicted: names[column], share, isRight: i === j, text: fits ? String(count) : '' };
    }),
  );
  const extent = { minExtent: nameWidth + 6, maxExtent: nameWidth + 6 };
  const axis = {
    labelExpr: `split(datum.value, '\\n')[1]`,
    labelFontSize: size,
    labelOverlap: false,
    ticks: false,
    labelPadding: 6,
  };
  const below = isTurned ? nameWidth + 6 : size + 8;
  const x = {
    field: 'predicted',
    type: 'nominal' as const,
    sort: names,
    title: 'predicted class',
    axis: { ...axis, labelAngle: isTurned ? -90 : 0, minExtent: below, maxExtent: below },
  };
  const y = {
    field: 'label',
    type: 'nominal' as const,
    sort: names,
    title: 'true class',
    axis: { ...axis, ...extent },
  };
  const side = cell * shown.length;
  const { title, subtitle = subtitleOf(whole, shown) } = options;
  return drawSvg({
    ...(title !== undefined && { title }),
    ...(subtitle !== undefined && { subtitle }),
    description: describeMatrix(whole),
    around: { left: nameWidth + 36, right: 16, bottom: below + 32, width: side },
    panel: {
      width: side,
      height: side,
      data: { values: fields },
      layer: [
        {
          mark: { type: 'rect', stroke: LIGHT.grid },
          encoding: {
            x,
            y,
            color: { condition: { test: 'datum.isRight', value: LIGHT.blue }, value: LIGHT.orange },
            // At most so strong that the numbers can be read on it; the root makes the rare mistakes visible.
            fillOpacity: {
              field: 'share',
              type: 'quantitative',
              scale: { type: 'sqrt', domain: [0, 1], range: [0, 0.6] },
              legend: null,
            },
          },
        },
        {
          transform: [{ filter: `datum.text !== ''` }],
          mark: { type: 'text', baseline: 'middle', fontSize: countSize },
          encoding: { x, y, text: { field: 'text', type: 'nominal' } },
        },
      ],
    },
  });
}

/**
 * Draws how often which class was taken for which other one, as SVG.
 *
 * @throws DataError where it is no matrix
 * @throws KernelwrightError, with the command to install them, without the packages `vega` and `vega-lite`
 */
export async function drawConfusedPairs(
  matrix: ConfusionMatrix,
  options: DrawConfusedPairsOptions = {},
): Promise<string> {
  checkOptions('drawConfusedPairs', options, PAIR_RULES);
  const pairs = confusedPairs(matrix).slice(0, options.limit ?? 15);
  const { title, subtitle = pairs.length === 0 ? NO_PAIR : undefined } = options;
  const bars = pairs.map(({ label, predicted, count, of }) => ({
    name: `${shortened(printable(label), LABEL_SIZE, NAME_WIDTH)} → ${shortened(printable(predicted), LABEL_SIZE, NAME_WIDTH)}`,
    value: count,
    note: `${count} of ${of}`,
  }));
  return drawBars({ title, subtitle, bars, colour: LIGHT.orange, axis: 'mistakes', description: describePairs(pairs) });
}

/** @internal How many are right, in a sentence. */
export function describeMatrix({ counts, classNames }: CheckedMatrix): string {
  const [right, all] = [sumOf(counts.map((row, i) => row[i] ?? 0)), sumOf(counts.map(sumOf))];
  return `Confusion matrix of ${classNames.length} classes: ${right} of ${all} examples are right${all > 0 ? ` (${percent(right / all)})` : ''}.`;
}

function describePairs(pairs: readonly ConfusedPair[]): string {
  if (pairs.length === 0) return `${NO_PAIR}.`;
  return pairs
    .map(({ label, predicted, count, of }) => printable(`${label} was taken for ${predicted} ${count} times in ${of}.`))
    .join(' ');
}

const NO_PAIR = 'No class was taken for another one';
/** Room for a name, in pixels. */
const NAME_WIDTH = 170;
/** Size of many names. */
const SMALL_SIZE = 10;
const MOST_CLASSES = 100;
const SHOWN_OF_MORE = 50;

interface CheckedMatrix {
  readonly classNames: readonly string[];
  readonly counts: readonly (readonly number[])[];
}

/** @internal Throws DataError unless it is a square of whole numbers with as many names. */
export function checkMatrix(caller: string, { classNames, counts }: ConfusionMatrix): CheckedMatrix {
  const rows = Array.from(counts, (row) => Array.from(row));
  const isSquare = rows.length === classNames.length && rows.every(({ length }) => length === rows.length);
  if (rows.length === 0 || !isSquare) {
    throw new DataError(
      `${caller}: a confusion matrix of ${classNames.length} classes with rows of [${rows.map(({ length }) => length).join(', ')}] counts`,
    );
  }
  const wrong = rows.flat().find((count) => !Number.isSafeInteger(count) || count < 0);
  if (wrong !== undefined) throw new DataError(`${caller}: a count of ${wrong}: expected whole numbers of 0 or more`);
  return { classNames, counts: rows };
}

function mostMistaken({ counts }: CheckedMatrix): number[] {
  const all = counts.map((_, i) => i);
  if (all.length <= MOST_CLASSES) return all;
  const mistakesOf = (i: number): number =>
    sumOf(counts.map((row, j) => (i === j ? 0 : (row[i] ?? 0) + (counts[i]?.[j] ?? 0))));
  const mistaken = new Map(all.map((i) => [i, mistakesOf(i)]));
  const sorted = all.sort((a, b) => (mistaken.get(b) ?? 0) - (mistaken.get(a) ?? 0));
  return sorted.slice(0, SHOWN_OF_MORE).sort((a, b) => a - b);
}

function subtitleOf({ classNames }: CheckedMatrix, shown: readonly number[]): string | undefined {
  if (shown.length === classNames.length) return undefined;
  return `the ${shown.length} of ${classNames.length} classes with the most mistakes`;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

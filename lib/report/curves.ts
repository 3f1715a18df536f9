import { OptionError } from '../errors.js';
import { checkArgument, type OptionRule } from '../options.js';
import { drawSvg, type Panel } from './draw.js';
import { LIGHT } from './theme.js';

/**
 * One number an epoch by name, as `fit` returns it and as `history.json` has it: `loss`, and where they are there
 * `validationLoss`, metrics (`accuracy`) and their validation (`validationAccuracy`). A number that is not finite is NaN,
 * or null, which JSON makes of it. What is no list of numbers is passed over.
 */
export interface TrainingHistory {
  /** Of each epoch. */
  readonly loss: readonly (number | null)[];
  readonly [name: string]: unknown;
}

/** A title above a picture, and what stands below it. */
export interface TitleOptions {
  /** Default: none. */
  readonly title?: string;
  /** Default: none. */
  readonly subtitle?: string;
}

/** One quantity over the epochs. */
export interface Curve {
  /** In words, such as `loss`, `accuracy`, `learning rate`. */
  readonly name: string;
  readonly training: readonly number[];
  /** Empty where nothing was validated. */
  readonly validation: readonly number[];
  /** Whether its numbers are shares, which are shown in percent. */
  readonly isShare: boolean;
}

/** @internal */
export const historyRule: OptionRule = {
  expected: 'a history: an object with a list of numbers `loss`',
  accepts: (value) =>
    typeof value === 'object' && value !== null && 'loss' in value && Array.isArray(value.loss) && isCurve(value.loss),
};

/**
 * Draws loss and metrics over the epochs, training and validation together, as SVG.
 *
 * @throws OptionError where the history has no list of numbers `loss`, or an empty one
 * @throws KernelwrightError, with the command to install them, without the packages `vega` and `vega-lite`
 */
export async function drawCurves(history: TrainingHistory, options: TitleOptions = {}): Promise<string> {
  const curves = curvesOf(history);
  const rows: Panel[] = [];
  const resolve = { scale: { color: 'independent' as const } };
  for (let i = 0; i < curves.length; i += COLUMNS) {
    rows.push({ hconcat: curves.slice(i, i + COLUMNS).map(curvePanel), spacing: 32, resolve });
  }
  const description = curves.map(describeCurve).join(' ');
  return drawSvg({ ...options, description, panel: { vconcat: rows, spacing: 24, resolve } });
}

/** @internal The quantities of a history, the loss first. */
export function curvesOf(history: TrainingHistory): Curve[] {
  checkArgument('drawCurves', 'the history', history, historyRule);
  if (history.loss.length === 0) throw new OptionError('drawCurves: the history has no epoch');
  const lists = new Map(Object.entries(history).filter((entry): entry is [string, number[]] => isCurve(entry[1])));
  const validationOf = (name: string): string => `validation${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
  const ofValidation = new Set([...lists.keys()].map(validationOf));
  const names = [...lists.keys()].filter((name) => !ofValidation.has(name) && !NO_METRIC.has(name));
  names.sort((a, b) => Number(b === 'loss') - Number(a === 'loss'));
  const finite = (list: readonly (number | null)[] = []): number[] => list.map((value) => value ?? NaN);
  return names.map((name) => ({
    name: inWords(name),
    training: finite(lists.get(name)),
    validation: finite(lists.get(validationOf(name))),
    isShare: SHARES.test(name),
  }));
}

/** @internal One quantity over the epochs. */
export function curvePanel({ name, training, validation, isShare }: Curve): Panel {
  const part = (label: string, list: readonly number[]) =>
    list.map((value, i) => ({ part: label, epoch: i + 1, value: Number.isFinite(value) ? value : null }));
  const values = [...part('training', training), ...part('validation', validation)];
  const epochs = Math.max(training.length, validation.length);
  const domain = epochs === 1 ? [0.5, 1.5] : [1, epochs];
  const parts = validation.length > 0 ? ['training', 'validation'] : ['training'];
  const notFinite = [...new Set(values.filter(({ value }) => value === null).map(({ epoch }) => epoch))];
  const x = {
    field: 'epoch',
    type: 'quantitative' as const,
    title: 'epoch',
    scale: { domain, nice: false },
    axis: { tickMinStep: 1, tickCount: 6, format: 'd' },
  };
  return {
    width: PANEL.width,
    height: PANEL.height,
    layer: [
      {
        data: { values: notFinite.map((epoch) => ({ epoch })) },
        mark: { type: 'rule', strokeDash: [3, 3], color: LIGHT.grey },
        encoding: { x },
      },
      {
        data: { values: notFinite.slice(0, 1).map((epoch) => ({ epoch })) },
        mark: { type: 'text', align: 'right', baseline: 'top', dx: -4, dy: 4, color: LIGHT.muted },
        encoding: { x, y: { value: 0 }, text: { value: 'not finite' } },
      },
      {
        data: { values },
        mark: { type: 'line', strokeWidth: 2, clip: false, ...(epochs <= MOST_POINTS && { point: { size: 24 } }) },
        encoding: {
          x,
          y: {
            field: 'value',
            type: 'quantitative',
            title: name,
            scale: needsLogarithm(values.map(({ value }) => value)) ? { type: 'log' } : { zero: false },
            axis: { format: isShare ? '~%' : ',~r', tickCount: 6 },
          },
          color: {
            field: 'part',
            type: 'nominal',
            scale: { domain: parts, range: [LIGHT.blue, LIGHT.orange] },
            legend: { orient: 'top', title: null, symbolType: 'stroke', symbolStrokeWidth: 3 },
          },
        },
      },
    ],
  };
}

/** @internal Where a curve begins and ends, in a sentence. */
export function describeCurve(curve: Curve): string {
  const { name, training, validation } = curve;
  const course = (list: readonly number[]): string =>
    list.length === 1
      ? showValue(curve, list[0])
      : `from ${showValue(curve, list[0])} to ${showValue(curve, list.at(-1))}`;
  const held = validation.length > 0 ? `, in validation ${course(validation)}` : '';
  const epochs = training.length === 1 ? '1 epoch' : `${training.length} epochs`;
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)} over ${epochs}: in training ${course(training)}${held}.`;
}

/** @internal A value of a curve as tables have it. */
export function showValue({ isShare }: Pick<Curve, 'isShare'>, value: number | undefined): string {
  if (value === undefined) return '';
  if (!Number.isFinite(value)) return 'not finite';
  return isShare ? `${(100 * value).toFixed(1)}\u00a0%` : String(Number(value.toPrecision(4)));
}

const PANEL = { width: 280, height: 180 };
const COLUMNS = 2;
/** With more epochs than this a line needs no points. */
const MOST_POINTS = 50;
/** What a history has that is no metric. */
const NO_METRIC = new Set(['seconds', 'epoch']);
/** Metrics that are shares of something. */
const SHARES = /accuracy|precision|recall|f1|top\d/i;

/** A few numbers far above all others, as in the first epochs of a regression, would press these flat. */
function needsLogarithm(values: readonly (number | null)[]): boolean {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  const [least = 0, most = 0] = [sorted[0], sorted.at(-1)];
  const middle = sorted[sorted.length >> 1] ?? 0;
  return least > 0 && most > 50 * middle;
}

function isCurve(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'number' || item === null);
}

/** `top5Accuracy` becomes `top 5 accuracy`. */
function inWords(name: string): string {
  return name.replace(/(?<=[a-z])(?=[A-Z])|(?<=[a-z]{2})(?=\d)|(?<=\d)(?=[A-Z])/g, ' ').toLowerCase();
}

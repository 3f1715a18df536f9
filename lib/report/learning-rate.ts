import { DataError } from '../errors.js';
import type { LearningRate } from '../optim/groups.js';
import type { LearningRateCurve } from '../train/find-learning-rate.js';
import { checkArgument, checkOptions, type OptionRules, text, wholeNumber } from '../options.js';
import type { TitleOptions } from './curves.js';
import { drawSvg } from './draw.js';
import { LIGHT } from './theme.js';

/** Options of {@link drawSchedule}. */
export interface DrawScheduleOptions extends TitleOptions {
  /** Steps of the whole training. */
  readonly steps: number;
  /** With it the axis counts epochs instead of steps. */
  readonly stepsPerEpoch?: number;
}

const TITLE_RULES: OptionRules<TitleOptions> = { title: text, subtitle: text };
const SCHEDULE_RULES: OptionRules<DrawScheduleOptions> = {
  steps: { ...wholeNumber({ min: 1 }), required: true },
  stepsPerEpoch: wholeNumber({ min: 1 }),
  ...TITLE_RULES,
};

const SIZE = { width: 280, height: 180 };
/** A schedule is drawn through so many of its steps, at most. */
const MOST_POINTS = 1000;

/**
 * Draws what `findLearningRate` found: the loss at the rates that were tried, on a logarithmic axis, with the one that is suggested, as SVG. What
 * lies far above the first loss, because the training came apart there, is left out.
 *
 * @throws DataError where rates and losses are not equally many
 * @throws KernelwrightError, with the command to install them, without the packages `vega` and `vega-lite`
 */
export async function drawLearningRates(curve: LearningRateCurve, options: TitleOptions = {}): Promise<string> {
  checkOptions('drawLearningRates', options, TITLE_RULES);
  const [rates, losses, smoothed] = [curve.rates, curve.losses, curve.smoothedLosses].map((list) => Array.from(list));
  if (!rates || !losses || !smoothed || losses.length !== rates.length || smoothed.length !== rates.length) {
    throw new DataError(
      `drawLearningRates: ${curve.rates.length} learning rates, ${curve.losses.length} losses, ` +
        `${curve.smoothedLosses.length} smoothed ones: expected equally many`,
    );
  }
  const { suggestion } = curve;
  const finite = smoothed.filter((value) => Number.isFinite(value));
  const [first = 0, least] = [finite[0], Math.min(...finite)];
  const highest = first + Math.max(0.5 * (first - least), 0.1 * Math.abs(first));
  const points = (kind: string, list: readonly number[]) =>
    rates.flatMap((rate, i) => {
      const loss = list[i] ?? NaN;
      return loss <= highest && rate > 0 ? [{ kind, rate, loss }] : [];
    });
  const kinds = ['each step', 'smoothed'];
  const x = {
    field: 'rate',
    type: 'quantitative' as const,
    title: 'learning rate',
    scale: { type: 'log' as const, nice: false },
    axis: { format: '~e', tickCount: 6, labelOverlap: true },
  };
  const y = {
    field: 'loss',
    type: 'quantitative' as const,
    title: 'loss',
    scale: { zero: false },
    axis: { format: ',~r', tickCount: 6 },
  };
  const color = {
    field: 'kind',
    type: 'nominal' as const,
    scale: { domain: kinds, range: [LIGHT.grey, LIGHT.blue] },
    legend: { orient: 'top' as const, title: null },
  };
  const suggested = [{ rate: suggestion, text: `suggested: ${showRate(suggestion)}` }];
  // Below the curve, which is still high on the left of the suggestion.
  const [lowestRate, highestRate] = [rates[0] ?? NaN, rates.at(-1) ?? NaN];
  const align = Math.log(suggestion / lowestRate) > 0.4 * Math.log(highestRate / lowestRate) ? 'right' : 'left';
  return drawSvg({
    ...options,
    description: describeLearningRates(curve),
    panel: {
      ...SIZE,
      layer: [
        {
          data: { values: points('each step', losses) },
          mark: { type: 'point', filled: true, size: 14 },
          encoding: { x, y, color },
        },
        {
          data: { values: points('smoothed', smoothed) },
          mark: { type: 'line', strokeWidth: 2 },
          encoding: { x, y, color },
        },
        {
          data: { values: suggested },
          mark: { type: 'rule', color: LIGHT.orange, strokeWidth: 1.5, strokeDash: [5, 3] },
          encoding: { x },
        },
        {
          data: { values: suggested },
          mark: {
            type: 'text',
            align,
            baseline: 'bottom',
            dx: align === 'left' ? 5 : -5,
            dy: -5,
            color: LIGHT.orange,
            fontSize: 12,
          },
          encoding: { x, y: { value: SIZE.height }, text: { field: 'text', type: 'nominal' } },
        },
      ],
    },
  });
}

/**
 * Draws the learning rate over the steps of a training, as SVG.
 *
 * @param learningRate as optimizers take it: a number, or a function of the step, counted from 0
 * @throws DataError where a rate is not finite
 * @throws KernelwrightError, with the command to install them, without the packages `vega` and `vega-lite`
 */
export async function drawSchedule(learningRate: LearningRate, options: DrawScheduleOptions): Promise<string> {
  checkOptions('drawSchedule', options, SCHEDULE_RULES);
  checkArgument('drawSchedule', 'the learning rate', learningRate, {
    expected: 'a number or a function of the step',
    accepts: (value) => typeof value === 'number' || typeof value === 'function',
  });
  const { steps, stepsPerEpoch, ...titles } = options;
  const rateOf = typeof learningRate === 'function' ? learningRate : () => learningRate;
  const shown = Array.from({ length: Math.min(steps, MOST_POINTS) }, (_, i) =>
    Math.round((i * (steps - 1)) / Math.max(1, Math.min(steps, MOST_POINTS) - 1)),
  );
  const values = shown.map((step) => ({ at: stepsPerEpoch ? step / stepsPerEpoch : step, rate: rateOf(step) }));
  const wrong = values.findIndex(({ rate }) => !Number.isFinite(rate));
  if (wrong >= 0) {
    throw new DataError(
      `drawSchedule: the learning rate of step ${shown[wrong] ?? ''} is ${values[wrong]?.rate ?? ''}`,
    );
  }
  const rates = values.map(({ rate }) => rate);
  return drawSvg({
    ...titles,
    description: `Learning rate over ${steps} steps: from ${showRate(rates[0] ?? 0)} to ${showRate(rates.at(-1) ?? 0)}, at most ${showRate(Math.max(...rates))}.`,
    panel: {
      ...SIZE,
      data: { values },
      mark: { type: 'line', strokeWidth: 2, color: LIGHT.blue, ...(steps === 1 && { point: true }) },
      encoding: {
        x: {
          field: 'at',
          type: 'quantitative',
          title: stepsPerEpoch ? 'epoch' : 'step',
          scale: { nice: false },
          axis: { format: ',~r', tickCount: 6 },
        },
        y: {
          field: 'rate',
          type: 'quantitative',
          title: 'learning rate',
          axis: { format: ',~r', tickCount: 5 },
        },
      },
    },
  });
}

/** @internal */
export function describeLearningRates({ rates, suggestion }: LearningRateCurve): string {
  const [first, last] = [rates[0] ?? NaN, rates.at(-1) ?? NaN];
  return `Loss at learning rates from ${showRate(first)} to ${showRate(last)}: ${showRate(suggestion)} is suggested.`;
}

/** @internal A learning rate with two or three digits. */
export function showRate(rate: number): string {
  return String(Number(rate.toPrecision(3)));
}

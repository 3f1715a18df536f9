import { boolean, checkOptions, type OptionRule, type OptionRules } from '../../options.js';
import type { Callback, TrainingRun } from '../../train/callback.js';
import { clockText, type ProgressStream, TerminalBar } from './terminal-bar.js';

/** Options of {@link progressBar}. */
export interface ProgressBarOptions {
  /** Where it is shown. Default: standard error. */
  readonly stream?: ProgressStream;
  /** Whether a bar stays on the terminal at the end (tqdm: `leave`). Default: true. */
  readonly leave?: boolean;
}

const streamRule: OptionRule = {
  expected: 'a stream that can be written to',
  accepts: (value) => typeof value === 'object' && value !== null && 'write' in value,
};

export const PROGRESS_RULES: OptionRules<ProgressBarOptions> = { stream: streamRule, leave: boolean };

/** How often steps are counted, in milliseconds: the bar is drawn about as often. */
const COUNTED_EVERY = 200;
/** How often loss and metrics are read in the course of an epoch: for that the device is waited for. */
const MEASURED_EVERY = 1000;
/** The steps from one count to the next grow at most so fast. */
const GROWTH = 4;

/**
 * Shows how far a training is (compare `keras.callbacks.ProgbarLogger`, tqdm). On a terminal: a bar over all epochs, with steps
 * a second, the time that is left, loss and metrics. Elsewhere a line for each epoch.
 *
 *     ██████░░░░░░░░░░░░░░░░░░  25 % epoch 10/40  812 steps/s  0:07 left  loss 0.1243  accuracy 0.9531
 *
 * Results are, bit for bit, those of a training without it. Throws OptionError for an unknown or unusable option.
 */
export function progressBar(options: ProgressBarOptions = {}): Callback {
  checkOptions('progressBar', options, PROGRESS_RULES);
  const { stream = process.stderr, leave = true } = options;
  return stream.isTTY === true ? terminalProgress(stream, leave) : lineProgress(stream);
}

function lineProgress(stream: ProgressStream): Callback {
  return {
    onEpochEnd: ({ epoch, epochs, names }, result) => {
      const figures = figuresText(names, result);
      stream.write(`epoch ${epoch}/${epochs}  ${figures}  ${result.seconds.toFixed(1)} s\n`);
    },
  };
}

function terminalProgress(stream: ProgressStream, leave: boolean): Callback {
  const bar = new TerminalBar(stream);
  let isTraining = false;
  let figures = '';
  let start = { time: 0, step: 0 };
  let counted = { time: 0, step: 0 };
  let measuredAt = 0;
  let everySteps = 1;
  const draw = ({ epoch, epochs, step, stepsPerEpoch }: TrainingRun): void => {
    const rate = ((step - start.step) / (performance.now() - start.time)) * 1000;
    const left = (epochs * stepsPerEpoch - step) / rate;
    const speed = `${rate >= 10 ? rate.toFixed(0) : rate.toFixed(2)} steps/s  ${clockText(left)} left`;
    bar.update(step, epochs * stepsPerEpoch, `epoch ${Math.max(epoch, 1)}/${epochs}  ${speed}  ${figures}`);
  };
  return {
    onEpochBegin: (run) => {
      if (isTraining) return;
      isTraining = true;
      start = counted = { time: performance.now(), step: run.step };
      measuredAt = start.time;
      everySteps = 1;
      figures = '';
      draw(run);
    },
    get everySteps() {
      return everySteps;
    },
    onStepEnd: async (run) => {
      const now = performance.now();
      const wanted = ((run.step - counted.step) / Math.max(now - counted.time, 1e-3)) * COUNTED_EVERY;
      everySteps = Math.max(1, Math.min(Math.round(wanted), GROWTH * everySteps));
      counted = { time: now, step: run.step };
      if (now - measuredAt > MEASURED_EVERY) {
        figures = figuresText(run.names, await run.measured());
        measuredAt = performance.now();
      }
      draw(run);
    },
    onEpochEnd: (run, result) => {
      figures = figuresText(run.names, result);
      measuredAt = performance.now();
      draw(run);
    },
    onTrainEnd: () => {
      isTraining = false;
      bar.stop(leave);
    },
  };
}

/** The numbers among what was measured, with four digits. */
function figuresText(names: readonly string[], values: Readonly<Record<string, unknown>>): string {
  return names
    .flatMap((name) => {
      const value = values[name];
      return typeof value === 'number' ? [`${name} ${fourDigits(value)}`] : [];
    })
    .join('  ');
}

function fourDigits(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e4) ? value.toExponential(3) : String(Number(value.toPrecision(4)));
}

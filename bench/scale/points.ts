import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BATCH, HIDDEN, INPUTS } from '../step/workload.js';
import type { BufferCount } from './buffer-ledger.js';
import { multiplyAddsOf, type Scale } from './scaled-step.js';

/** What grows from point to point while the rest stays MyNet's. */
export const SWEEPS = ['batch', 'hidden', 'examples'] as const;

/** One of {@link SWEEPS}. */
export type Sweep = (typeof SWEEPS)[number];

/** The photos that MyNet was made for: a small data set. */
export const EXAMPLES = 440;

const SIZES: Readonly<Record<Sweep, readonly number[]>> = {
  batch: [1, 4, 16, 64, 256, 1024, 4096],
  hidden: [64, 128, 256, 512, 1024, 2048, 4096, 8192],
  examples: [EXAMPLES, 10 * EXAMPLES],
};

/** A step that is expected to take longer is left out. */
export const LONGEST_STEP_MILLISECONDS = 1500;

/** What is measured of a step, in a process of its own. */
export interface StepFigures extends BufferCount {
  readonly millisecondsPerStep: number;
  /** The host's share on WebGPU: the same step on Dawn's null backend. */
  readonly hostMillisecondsPerStep: number;
  /** Of the process, after a garbage collection, with the step in memory. */
  readonly residentBytes: number;
}

/** A point that was measured. */
export interface ScalePoint extends Scale, StepFigures {
  readonly library: 'kernelwright';
  readonly device: string;
  readonly sweep: Sweep;
  readonly multiplyAdds: number;
  readonly nanosecondsPerMultiplyAdd: number;
}

/** A point that was not: its step would take about so long. */
export interface LeftOut {
  readonly sweep: Sweep;
  readonly size: number;
  readonly expectedMilliseconds: number;
}

/** The points of a sweep, from small to large. */
export async function* measureSweep(sweep: Sweep, device: string): AsyncGenerator<ScalePoint | LeftOut> {
  let nanosecondsPerMultiplyAdd = 0;
  for (const size of SIZES[sweep]) {
    const scale: Scale = { inputs: INPUTS, batch: BATCH, hidden: HIDDEN, examples: EXAMPLES, [sweep]: size };
    const expectedMilliseconds = (multiplyAddsOf(scale) * nanosecondsPerMultiplyAdd) / 1e6;
    if (expectedMilliseconds > LONGEST_STEP_MILLISECONDS) {
      yield { sweep, size, expectedMilliseconds };
      continue;
    }
    const point = pointOf(sweep, scale, device, await measureInProcess(scale, device));
    ({ nanosecondsPerMultiplyAdd } = point);
    yield point;
  }
}

/** A point measured a second time, later: the faster time counts, as something else may have held one of them up. */
export async function measureAgain(point: ScalePoint): Promise<ScalePoint> {
  const { sweep, device, inputs, batch, hidden, examples } = point;
  const scale: Scale = { inputs, batch, hidden, examples };
  const again = await measureInProcess(scale, device);
  return pointOf(sweep, scale, device, {
    ...again,
    millisecondsPerStep: Math.min(point.millisecondsPerStep, again.millisecondsPerStep),
    hostMillisecondsPerStep: Math.min(point.hostMillisecondsPerStep, again.hostMillisecondsPerStep),
  });
}

function pointOf(sweep: Sweep, scale: Scale, device: string, figures: StepFigures): ScalePoint {
  const multiplyAdds = multiplyAddsOf(scale);
  const nanosecondsPerMultiplyAdd = (figures.millisecondsPerStep * 1e6) / multiplyAdds;
  return { library: 'kernelwright', device, sweep, ...scale, multiplyAdds, nanosecondsPerMultiplyAdd, ...figures };
}

const runFile = promisify(execFile);
const worker = fileURLToPath(new URL('worker.ts', import.meta.url));

/** A process of its own, so that its memory is this point's alone. */
async function measureInProcess(scale: Scale, device: string): Promise<StepFigures> {
  const command = [...process.execArgv, worker, device, JSON.stringify(scale)];
  const { stdout } = await runFile(process.execPath, command);
  return JSON.parse(stdout) as StepFigures;
}

import type { Device } from '../../lib/device/device.js';
import { KernelwrightError } from '../../lib/errors.js';
import { compare, type Comparison } from './compare.js';
import { runConvnet, runConvnetData } from './convnet.js';
import type { CaseEntry } from './index-file.js';
import type { LoadedCase } from './loaded-case.js';
import { runModel } from './model.js';
import { isNet } from './nets.js';
import { runInit } from './network.js';
import { isOperation, runOperation } from './operations.js';
import { isOptimizer, runOptimizer } from './optimizer.js';
import { runData } from './pictures.js';
import { runTrainedNet } from './trained-net.js';
import { runTraining } from './training.js';

type Runner = (loaded: LoadedCase, device: Device, attempt: number) => Promise<Comparison[]>;

/** How a case ended on a device. */
export type Outcome =
  /** `margin`: the largest error in parts of its tolerance; `afterwards`: what was wrong in the attempts before. */
  | { readonly kind: 'passed'; readonly margin: number; readonly afterwards?: readonly string[] }
  | { readonly kind: 'failed'; readonly faults: readonly string[] }
  | { readonly kind: 'skipped'; readonly reason: string };

const RUNNERS: Readonly<Record<string, Runner>> = {
  mynet_data: runData,
  mynet_init: runInit,
  convnet_data: runConvnetData,
  trained_net: runTrainedNet,
};

/** What a case is counted under: its operation, and of an optimizer or a model which one. */
export function groupOf({ op, attributes }: CaseEntry): string {
  const which = attributes['optimizer'] ?? attributes['model'];
  return typeof which === 'string' && !(op === 'mynet_run' && which === 'sgd') ? `${op} ${which}` : op;
}

/** What runs a case; undefined where the library cannot do it yet. */
export function runnerOf(entry: CaseEntry): Runner | undefined {
  if (isOperation(entry.op)) return runOperation;
  const hasOptimizer = isOptimizer(entry.attributes['optimizer']);
  if (entry.op === 'optimizer') return hasOptimizer ? runOptimizer : undefined;
  if (entry.op === 'mynet_run') return hasOptimizer ? runTraining : undefined;
  if (entry.op === 'convnet_run') return hasOptimizer ? runConvnet : undefined;
  if (entry.op === 'model') {
    return 'weights' in entry.attributes || isNet(entry.attributes['model']) ? runModel : undefined;
  }
  return RUNNERS[entry.op];
}

/**
 * How often a case may be run. In a training of a convolutional net rounding decides which side of a ReLU's kink a value next to
 * it falls on, and each step carries the difference on: the tolerances are five times what eight runs of PyTorch's differed
 * in, six of them with first weights moved by one unit in the last place. So such a run may be repeated with weights that are
 * moved so, too; a wrong formula is wrong in all of them.
 */
const ATTEMPTS: Readonly<Record<string, number>> = { convnet_run: 3 };

/** Runs a case on a device; whatever goes wrong in it is a fault of this case and not the end of the run. */
export async function runCase(loaded: LoadedCase, runner: Runner, device: Device): Promise<Outcome> {
  const first = await attemptCase(loaded, runner, device, 0);
  if (first.kind !== 'failed') return first;
  for (let attempt = 1; attempt < (ATTEMPTS[loaded.entry.op] ?? 1); attempt++) {
    const outcome = await attemptCase(loaded, runner, device, attempt);
    if (outcome.kind === 'passed') return { ...outcome, afterwards: first.faults };
  }
  return first;
}

async function attemptCase(loaded: LoadedCase, runner: Runner, device: Device, attempt: number): Promise<Outcome> {
  let comparisons: Comparison[];
  try {
    comparisons = await runner(loaded, device, attempt);
  } catch (error) {
    return { kind: 'failed', faults: [faultOf(error)] };
  }
  if (comparisons.length === 0) return { kind: 'failed', faults: ['the case has nothing to check'] };
  const verdicts = comparisons.map((comparison) => ({ ...compare(comparison), name: comparison.name }));
  const wrong = verdicts.filter(({ fault }) => fault !== undefined);
  const faults = wrong.map(({ name, fault, margin }) =>
    Number.isFinite(margin) ? `${name}${fault}, ${margin.toPrecision(3)} times the tolerance` : `${name}${fault}`,
  );
  if (wrong.length === 0) return { kind: 'passed', margin: Math.max(...verdicts.map(({ margin }) => margin)) };
  // WGSL lets an implementation assume that NaN and infinity do not occur.
  const isOpenInWgsl = device.info.kind === 'webgpu' && loaded.entry.name.includes('special_values');
  if (isOpenInWgsl && wrong.every(({ isSpecial }) => isSpecial)) {
    return { kind: 'skipped', reason: `adapter breaks NaN or infinity, which WGSL allows: ${faults.join('; ')}` };
  }
  return { kind: 'failed', faults };
}

/** An error in words; one that the library did not mean to throw comes with its class. */
export function faultOf(error: unknown): string {
  if (error instanceof KernelwrightError) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

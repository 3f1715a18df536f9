import { defaultDevice } from './device/default.js';
import type { Device } from './device/device.js';
import { structureOf } from './graph/program.js';
import { record, type Trace } from './graph/trace.js';
import { Plan } from './plan.js';
import type { NumericArray } from './graph/operation.js';
import { flattenTree, rebuildTree, type TensorTree } from './tree.js';
import type { Tensor } from './tensor.js';

/** Where to compute. */
export interface RunOptions {
  /** Default: the CPU device. */
  readonly device?: Device;
}

/** Plans that are kept for each device; the one that was not used for the longest time goes first. */
const PLANS_KEPT = 64;
const idlePlans = new WeakMap<Device, Map<string, Plan>>();

/**
 * Records `fn` and computes its results, and the state changes it asks for, at once. A function that builds a graph of
 * the same structure again finds its plan: a training loop over `run` is slower than one over `compile`, which records
 * only once, but not slow. Values of constants may differ from call to call.
 */
export async function run<Out extends TensorTree>(fn: () => Out, options: RunOptions = {}): Promise<Out> {
  const { trace, result } = record(fn);
  return runGraph(flattenTree(result), trace, options.device ?? defaultDevice(), (results) =>
    rebuildTree(result, results),
  );
}

/** @internal The values of one lazy tensor, on the default device. */
export async function evaluate(output: Tensor): Promise<NumericArray> {
  return runGraph([output], undefined, defaultDevice(), ([result]) => {
    if (!result) throw new Error('a plan gave no result');
    return result.data();
  });
}

/** Runs a graph and hands its results to `use`, on a kept plan where there is one. */
async function runGraph<T>(
  outputs: readonly Tensor[],
  trace: Trace | undefined,
  device: Device,
  use: (results: readonly Tensor[]) => T | Promise<T>,
): Promise<T> {
  const { key, leaves } = structureOf(outputs, trace);
  const idle = idlePlans.get(device) ?? new Map<string, Plan>();
  idlePlans.set(device, idle);
  // Taken out while it is used: an overlapping call of the same structure gets a plan, and results, of its own.
  const kept = idle.get(key);
  idle.delete(key);
  const plan = kept ?? (await Plan.build(device, outputs, leaves, trace));
  try {
    return await use(await plan.run(leaves, trace));
  } finally {
    idle.set(key, plan);
    const [oldest] = idle;
    if (oldest && idle.size > PLANS_KEPT) {
      idle.delete(oldest[0]);
      oldest[1].dispose();
    }
  }
}

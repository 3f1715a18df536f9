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
const plans = new WeakMap<Device, Map<string, Promise<Plan>>>();

/**
 * Records `fn` and computes its results, and the state changes it asks for, at once. A function that builds a graph of
 * the same structure again finds its plan: a training loop over `run` is slower than one over `compile`, which records
 * only once, but not slow. Values of constants may differ from call to call.
 */
export async function run<Out extends TensorTree>(fn: () => Out, options: RunOptions = {}): Promise<Out> {
  const { trace, result } = record(fn);
  const results = await runGraph(flattenTree(result), trace, options.device ?? defaultDevice());
  return rebuildTree(result, results);
}

/** @internal The values of one lazy tensor, on the default device. */
export async function evaluate(output: Tensor): Promise<NumericArray> {
  const [result] = await runGraph([output], undefined, defaultDevice());
  if (!result) throw new Error('a plan gave no result');
  return result.data();
}

async function runGraph(outputs: readonly Tensor[], trace: Trace | undefined, device: Device): Promise<Tensor[]> {
  const { key, leaves } = structureOf(outputs, trace);
  const known = plans.get(device) ?? new Map<string, Promise<Plan>>();
  plans.set(device, known);
  const plan = known.get(key) ?? Plan.build(device, outputs, leaves, trace);
  known.delete(key);
  known.set(key, plan);
  plan.catch(() => known.delete(key));
  if (known.size > PLANS_KEPT) {
    for (const [oldKey, old] of known) {
      known.delete(oldKey);
      void old.then((unused) => unused.dispose(), () => undefined);
      break;
    }
  }
  return (await plan).run(leaves, trace);
}

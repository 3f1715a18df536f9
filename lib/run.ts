import { defaultDevice } from './device/default.js';
import type { Device } from './device/device.js';
import { nodesBefore } from './graph/nodes.js';
import { structureOf } from './graph/program.js';
import { record, type Trace } from './graph/trace.js';
import { Plan } from './plan.js';
import type { NumericArray } from './graph/operation.js';
import { flattenTree, rebuildTree, type TensorTree } from './tree.js';
import { evaluateBy, Tensor } from './tensor.js';

/** Where to compute. */
export interface RunOptions {
  /** Default: the CPU device. */
  readonly device?: Device;
}

/** Plans that are kept for each device; the one that was not used for the longest time goes first. */
const PLANS_KEPT = 64;

interface KeptPlan {
  readonly plan: Promise<Plan>;
  /** Settles when nothing uses the plan any more. */
  uses: Promise<unknown>;
}

const kept = new WeakMap<Device, Map<string, KeptPlan>>();

/**
 * Records `fn` and computes its results, and the state changes it asks for, at once. A function that builds a graph of
 * the same structure again finds its plan: a training loop over `run` is slower than one over `compile`, which records
 * only once, but not slow. Values of constants may differ from call to call. Results are read back at once, so they
 * stay good whatever runs later.
 */
export async function run<Out extends TensorTree>(fn: () => Out, options: RunOptions = {}): Promise<Out> {
  const { trace, result } = record(fn);
  const outputs = flattenTree(result);
  const values = await runGraph(outputs, trace, options.device ?? defaultDevice());
  const results = values.map((data, i) => {
    const { shape = [], dtype = 'f32' } = outputs[i] ?? {};
    return new Tensor({ shape, dtype }, { kind: 'constant', data });
  });
  return rebuildTree(result, results);
}

// A lazy tensor is computed where the variables and results that it depends on live, so that looking at a value moves no
// weights; on the default device where it depends on none.
evaluateBy(async (output) => {
  const [values] = await runGraph([output], undefined, homeOf(output) ?? defaultDevice());
  if (!values) throw new Error('a plan gave no result');
  return values;
});

function homeOf(output: Tensor): Device | undefined {
  const leaves = nodesBefore([output]).flatMap(({ inputs }) => inputs);
  for (const { origin } of [output, ...leaves]) {
    if (origin.kind === 'variable' && origin.variable.device) return origin.variable.device;
    if (origin.kind === 'stored') return origin.array.device;
  }
  return undefined;
}

function runGraph(outputs: readonly Tensor[], trace: Trace | undefined, device: Device): Promise<NumericArray[]> {
  const { key, leaves } = structureOf(outputs, trace);
  const plans = kept.get(device) ?? new Map<string, KeptPlan>();
  kept.set(device, plans);
  const entry = plans.get(key) ?? { plan: Plan.build(device, outputs, leaves, trace), uses: Promise.resolve() };
  plans.delete(key); // and set again: the map is ordered by last use
  plans.set(key, entry);
  entry.plan.catch(() => plans.delete(key));
  const [oldest] = plans;
  if (oldest && plans.size > PLANS_KEPT) {
    plans.delete(oldest[0]);
    const [, { plan, uses }] = oldest;
    void uses
      .then(() => plan)
      .then(
        (unused) => {
          unused.dispose();
        },
        () => undefined,
      );
  }
  const result = entry.plan.then((plan) => plan.runAndRead(leaves, trace));
  entry.uses = Promise.allSettled([entry.uses, result]);
  return result;
}

import { defaultDevice } from './device/default.js';
import { type Device, deviceRule } from './device/device.js';
import { nodesBefore } from './graph/nodes.js';
import { structureOf } from './graph/program.js';
import { record, type Trace } from './graph/trace.js';
import { checkArgument, callback, checkOptions, type OptionRules } from './options.js';
import { Plan, PLANS_KEPT } from './plan.js';
import { RecentValues } from './recent.js';
import { heldResult } from './results.js';
import type { NumericArray } from './graph/operation.js';
import { flattenTree, rebuildTree, type TensorTree } from './tree.js';
import { evaluateBy, Tensor } from './tensor.js';

/** Where to compute. */
export interface RunOptions {
  /** Default: the CPU device. */
  readonly device?: Device;
}

/** @internal The rules of {@link RunOptions}. */
export const RUN_RULES: OptionRules<RunOptions> = { device: deviceRule };

/** A plan that graphs of one structure find again. */
class KeptPlan {
  readonly #building: Promise<Plan>;
  #plan: Plan | undefined;
  #uses = 0;
  #isDropped = false;
  #unfollow: readonly (() => void)[] = [];

  /** @param forget is called where the plan cannot be built, or where it will not be found again: a variable of it is gone */
  constructor(building: Promise<Plan>, forget: () => void) {
    this.#building = building;
    building.then((plan) => {
      this.#plan = plan;
      if (!this.#isDropped) this.#unfollow = plan.program.variables.map((storage) => storage.onDispose(forget));
    }, forget);
  }

  /** Runs the plan and reads its results: at once where there is nothing to wait for. */
  async read(leaves: readonly Tensor[], trace: Trace | undefined): Promise<NumericArray[]> {
    const now = this.#plan?.readNow(leaves, trace);
    if (now) return now;
    const inputs = leaves.map(heldResult); // as they are now
    this.#uses++;
    try {
      return await (await this.#building).read(inputs, trace);
    } finally {
      this.#uses--;
      this.#disposeUnused();
    }
  }

  /** It is found no more, and goes as soon as nothing uses it. */
  drop(): void {
    this.#isDropped = true;
    for (const unfollow of this.#unfollow) unfollow();
    this.#disposeUnused();
  }

  #disposeUnused(): void {
    if (!this.#isDropped || this.#uses > 0) return;
    this.#building.then(
      (plan) => {
        plan.dispose();
      },
      () => undefined,
    );
  }
}

const kept = new WeakMap<Device, RecentValues<KeptPlan>>();

/**
 * Records `fn` and computes its results, and the state changes it asks for, at once. A function that builds a graph of
 * the same structure again finds its plan: a training loop over `run` is slower than one over `compile`, which records
 * only once, but not slow. Values of constants may differ from call to call. Results are read back at once, so they
 * stay good whatever runs later.
 */
export async function run<Out extends TensorTree>(fn: () => Out, options: RunOptions = {}): Promise<Out> {
  checkArgument('run', 'the function', fn, callback);
  checkOptions('run', options, RUN_RULES);
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
  const plans = kept.get(device) ?? newPlans(device);
  const known = plans.get(key);
  if (known) return known.read(leaves, trace);
  const made = new KeptPlan(Plan.prepare(device, outputs, leaves, trace, false).load(), () => {
    if (plans.get(key) === made) plans.delete(key);
  });
  plans.set(key, made);
  return made.read(leaves, trace);
}

function newPlans(device: Device): RecentValues<KeptPlan> {
  const plans = new RecentValues<KeptPlan>(PLANS_KEPT, (plan) => {
    plan.drop();
  });
  kept.set(device, plans);
  return plans;
}

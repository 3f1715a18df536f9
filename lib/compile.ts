import { defaultDevice } from './device/default.js';
import type { NumericArray, TensorSpec } from './graph/operation.js';
import { type Mode, record, refuseNesting, type Trace } from './graph/trace.js';
import { callback, checkArgument, checkOptions, instanceOf, list, type OptionRules, wholeNumber } from './options.js';
import { Plan, PLANS_KEPT, type PreparedPlan } from './plan.js';
import { type PlanMemory, planMemoryOf } from './plan-memory.js';
import { RecentValues } from './recent.js';
import { heldResult, keepResults } from './results.js';
import { RUN_RULES, type RunOptions } from './run.js';
import type { NestedNumbers } from './nested-numbers.js';
import { tensor, Tensor } from './tensor.js';
import { flattenTree, rebuildTree, type TensorTree } from './tree.js';
import { Variable } from './variable.js';

/** What a compiled function takes: a tensor, a variable, a typed array (one axis), nested arrays or a number. */
export type CompiledInput = Tensor | Variable | NumericArray | NestedNumbers;

/** A function that replays a plan. */
export interface CompiledFunction<Out extends TensorTree> {
  /**
   * Queues one replay; rejects with what the tracing threw. Results are valid until the next call; where calls are made
   * side by side, without waiting for one before the next (`Promise.all`), each has results of its own.
   */
  (...inputs: readonly CompiledInput[]): Promise<Out>;
  /**
   * Queues so many replays, all with the same inputs, many of them in one submit: what a training loop over data on the
   * device needs ({@link DataLoader}). The time that a submit takes decides how many; two are under way at a time.
   * Resolves to the results of the last replay. Throws OptionError unless `replays` is a whole number of 1 or more.
   *
   * @param inputs what the function takes; default none
   */
  repeat(replays: number, inputs?: readonly CompiledInput[], options?: RepeatOptions): Promise<Out>;
  /**
   * What the plan for such inputs takes on the device: known before the first call, and before anything is allocated. The
   * function is recorded for it, and nothing runs.
   *
   * @param inputs what the function takes, or only shapes and types: `{ shape: [8, 224, 224, 3], dtype: 'f32' }`
   * Throws DeviceMemoryError for a tensor over a limit of the device.
   */
  memory(...inputs: readonly (CompiledInput | TensorSpec)[]): PlanMemory;
  /** @internal The plan for inputs of the host, before it is loaded. */
  prepare(...inputs: readonly (CompiledInput | TensorSpec)[]): PreparedPlan;
  /** @internal Loads the plan of a function without inputs ahead of its first call. */
  load(): Promise<void>;
  /** The plans made so far, one for each signature of inputs: the last 64 that were used. */
  plans(): readonly Plan[];
  /** Frees the buffers of all plans. */
  dispose(): void;
}

/** Options of {@link CompiledFunction.repeat}. */
export interface RepeatOptions {
  /** Aborting it ends the repetition between two submits. */
  readonly signal?: AbortSignal;
}

const REPEAT_RULES: OptionRules<RepeatOptions> = { signal: instanceOf(AbortSignal, 'an AbortSignal') };

/** A recording, and the plan that was made of it. */
interface Entry<Out> {
  readonly trace: Trace;
  readonly result: Out;
  readonly prepared: PreparedPlan;
  /** Undefined until it has been loaded. */
  plan: Plan | undefined;
}

/** A call whose caller has not got the results yet. */
interface Call {
  results: readonly Tensor[];
  /** Another call was made meanwhile, so the results must outlive that one's replay. */
  isOverlapped: boolean;
}

/**
 * Makes a function of tensors fast: it is run once for each signature of inputs (shapes and element types) to record
 * its operations, and from then on the recorded plan is replayed. Changes of state inside it (an optimizer's update,
 * `variable.assign`) are carried out in place on the device whenever it is called (compare `jax.jit`, `tf.function`).
 *
 * The function must be synchronous and must not depend on values: reading one throws TraceError. It is recorded again
 * when a layer's training mode, or what is frozen, changed; not when a layer was replaced: compile it anew then.
 */
export function compile<Out extends TensorTree>(
  fn: (...inputs: Tensor[]) => Out,
  options: RunOptions = {},
): CompiledFunction<Out> {
  checkArgument('compile', 'the function', fn, callback);
  checkOptions('compile', options, RUN_RULES);
  return compileIn(undefined, fn, options);
}

/** @internal {@link compile} that records in a mode, whatever the modules' own. */
export function compileIn<Out extends TensorTree>(
  mode: Mode | undefined,
  fn: (...inputs: Tensor[]) => Out,
  options: RunOptions,
): CompiledFunction<Out> {
  const device = options.device ?? defaultDevice();
  /** By signature. */
  const entries = new RecentValues<Entry<Out>>(PLANS_KEPT, ({ plan }) => {
    plan?.dispose();
  });
  const calls = new Set<Call>();
  let queue: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  const signatureOf = (inputs: readonly TensorSpec[]): string =>
    inputs.map(({ shape, dtype }) => `${dtype}[${shape.join(',')}]`).join(' ');

  const known = (signature: string): Entry<Out> | undefined => {
    const entry = entries.get(signature);
    return entry?.trace.guardsHold() ? entry : undefined;
  };

  const entryFor = (inputs: readonly TensorSpec[]): Entry<Out> => {
    const signature = signatureOf(inputs);
    const found = known(signature);
    if (found) return found;
    entries.delete(signature);
    const placeholders = inputs.map((input, position) => new Tensor(input, { kind: 'input', position }));
    const { trace, result } = record(() => fn(...placeholders), mode);
    const prepared = Plan.prepare(device, flattenTree(result), placeholders, trace, true);
    const entry = { trace, result, prepared, plan: undefined };
    entries.set(signature, entry);
    return entry;
  };

  /** Makes a call. Those whose callers have nothing in hand yet keep their results, whatever this one overwrites. */
  const start = (make: (call: Call) => Promise<Out>): Promise<Out> => {
    const call: Call = { results: [], isOverlapped: false };
    let results: Promise<Out>;
    try {
      for (const other of calls) {
        other.isOverlapped = true;
        keepResults(other.results);
        other.results = [];
      }
      calls.add(call);
      results = make(call);
    } catch (error) {
      results = Promise.reject(asError(error));
    }
    const over = (): void => void calls.delete(call);
    results.then(over, over); // ahead of whatever the caller does with them
    return results;
  };

  /** The results of a call, on their way to the caller. */
  const finish = (call: Call, { result }: Entry<Out>, results: readonly Tensor[]): Out => {
    if (call.isOverlapped) keepResults(results);
    else call.results = results;
    return rebuildTree(result, results);
  };

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    waiting++;
    const result = queue.then(work);
    const over = (): void => {
      waiting--;
    };
    queue = result.then(over, over);
    return result;
  };

  const planOf = async (entry: Entry<Out>): Promise<Plan> => (entry.plan ??= await entry.prepared.load());

  /** One call after the other, also where the caller does not wait: the second must find the plan of the first. */
  const enqueue = (call: Call, given: readonly CompiledInput[], replay: Replay): Promise<Out> => {
    const settled = Promise.all(given.map(held));
    settled.catch(() => undefined); // the call fails when its turn comes
    return inTurn(async () => {
      const inputs = await settled;
      const entry = entryFor(inputs);
      return finish(call, entry, await replay(await planOf(entry), inputs, entry.trace));
    });
  };

  /** A call where nothing has to be waited for, such as a training loop makes it: its replay is queued at once. */
  const callNow = (call: Call, inputs: readonly Tensor[]): Promise<Out> | undefined => {
    const entry = waiting === 0 ? known(signatureOf(inputs)) : undefined;
    const results = entry?.plan?.runNow(inputs, entry.trace);
    return entry && results && Promise.resolve(finish(call, entry, results));
  };

  const compiled = (...given: readonly CompiledInput[]): Promise<Out> => {
    refuseNesting();
    const inputs = given.map(toTensor);
    return start((call) => callNow(call, inputs) ?? enqueue(call, given, (plan, own, trace) => plan.run(own, trace)));
  };
  const prepare = (...given: readonly (CompiledInput | TensorSpec)[]): PreparedPlan => {
    refuseNesting();
    return entryFor(given.map(specOf)).prepared;
  };
  return Object.assign(compiled, {
    repeat: (replays: number, given: readonly CompiledInput[] = [], repeatOptions: RepeatOptions = {}) => {
      checkArgument('repeat', 'replays', replays, wholeNumber({ min: 1 }));
      checkArgument('repeat', 'inputs', given, list);
      checkOptions('repeat', repeatOptions, REPEAT_RULES);
      refuseNesting();
      const { signal } = repeatOptions;
      const replay: Replay = (plan, own, trace) => plan.repeat(own, trace, replays, signal);
      return start((call) => enqueue(call, given, replay));
    },
    memory: (...given: readonly (CompiledInput | TensorSpec)[]) => planMemoryOf(device, prepare(...given)),
    prepare,
    load: async () => {
      refuseNesting();
      await inTurn(() => planOf(entryFor([])));
    },
    plans: () =>
      entries
        .values()
        .map(({ plan }) => plan)
        .filter((plan) => plan !== undefined),
    dispose: () => {
      entries.clear();
    },
  });
}

type Replay = (plan: Plan, inputs: readonly Tensor[], trace: Trace) => Promise<readonly Tensor[]>;

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** An input of a call that has to wait, as it is now. */
async function held(given: CompiledInput): Promise<Tensor> {
  const input = toTensor(ArrayBuffer.isView(given) ? given.slice() : given);
  if (input.origin.kind !== 'node') return heldResult(input);
  return new Tensor(input, { kind: 'constant', data: await input.data() });
}

function specOf(input: CompiledInput | TensorSpec): TensorSpec {
  const isSpec = typeof input === 'object' && 'shape' in input && 'dtype' in input;
  return isSpec ? input : tensor(input);
}

function toTensor(input: CompiledInput): Tensor {
  if (input instanceof Tensor) return input;
  return input instanceof Variable ? input.value : tensor(input);
}

import { OptionError } from './errors.js';
import { defaultDevice } from './device/default.js';
import type { RunOptions } from './run.js';
import type { NumericArray } from './graph/operation.js';
import { type Mode, record, refuseNesting } from './graph/trace.js';
import { Plan } from './plan.js';
import { tensor, Tensor, type NestedNumbers } from './tensor.js';
import { flattenTree, rebuildTree, type TensorTree } from './tree.js';
import { Variable } from './variable.js';

/** What a compiled function takes: a tensor, a variable, a typed array (one axis), nested arrays or a number. */
export type CompiledInput = Tensor | Variable | NumericArray | NestedNumbers;

/** A function that replays a plan. */
export interface CompiledFunction<Out extends TensorTree> {
  /** Queues one replay; rejects with what the tracing threw. Results are valid until the next call. */
  (...inputs: readonly CompiledInput[]): Promise<Out>;
  /**
   * Queues so many replays, all with the same inputs, many of them in one submit: what a training loop over data on the
   * device needs ({@link DataLoader}). The time that a submit takes decides how many; two are under way at a time.
   * Resolves to the results of the last replay. Throws OptionError unless `replays` is a whole number of 1 or more.
   *
   * @param inputs what the function takes; default none
   */
  repeat(replays: number, inputs?: readonly CompiledInput[], options?: RepeatOptions): Promise<Out>;
  /** The plans made so far, one for each signature of inputs. */
  plans(): readonly Plan[];
  /** Frees the buffers of all plans. */
  dispose(): void;
}

/** Options of {@link CompiledFunction.repeat}. */
export interface RepeatOptions {
  /** Aborting it ends the repetition between two submits. */
  readonly signal?: AbortSignal;
}

interface Entry<Out> {
  readonly plan: Plan;
  readonly result: Out;
}

/**
 * Makes a function of tensors fast: it is run once for each signature of inputs (shapes and element types) to record
 * its operations, and from then on the recorded plan is replayed. Changes of state inside it (an optimizer's update,
 * `variable.assign`) are carried out in place on the device whenever it is called (compare `jax.jit`, `tf.function`).
 *
 * The function must be synchronous and must not depend on values: reading one throws TraceError. It is recorded again
 * when a layer's training mode changed.
 */
export function compile<Out extends TensorTree>(
  fn: (...inputs: Tensor[]) => Out,
  options: RunOptions = {},
): CompiledFunction<Out> {
  return compileIn(undefined, fn, options);
}

/** @internal {@link compile} that records in a mode, whatever the modules' own. */
export function compileIn<Out extends TensorTree>(
  mode: Mode | undefined,
  fn: (...inputs: Tensor[]) => Out,
  options: RunOptions,
): CompiledFunction<Out> {
  const device = options.device ?? defaultDevice();
  const entries = new Map<string, Entry<Out>>();
  let queue: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  const signatureOf = (inputs: readonly Tensor[]): string =>
    inputs.map(({ shape, dtype }) => `${dtype}[${shape.join(',')}]`).join(' ');

  const known = (signature: string): Entry<Out> | undefined => {
    const entry = entries.get(signature);
    return entry?.plan.trace?.guardsHold() === false ? undefined : entry;
  };

  const entryFor = async (inputs: readonly Tensor[]): Promise<Entry<Out>> => {
    const signature = signatureOf(inputs);
    const found = known(signature);
    if (found) return found;
    entries.get(signature)?.plan.dispose();
    const placeholders = inputs.map((input, position) => new Tensor(input, { kind: 'input', position }));
    const { trace, result } = record(() => fn(...placeholders), mode);
    const entry = { plan: await Plan.build(device, flattenTree(result), placeholders, trace), result };
    entries.set(signature, entry);
    return entry;
  };

  /** One call after the other, also where the caller does not wait: the second must find the plan of the first. */
  const enqueue = (tensors: readonly Tensor[], replay: Replay): Promise<Out> => {
    waiting++;
    const result = queue.then(async () => {
      const { plan, result: tree } = await entryFor(tensors);
      return rebuildTree(tree, await replay(plan, tensors));
    });
    queue = result.then(
      () => {
        waiting--;
      },
      () => {
        waiting--;
      },
    );
    return result;
  };

  const compiled = (...inputs: readonly CompiledInput[]): Promise<Out> => {
    refuseNesting();
    const tensors = inputs.map(toTensor);
    // Where nothing has to be waited for, the replay is queued at once: a training loop lives on this.
    const entry = waiting === 0 ? known(signatureOf(tensors)) : undefined;
    if (entry) {
      try {
        const results = entry.plan.runNow(tensors);
        if (results) return Promise.resolve(rebuildTree(entry.result, results));
      } catch (error) {
        return Promise.reject(asError(error));
      }
    }
    return enqueue(tensors, (plan, given) => plan.run(given));
  };
  return Object.assign(compiled, {
    repeat: (replays: number, inputs: readonly CompiledInput[] = [], options: RepeatOptions = {}) => {
      checkReplays(replays);
      refuseNesting();
      return enqueue(inputs.map(toTensor), (plan, tensors) => plan.repeat(tensors, replays, options.signal));
    },
    plans: () => [...entries.values()].map(({ plan }) => plan),
    dispose: () => {
      for (const { plan } of entries.values()) plan.dispose();
      entries.clear();
    },
  });
}

type Replay = (plan: Plan, inputs: readonly Tensor[]) => Promise<Tensor[]>;

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function checkReplays(replays: number): void {
  if (Number.isSafeInteger(replays) && replays > 0) return;
  throw new OptionError(`repeat: expected a whole number of replays, 1 or more, found ${replays}`);
}

function toTensor(input: CompiledInput): Tensor {
  if (input instanceof Tensor) return input;
  return input instanceof Variable ? input.value : tensor(input);
}

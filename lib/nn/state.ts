import { DataError, TraceError } from '../errors.js';
import type { Safetensors } from '../io/safetensors.js';
import { asDoubles, ListedTensor, type SafetensorsTensor, stateRule } from '../io/safetensors-types.js';
import { boolean, checkArgument, checkOptions } from '../options.js';
import { printable } from '../printable.js';
import { formatShape, sameShape, sizeOf } from '../shape.js';
import { arrayOf } from '../tensor.js';
import type { Variable } from '../variable.js';
import { type Module, moduleRule } from './module.js';

/**
 * The model's variables as tensors of a .safetensors file, by PyTorch's names and in its layouts: all as they are at one
 * time, between two steps, also while the model is being trained. A variable that stands in several places is one tensor,
 * under its first name; PyTorch's `state_dict()` has one under each.
 * Throws TraceError for a model that has none because it is not built yet.
 */
export async function stateOf(model: Module): Promise<Map<string, SafetensorsTensor>> {
  checkArgument('stateOf', 'the model', model, moduleRule);
  if (!model.isBuilt && model.namedVariables().size === 0) {
    throw new TraceError('the model has no weights: it is not built yet (model.build(inputShape))');
  }
  model.buildAdded();
  const state = new Map<string, SafetensorsTensor>();
  // All reads are queued before anything else can be: no step of a training comes between two of them.
  const read = [...model.namedVariables()].map(async ([name, variable]) => ({
    name,
    shape: variable.shape,
    data: await variable.data(),
  }));
  for (const { name, shape, data } of await Promise.all(read)) {
    if (data instanceof Float32Array) state.set(name, { dtype: 'F32', shape, data });
    else if (data instanceof Int32Array) state.set(name, { dtype: 'I32', shape, data });
    else if (data instanceof Uint32Array) state.set(name, { dtype: 'U32', shape, data });
  }
  return state;
}

/** Options of {@link loadState}. */
export interface LoadOptions {
  /**
   * Whether everything must fit. False: what fits is loaded, and the rest stays as it is and is reported, as in PyTorch's
   * `load_state_dict(…, strict=False)`, which refuses other shapes in any case. Default true.
   */
  readonly strict?: boolean;
}

/** What {@link loadState} did, by the names of the model's variables. */
export interface LoadReport {
  /** Set from the state. */
  readonly loaded: readonly string[];
  /** In the model and not in the state. */
  readonly missing: readonly string[];
  /** In the state and not in the model. */
  readonly extra: readonly string[];
  /** In both, in different shapes. */
  readonly misshapen: readonly string[];
}

/**
 * Sets the model's variables from the tensors of a .safetensors file, and reports what it did. All or nothing: throws
 * DataError naming every name that is missing or unknown, every shape that differs and every type whose numbers are not
 * read, before anything is set; with `strict: false` the first three are left as they are. Throws OptionError for an unknown option, TraceError after dispose().
 *
 * A variable that stands in several places of the model is found under any of its names (PyTorch's `state_dict()` has it
 * under all of them). Throws DataError where the state has several, and they differ.
 */
export function loadState(model: Module, state: Pick<Safetensors, 'tensors'>, options: LoadOptions = {}): LoadReport {
  checkOptions('loadState', options, { strict: boolean });
  checkArgument('loadState', 'the model', model, moduleRule);
  checkArgument('loadState', 'the state', state, stateRule);
  model.buildAdded();
  const { strict = true } = options;
  const { report, values, misfits, contradictions } = compare(model, state.tensors);
  const problems = strict ? [...misfits, ...contradictions] : contradictions;
  if (!model.isBuilt && report.extra.length > 0) {
    problems.push('it is not built yet: call model.build(inputShape) first');
  }
  if (problems.length > 0) throw new DataError(`the weights do not fit the model: ${problems.join('; ')}`);
  for (const variable of values.keys()) {
    if (variable.isDisposed) throw new TraceError(`loadState: variable ${variable.name} is used after dispose()`);
  }
  for (const [variable, { data }] of values) {
    variable.set(arrayOf(variable.dtype, data instanceof BigInt64Array ? asDoubles(data) : data));
  }
  return report;
}

/** A tensor whose numbers are there. */
type ReadTensor = Exclude<SafetensorsTensor, ListedTensor>;

interface Comparison {
  readonly report: LoadReport;
  /** What is to be set. */
  readonly values: ReadonlyMap<Variable, ReadTensor>;
  /** What is told of `missing`, `extra` and `misshapen`. */
  readonly misfits: string[];
  /** What makes the state itself unusable. */
  readonly contradictions: string[];
}

function compare(model: Module, tensors: Safetensors['tensors']): Comparison {
  const variables = model.variablesByEveryName();
  const [loaded, missing, misshapen]: [string[], string[], string[]] = [[], [], []];
  const misfits: string[] = [];
  const contradictions: string[] = [];
  const values = new Map<Variable, ReadTensor>();
  const extra = [...tensors.keys()].filter((name) => !variables.has(name));
  for (const name of extra) misfits.push(`${printable(name)} is not in the model`);
  const namesOf = new Map<Variable, string[]>();
  for (const [name, variable] of variables) namesOf.set(variable, [...(namesOf.get(variable) ?? []), name]);

  for (const [name, variable] of model.namedVariables()) {
    const found = (namesOf.get(variable) ?? []).filter((other) => tensors.has(other));
    const [savedAs = name] = found;
    const saved = tensors.get(savedAs);
    if (!saved) {
      missing.push(name);
      misfits.push(`${name} is missing`);
      continue;
    }
    if (saved instanceof ListedTensor) {
      contradictions.push(`${savedAs} has the type ${saved.dtype}, which is not read`);
      continue;
    }
    for (const other of found) {
      const copy = tensors.get(other);
      if (copy && !isSame(saved, copy)) contradictions.push(`${savedAs} and ${other} are one in the model, and differ`);
    }
    if (saved.data.length !== sizeOf(saved.shape)) {
      contradictions.push(`${savedAs} holds ${saved.data.length} numbers for ${formatShape(saved.shape)}`);
    } else if (!sameShape(saved.shape, variable.shape)) {
      misshapen.push(name);
      misfits.push(`${savedAs} is ${formatShape(saved.shape)}, the model has ${formatShape(variable.shape)}`);
    } else {
      loaded.push(name);
      values.set(variable, saved);
    }
  }
  return { report: { loaded, missing, extra, misshapen }, values, misfits, contradictions };
}

function isSame(a: ReadTensor, b: SafetensorsTensor): boolean {
  if (a === b) return true;
  if (b instanceof ListedTensor) return false;
  return sameShape(a.shape, b.shape) && a.data.every((value, i) => Object.is(value, b.data[i]));
}

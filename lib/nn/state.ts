import { DataError, TraceError } from '../errors.js';
import { type FileLayouts, fromFile, shapeInFile, toFile } from '../file-layout.js';
import type { Safetensors } from '../io/safetensors.js';
import { asDoubles, ListedTensor, type SafetensorsTensor, stateRule } from '../io/safetensors-types.js';
import { boolean, checkArgument, checkOptions, oneOf } from '../options.js';
import { printable } from '../printable.js';
import { formatShape, sameShape, sizeOf } from '../shape.js';
import { arrayOf } from '../tensor.js';
import type { Variable } from '../variable.js';
import { nameFromKeras } from './keras-names.js';
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
    shape: shapeInFile(variable.shape, variable.fileLayouts.pytorch),
    data: toFile(await variable.data(), variable.fileLayouts.pytorch),
  }));
  for (const { name, shape, data } of await Promise.all(read)) {
    if (data instanceof Float32Array) state.set(name, { dtype: 'F32', shape, data });
    else if (data instanceof Int32Array) state.set(name, { dtype: 'I32', shape, data });
    else if (data instanceof Uint32Array) state.set(name, { dtype: 'U32', shape, data });
    else if (data instanceof Uint8Array) state.set(name, { dtype: 'U8', shape, data });
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
  /**
   * Whose names and layouts the state has. `'keras'`: a kernel is [height, width, in, out], that of a depthwise convolution
   * [height, width, in, multiplier], of a dense layer [in, units]; `conv1/kernel:0` and `conv1/kernel` are
   * `conv1.weight`, `bn1/gamma`, `beta`, `moving_mean` and `moving_variance` are `bn1.weight`, `bias`, `running_mean` and
   * `running_var`. Default `'pytorch'`.
   */
  readonly layout?: keyof FileLayouts;
}

/** What {@link loadState} did, by the names of the model's variables. */
export interface LoadReport {
  /** Set from the state. */
  readonly loaded: readonly string[];
  /** In the model and not in the state. */
  readonly missing: readonly string[];
  /** In the state, under this name, and not in the model. */
  readonly extra: readonly string[];
  /** In both, in different shapes. */
  readonly misshapen: readonly string[];
  /** In the state, under this name, and of no use: `num_batches_tracked`, which PyTorch counts beside running statistics. */
  readonly ignored: readonly string[];
}

/**
 * Sets the model's variables from the tensors of a .safetensors file, and reports what it did. All or nothing: throws
 * DataError naming every name that is missing or unknown, every shape that differs and every type whose numbers are not
 * read, before anything is set; with `strict: false` the first three are left as they are. Shapes are named as they are in
 * such a file. Throws OptionError for an unknown option, TraceError after dispose().
 *
 * A variable that stands in several places of the model is found under any of its names (PyTorch's `state_dict()` has it
 * under all of them). Throws DataError where the state has several, and they differ.
 */
export function loadState(model: Module, state: Pick<Safetensors, 'tensors'>, options: LoadOptions = {}): LoadReport {
  checkOptions('loadState', options, { strict: boolean, layout: oneOf('pytorch', 'keras') });
  checkArgument('loadState', 'the model', model, moduleRule);
  checkArgument('loadState', 'the state', state, stateRule);
  model.buildAdded();
  const { strict = true, layout = 'pytorch' } = options;
  const { report, values, misfits, contradictions } = compare(model, state.tensors, layout);
  const problems = strict ? [...misfits, ...contradictions] : contradictions;
  if (!model.isBuilt && report.extra.length > 0) {
    problems.push('it is not built yet: call model.build(inputShape) first');
  }
  if (problems.length > 0) throw new DataError(`the weights do not fit the model: ${problems.join('; ')}`);
  for (const variable of values.keys()) {
    if (variable.isDisposed) throw new TraceError(`loadState: variable ${variable.name} is used after dispose()`);
  }
  for (const [variable, { data }] of values) {
    const numbers = arrayOf(variable.dtype, data instanceof BigInt64Array ? asDoubles(data) : data);
    variable.set(fromFile(numbers, variable.fileLayouts[layout]));
  }
  return report;
}

/** A tensor whose numbers are there. */
type ReadTensor = Exclude<SafetensorsTensor, ListedTensor>;

/** A tensor with the name that it has in the state. */
interface SavedTensor {
  readonly savedAs: string;
  readonly tensor: SafetensorsTensor;
}

interface Comparison {
  readonly report: LoadReport;
  /** What is to be set. */
  readonly values: ReadonlyMap<Variable, ReadTensor>;
  /** What is told of `missing`, `extra` and `misshapen`. */
  readonly misfits: string[];
  /** What makes the state itself unusable. */
  readonly contradictions: string[];
}

function compare(model: Module, tensors: Safetensors['tensors'], layout: keyof FileLayouts): Comparison {
  const variables = model.variablesByEveryName();
  const [loaded, missing, misshapen]: [string[], string[], string[]] = [[], [], []];
  const [extra, ignored]: [string[], string[]] = [[], []];
  const misfits: string[] = [];
  const contradictions: string[] = [];
  const values = new Map<Variable, ReadTensor>();
  const state = new Map<string, SavedTensor>();
  for (const [savedAs, tensor] of tensors) {
    const name = layout === 'keras' ? nameFromKeras(savedAs) : savedAs;
    const namesake = state.get(name);
    if (namesake) contradictions.push(`${namesake.savedAs} and ${printable(savedAs)} are both ${printable(name)}`);
    else if (variables.has(name)) state.set(name, { savedAs: printable(savedAs), tensor });
    else if (COUNTS_BATCHES.test(name)) ignored.push(savedAs);
    else extra.push(savedAs);
  }
  for (const name of extra) misfits.push(`${printable(name)} is not in the model`);
  const namesOf = new Map<Variable, string[]>();
  for (const [name, variable] of variables) namesOf.set(variable, [...(namesOf.get(variable) ?? []), name]);

  for (const [name, variable] of model.namedVariables()) {
    const found = (namesOf.get(variable) ?? []).flatMap((other) => state.get(other) ?? []);
    const [first, ...others] = found;
    if (!first) {
      missing.push(name);
      misfits.push(`${name} is missing`);
      continue;
    }
    const { savedAs, tensor } = first;
    if (tensor instanceof ListedTensor) {
      contradictions.push(`${savedAs} has the type ${tensor.dtype}, which is not read`);
      continue;
    }
    for (const other of others) {
      if (isSame(tensor, other.tensor)) continue;
      contradictions.push(`${savedAs} and ${other.savedAs} are one in the model, and differ`);
    }
    const expected = shapeInFile(variable.shape, variable.fileLayouts[layout]);
    if (tensor.data.length !== sizeOf(tensor.shape)) {
      contradictions.push(`${savedAs} holds ${tensor.data.length} numbers for ${formatShape(tensor.shape)}`);
    } else if (!sameShape(tensor.shape, expected)) {
      misshapen.push(name);
      misfits.push(`${savedAs} is ${formatShape(tensor.shape)}, the model has ${formatShape(expected)}`);
    } else {
      loaded.push(name);
      values.set(variable, tensor);
    }
  }
  return { report: { loaded, missing, extra, misshapen, ignored }, values, misfits, contradictions };
}

/** PyTorch saves it with every batch norm; it has a use only where there is no momentum. */
const COUNTS_BATCHES = /(^|\.)num_batches_tracked$/;

function isSame(a: ReadTensor, b: SafetensorsTensor): boolean {
  if (a === b) return true;
  if (b instanceof ListedTensor) return false;
  return sameShape(a.shape, b.shape) && a.data.every((value, i) => Object.is(value, b.data[i]));
}

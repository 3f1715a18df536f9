import { DataError, TraceError } from '../errors.js';
import type { Safetensors } from '../io/safetensors.js';
import { ListedTensor, type SafetensorsTensor } from '../io/safetensors-types.js';
import { printable } from '../printable.js';
import { formatShape, sameShape } from '../shape.js';
import { arrayOf } from '../tensor.js';
import type { Module } from './module.js';

/**
 * The model's variables as tensors of a .safetensors file, by PyTorch's names and in its layouts.
 * Throws TraceError for a model that has none because it is not built yet.
 */
export async function stateOf(model: Module): Promise<Map<string, SafetensorsTensor>> {
  if (!model.isBuilt && model.namedVariables().size === 0) {
    throw new TraceError('the model has no weights: it is not built yet (model.build(inputShape))');
  }
  const state = new Map<string, SafetensorsTensor>();
  for (const [name, variable] of model.namedVariables()) {
    const data = await variable.data();
    const { shape } = variable;
    if (data instanceof Float32Array) state.set(name, { dtype: 'F32', shape, data });
    else if (data instanceof Int32Array) state.set(name, { dtype: 'I32', shape, data });
    else if (data instanceof Uint32Array) state.set(name, { dtype: 'U32', shape, data });
  }
  return state;
}

/**
 * Sets the model's variables from the tensors of a .safetensors file. All or nothing: throws DataError naming every
 * name that is missing or unknown, every shape that differs and every type whose numbers are not read, before anything is set.
 */
export function loadState(model: Module, state: Pick<Safetensors, 'tensors'>): void {
  const variables = model.namedVariables();
  const problems: string[] = [];
  for (const name of state.tensors.keys())
    if (!variables.has(name)) problems.push(`${printable(name)} is not in the model`);
  for (const [name, variable] of variables) {
    const saved = state.tensors.get(name);
    if (!saved) problems.push(`${name} is missing`);
    else if (!sameShape(saved.shape, variable.shape)) {
      problems.push(`${name} is ${formatShape(saved.shape)}, the model has ${formatShape(variable.shape)}`);
    } else if (saved instanceof ListedTensor) problems.push(`${name} has the type ${saved.dtype}, which is not read`);
  }
  if (problems.length > 0) {
    if (!model.isBuilt) problems.push('it is not built yet: call model.build(inputShape) first');
    throw new DataError(`the weights do not fit the model: ${problems.join('; ')}`);
  }
  for (const [name, variable] of variables) {
    const data = state.tensors.get(name)?.data;
    if (data) variable.set(arrayOf(variable.dtype, data instanceof BigInt64Array ? asDoubles(data) : data));
  }
}

function asDoubles(integers: BigInt64Array): Float64Array {
  const doubles = new Float64Array(integers.length);
  for (let i = 0; i < doubles.length; i++) doubles[i] = Number(integers[i]);
  return doubles;
}

import { DataError } from '../errors.js';
import type { Safetensors } from '../io/safetensors.js';
import { asDoubles, type SafetensorsTensor } from '../io/safetensors-types.js';
import { slotStride } from '../ops/update/update.js';
import { sizeOf } from '../shape.js';
import type { Parameter } from '../variable.js';
import type { TrackedParameter } from './optimizer.js';

/** A parameter of an optimizer, and what its state is called. */
interface NamedParameter {
  readonly name: string;
  readonly parameter: Parameter;
  readonly tracked: TrackedParameter;
}

const STEP = 'step';

/** The state of parameters as tensors of a file. */
export async function packedState(
  named: readonly (NamedParameter & { readonly steps: number })[],
): Promise<Map<string, SafetensorsTensor>> {
  // All are asked for at once, so that no step comes between them.
  const buffers = await Promise.all(named.map(async ({ tracked }) => tracked.buffer?.data()));
  const state = new Map<string, SafetensorsTensor>();
  named.forEach(({ name, parameter: { shape }, tracked, steps }, i) => {
    const { slots } = tracked.rule.update;
    const stride = slotStride(shape, slots.length);
    slots.forEach((slot, s) => {
      const data = Float32Array.from(buffers[i]?.slice(s * stride, s * stride + sizeOf(shape)) ?? []);
      state.set(`${name}.${slot}`, { dtype: 'F32', shape, data });
    });
    state.set(`${name}.${STEP}`, { dtype: 'F32', shape: [], data: Float32Array.of(steps) });
  });
  return state;
}

/** The slots, as they lie in their buffers, and the steps of parameters. Throws DataError naming all that does not fit. */
export function unpackedState(named: readonly NamedParameter[], tensors: Safetensors['tensors']) {
  const problems: string[] = [];
  const used = new Set<string>();
  const valuesOf = (name: string, size: number): ArrayLike<number> => {
    used.add(name);
    const { data } = tensors.get(name) ?? {};
    if (!data) problems.push(`${name} is missing`);
    else if (data.length !== size) problems.push(`${name} has ${data.length} values, the parameter ${size}`);
    return data instanceof BigInt64Array ? asDoubles(data) : (data ?? []);
  };
  const found = named.map(({ name, parameter: { shape }, tracked }) => {
    const { slots } = tracked.rule.update;
    const stride = slotStride(shape, slots.length);
    const values = new Float32Array(slots.length * stride);
    slots.forEach((slot, s) => {
      const own = valuesOf(`${name}.${slot}`, sizeOf(shape));
      if (own.length === sizeOf(shape)) values.set(own, s * stride);
    });
    return { tracked, values, steps: Number(valuesOf(`${name}.${STEP}`, 1)[0]) };
  });
  for (const name of tensors.keys()) if (!used.has(name)) problems.push(`${name} belongs to no parameter`);
  if (problems.length > 0) throw new DataError(`the state does not fit the optimizer: ${problems.join('; ')}`);
  return found;
}

import { DataError } from '../errors.js';
import { fromFile, shapeInFile, toFile } from '../file-layout.js';
import type { Safetensors } from '../io/safetensors.js';
import { asDoubles, ListedTensor, type SafetensorsTensor } from '../io/safetensors-types.js';
import { slotStride } from '../ops/update/update.js';
import { formatShape, sameShape, type Shape, sizeOf } from '../shape.js';
import type { Parameter } from '../variable.js';
import type { LossScaleState } from './loss-scale.js';
import type { TrackedParameter } from './members.js';

/** A parameter of an optimizer, and what its state is called. */
interface NamedParameter {
  readonly name: string;
  readonly parameter: Parameter;
  readonly tracked: TrackedParameter;
}

/** Behind a parameter's name its steps; alone those of the optimizer. */
const STEP = 'step';
/** Of the optimizer; left out where it is 1. */
const FACTOR = 'learning_rate_factor';
/** Of dynamic loss scaling, where there is some: the scale, and the good steps behind it. */
const LOSS_SCALE = 'loss_scale';

/** The state of parameters, and of an optimizer that has taken `step` steps, with rates times `factor`, as tensors of a file, in PyTorch's layouts. */
export async function packedState(
  named: readonly (NamedParameter & { readonly steps: number })[],
  step: number,
  factor: number,
  lossScale: Promise<LossScaleState> | undefined,
): Promise<Map<string, SafetensorsTensor>> {
  // All are asked for at once, so that no step comes between them.
  const [buffers, scale] = await Promise.all([
    Promise.all(named.map(async ({ tracked }) => tracked.buffer?.data())),
    lossScale,
  ]);
  const state = new Map<string, SafetensorsTensor>();
  named.forEach(({ name, parameter: { shape, fileLayouts }, tracked, steps }, i) => {
    const { slots } = tracked.rule.update;
    const stride = slotStride(shape, slots.length);
    slots.forEach((slot, s) => {
      const values = buffers[i]?.subarray(s * stride, s * stride + sizeOf(shape));
      if (!(values instanceof Float32Array)) throw new Error(`${name}.${slot} is not f32`);
      const data = toFile(values, fileLayouts.pytorch);
      state.set(`${name}.${slot}`, { dtype: 'F32', shape: shapeInFile(shape, fileLayouts.pytorch), data });
    });
    state.set(`${name}.${STEP}`, { dtype: 'F32', shape: [], data: Float32Array.of(steps) });
  });
  state.set(STEP, { dtype: 'F64', shape: [], data: Float64Array.of(step) });
  if (factor !== 1) state.set(FACTOR, { dtype: 'F64', shape: [], data: Float64Array.of(factor) });
  if (scale) state.set(LOSS_SCALE, { dtype: 'F32', shape: [2], data: Float32Array.of(...scale) });
  return state;
}

/**
 * The slots, as they lie in their buffers, and the steps of parameters; the optimizer's step and the factor of its rates. One that is not in the
 * state had taken no step, because it was frozen, or the loss did not reach it. Throws DataError naming all that does not fit.
 */
export function unpackedState(named: readonly NamedParameter[], tensors: Safetensors['tensors']) {
  const problems: string[] = [];
  const used = new Set<string>();
  const valuesOf = (name: string, shape: Shape): ArrayLike<number> => {
    used.add(name);
    const found = tensors.get(name);
    if (!found) problems.push(`${name} is missing`);
    else if (found instanceof ListedTensor) problems.push(`${name} has the type ${found.dtype}, which is not read`);
    else if (!sameShape(found.shape, shape) || found.data.length !== sizeOf(shape)) {
      problems.push(
        `${name} is ${formatShape(found.shape)} with ${found.data.length} numbers; expected ${formatShape(shape)}`,
      );
    } else return found.data instanceof BigInt64Array ? asDoubles(found.data) : found.data;
    return [];
  };
  const stepsOf = (name: string): number => {
    const [steps] = Array.from(valuesOf(name, []));
    if (steps !== undefined && !(Number.isSafeInteger(steps) && steps >= 0)) {
      problems.push(`${name} is ${steps}; expected a whole number of 0 or more`);
    }
    return steps ?? NaN;
  };
  const found = named.map(({ name, parameter: { shape, fileLayouts }, tracked }) => {
    const { update, initial = 0 } = tracked.rule;
    const { slots } = update;
    const stride = slotStride(shape, slots.length);
    const values = new Float32Array(slots.length * stride).fill(initial);
    if (![...slots, STEP].some((slot) => tensors.has(`${name}.${slot}`))) return { tracked, values, steps: 0 };
    slots.forEach((slot, s) => {
      const saved = valuesOf(`${name}.${slot}`, shapeInFile(shape, fileLayouts.pytorch));
      if (saved.length > 0) values.set(fromFile(Float32Array.from(saved), fileLayouts.pytorch), s * stride);
    });
    return { tracked, values, steps: stepsOf(`${name}.${STEP}`) };
  });
  const most = found.reduce((largest, { steps }) => Math.max(largest, steps), 0);
  const step = tensors.has(STEP) ? stepsOf(STEP) : most;
  const [factor = 1] = tensors.has(FACTOR) ? Array.from(valuesOf(FACTOR, [])) : [];
  if (!(factor >= 0 && factor < Infinity)) problems.push(`${FACTOR} is ${factor}; expected a number of 0 or more`);
  const [scale, goodSteps] = tensors.has(LOSS_SCALE) ? Array.from(valuesOf(LOSS_SCALE, [2])) : [];
  const lossScale: LossScaleState | undefined =
    scale === undefined || goodSteps === undefined ? undefined : [scale, goodSteps];
  for (const name of tensors.keys()) if (!used.has(name)) problems.push(`${name} belongs to no parameter`);
  if (problems.length > 0) throw new DataError(`the state does not fit the optimizer: ${problems.join('; ')}`);
  return { found, step, factor, lossScale };
}

import { elementAt } from '../element-at.js';
import type { TensorSpec } from '../graph/operation.js';
import type { Place, Program } from '../graph/program.js';
import type { Device, DeviceArray, ProgramMemory } from './device.js';

/** The arrays of a loaded program. */
export interface PlacedArrays<Own extends DeviceArray> {
  readonly inputs: readonly Own[];
  /** What the program owns, and gives back when it is disposed of: everything but the variables and what is shared. */
  readonly owned: readonly Own[];
  /** The array that a tensor of the program lives in. */
  readonly at: (place: Place) => Own;
}

/** Bytes of the arrays that {@link placeArrays} allocates. */
export function placedBytes(
  device: Pick<Device, 'bytesOf'>,
  { inputs, constants, slots }: Program,
): Pick<ProgramMemory, 'inputs' | 'constants' | 'slots'> {
  const total = (specs: readonly TensorSpec[]): number => specs.reduce((sum, spec) => sum + device.bytesOf(spec), 0);
  return { inputs: total(inputs), constants: total(constants), slots: total(slots.map(slotSpec)) };
}

/** What a slot is allocated as. */
export function slotSpec({ elements }: Program['slots'][number]): TensorSpec {
  return { shape: [elements], dtype: 'f32' };
}

/** Bytes of the slots that hold no results, in their order: programs may take turns in them. */
export function sharedSlotBytes(device: Pick<Device, 'bytesOf'>, { slots }: Program): number[] {
  return slots.filter(({ isResult }) => !isResult).map((slot) => device.bytesOf(slotSpec(slot)));
}

/**
 * Allocates the inputs, constants and results of a program beside the variables' arrays, and uploads the constants. Where one
 * is refused, nothing is left of the others.
 *
 * @param shared the slots that hold no results, in their order
 */
export function placeArrays<Own extends DeviceArray>(
  device: { allocate(spec: TensorSpec): Own; own(array: DeviceArray): Own },
  program: Program,
  variables: readonly DeviceArray[],
  shared: readonly Own[],
): PlacedArrays<Own> {
  const owned: Own[] = [];
  const allocate = (spec: TensorSpec): Own => {
    const array = device.allocate(spec);
    owned.push(array);
    return array;
  };
  try {
    let taken = 0;
    const arrays = {
      variable: variables.map((array) => device.own(array)),
      input: program.inputs.map(allocate),
      constant: program.constants.map(allocate),
      slot: program.slots.map((slot) => (slot.isResult ? allocate(slotSpec(slot)) : elementAt(shared, taken++))),
    };
    program.constants.forEach(({ data }, i) => arrays.constant[i]?.write(data));
    return {
      inputs: arrays.input,
      owned,
      at: (place) => {
        const array = arrays[place.kind][place.index];
        if (!array) throw new Error(`the program names ${place.kind} ${place.index}, which does not exist`);
        return array;
      },
    };
  } catch (error) {
    for (const array of owned) array.dispose();
    throw error;
  }
}

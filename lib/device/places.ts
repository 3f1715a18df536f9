import type { TensorSpec } from '../graph/operation.js';
import type { Place, Program } from '../graph/program.js';
import type { DeviceArray } from './device.js';

/** The arrays of a loaded program. */
export interface PlacedArrays<Own extends DeviceArray> {
  readonly inputs: readonly Own[];
  /** What the program owns, and gives back when it is disposed of: everything but the variables. */
  readonly owned: readonly Own[];
  /** The array that a tensor of the program lives in. */
  readonly at: (place: Place) => Own;
}

/** Allocates the inputs, constants and slots of a program beside the variables' arrays, and uploads the constants. */
export function placeArrays<Own extends DeviceArray>(
  device: { allocate(spec: TensorSpec): Own; own(array: DeviceArray): Own },
  program: Program,
  variables: readonly DeviceArray[],
): PlacedArrays<Own> {
  const inputs = program.inputs.map((spec) => device.allocate(spec));
  const constants = program.constants.map((constant) => {
    const array = device.allocate(constant);
    array.write(constant.data);
    return array;
  });
  const slots = program.slots.map(({ elements }) => device.allocate({ shape: [elements], dtype: 'f32' }));
  const arrays = {
    input: inputs,
    constant: constants,
    variable: variables.map((array) => device.own(array)),
    slot: slots,
  };
  return {
    inputs,
    owned: [...inputs, ...constants, ...slots],
    at: (place) => {
      const array = arrays[place.kind][place.index];
      if (!array) throw new Error(`the program names ${place.kind} ${place.index}, which does not exist`);
      return array;
    },
  };
}

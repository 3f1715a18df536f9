import { formatShape } from '../shape.js';
import type { TensorSpec } from './operation.js';
import type { Placed, Program } from './program.js';

/**
 * A program in words: a line a step with the operations that it joins, where each tensor lives, and how much memory it
 * takes. Slots are the plan's buffers for what is computed in between.
 *
 * @param dispatches kernels that a replay launches
 * @param bytesOf bytes that a tensor takes on the device
 */
export function describeProgram(program: Program, dispatches: number, bytesOf: (spec: TensorSpec) => number): string {
  const { steps, slots, inputs, constants, variables } = program;
  const name = ({ place, shape }: Placed): string => {
    if (place.kind === 'variable') return variables[place.index]?.name ?? 'variable';
    return `${place.kind} ${place.index} ${formatShape(shape)}`;
  };
  const rows = steps.map(({ operation, inputs: from, outputs: to }, i) => [
    `${i + 1}`.padStart(`${steps.length}`.length),
    operation.name,
    `${from.map(name).join(', ')} → ${to.map(name).join(', ')}`,
  ]);
  const width = rows.reduce((widest, [, operation = '']) => Math.max(widest, operation.length), 0);
  const joined = steps.reduce((count, { operation }) => count + operation.name.split(' + ').length, 0);
  const total = (specs: readonly TensorSpec[]): number => specs.reduce((sum, spec) => sum + bytesOf(spec), 0);
  const bytes = {
    slots: total(slots.map(({ elements }) => ({ shape: [elements], dtype: 'f32' }))),
    inputs: total(inputs),
    constants: total(constants),
    variables: total(variables),
  };
  const own = bytes.slots + bytes.inputs + bytes.constants;
  return [
    ...rows.map(([number = '', operation = '', places = '']) => `${number}  ${operation.padEnd(width)}  ${places}`),
    `steps: ${steps.length}, for ${joined} operations; dispatches: ${dispatches}`,
    `bytes: ${bytes.slots} in slots (${slots.length}), ${bytes.inputs} of inputs (${inputs.length}), ` +
      `${bytes.constants} of constants (${constants.length}), ` +
      `${bytes.variables} of variables (${variables.length}), which outlive the plan`,
    `peak memory: ${own} bytes, ${own + bytes.variables} with variables`,
  ].join('\n');
}

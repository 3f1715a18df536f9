import type { PlanMemory } from '../plan-memory.js';
import { formatShape } from '../shape.js';
import type { Placed, Program } from './program.js';

/**
 * A program in words: a line a step with the operations that it joins, where each tensor lives, and how much memory it
 * takes. Slots are the plan's buffers for what is computed in between.
 *
 * @param dispatches kernels that a replay launches
 * @param memory what it takes on its device
 */
export function describeProgram(program: Program, dispatches: number, memory: PlanMemory): string {
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
  return [
    ...rows.map(([number = '', operation = '', places = '']) => `${number}  ${operation.padEnd(width)}  ${places}`),
    `steps: ${steps.length}, for ${joined} operations; dispatches: ${dispatches}`,
    `bytes: ${memory.slots} in slots (${slots.length}), ${memory.inputs} of inputs (${inputs.length}), ` +
      `${memory.constants} of constants (${constants.length}), ${memory.scratch} of scratch, ` +
      `${memory.arguments} of arguments, ${memory.variables} of variables (${variables.length}), which outlive the plan`,
    `peak memory: ${memory.total - memory.variables} bytes, ${memory.total} with variables`,
  ].join('\n');
}

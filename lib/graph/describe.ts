import { formatShape, sizeOf } from '../shape.js';
import type { Program, Reference } from './program.js';

/**
 * A program in words: a line a step with the operations that it joins, where each tensor lives, and how much memory
 * the plan's own buffers take. Slots are the plan's buffers for what is computed in between.
 */
export function describeProgram(program: Program): string {
  const { steps, slots, inputs, constants, variables } = program;
  const name = ({ place, shape }: Reference): string => {
    if (place.kind === 'variable') return variables[place.index]?.name ?? 'variable';
    return `${place.kind} ${place.index} ${formatShape(shape)}`;
  };
  const rows = steps.map(({ operation, inputs: from, outputs: to }, i) => [
    `${i + 1}`.padStart(`${steps.length}`.length),
    operation.name,
    `${from.map(name).join(', ')} → ${to.map(name).join(', ')}`,
  ]);
  const width = Math.max(0, ...rows.map(([, operation = '']) => operation.length));
  const joined = steps.reduce((count, { operation }) => count + operation.name.split(' + ').length, 0);
  const elements = slots.reduce((total, slot) => total + slot.elements, 0);
  const bytesOf = (specs: readonly { readonly shape: readonly number[] }[]): number =>
    specs.reduce((total, { shape }) => total + 4 * sizeOf(shape), 0);
  return [
    ...rows.map(([number = '', operation = '', places = '']) => `${number}  ${operation.padEnd(width)}  ${places}`),
    `steps: ${steps.length}, for ${joined} operations`,
    `bytes: ${4 * elements} in slots (${slots.length}), ${bytesOf(inputs)} of inputs, ${bytesOf(constants)} of constants, ` +
      `${bytesOf(variables)} of variables, which outlive the plan`,
  ].join('\n');
}

import { printable } from '../printable.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { Parameter, type Variable } from '../variable.js';
import type { Module } from './module.js';

/** One line of a summary. */
export interface SummaryLayer {
  /** Path in the model. */
  readonly name: string;
  /** Class of the layer. */
  readonly type: string;
  /** Without the batch axis. */
  readonly outputShape: Shape;
  /** Numbers in the parameters of the layer's own; 0 for those that a line above has counted, of which it uses them again. */
  readonly parameters: number;
}

/** What {@link Module.summary} returns. */
export interface Summary {
  /** In the order in which they are computed. */
  readonly layers: readonly SummaryLayer[];
  /** Numbers in all parameters of the model. */
  readonly parameters: number;
  /** Of these, numbers that training changes. */
  readonly trainable: number;
  /** Of these, numbers that are frozen. */
  readonly frozen: number;
  /** The table as it is printed. */
  readonly text: string;
}

/** @internal Records the output shape of every layer while `forward` runs: of modules without modules in them, and
 * of those that have parameters of their own. */
export function summarize(model: Module, forward: () => Tensor): Summary {
  const layers: SummaryLayer[] = [];
  const counted = new Set<Variable>();
  const shown = model
    .namedModules()
    .filter(([, module]) => module.children().length === 0 || module.ownVariables().some(isParameter))
    .map(([name, module]) => ({ name, module, own: Object.getOwnPropertyDescriptor(module, 'forward') }));
  for (const { name, module } of shown) {
    // For the time of this one run another `forward` stands before the module's.
    const inner = module.forward.bind(module);
    module.forward = (...inputs) => {
      const output = inner(...inputs);
      const parameters = module
        .ownVariables()
        .filter(([, variable]) => variable instanceof Parameter && !counted.has(variable))
        .reduce((total, [, parameter]) => (counted.add(parameter), total + parameter.size), 0);
      layers.push({ name, type: module.constructor.name, outputShape: output.shape.slice(1), parameters });
      return output;
    };
  }
  try {
    forward();
  } finally {
    for (const { module, own } of shown) {
      Reflect.deleteProperty(module, 'forward');
      if (own) Object.defineProperty(module, 'forward', own);
    }
  }
  const all = model.parameters();
  const sizeOfAll = (parameters: readonly Parameter[]): number =>
    parameters.reduce((total, { size }) => total + size, 0);
  const parameters = sizeOfAll(all);
  const trainable = sizeOfAll(all.filter(({ isTrainable }) => isTrainable));
  const counts = { parameters, trainable, frozen: parameters - trainable };
  return { layers, ...counts, text: table(model, layers, counts) };
}

function isParameter([, variable]: [string, Variable]): boolean {
  return variable instanceof Parameter;
}

function table(
  model: Module,
  layers: readonly SummaryLayer[],
  { parameters, trainable, frozen }: Pick<Summary, 'parameters' | 'trainable' | 'frozen'>,
): string {
  const count = (numbers: number): string => numbers.toLocaleString('en-US');
  const header = ['layer', 'output shape', 'parameters'];
  const rows = layers.map(({ name, type, outputShape, parameters: own }) => [
    printable(name === '' ? type : `${name} (${type})`),
    `[${['N', ...outputShape].join(', ')}]`,
    count(own),
  ]);
  const widths = header.map((title, column) =>
    Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0), title.length),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 2 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ');
  const rule = '─'.repeat(widths.reduce((total, width) => total + width, 4));
  return [
    printable(model.constructor.name),
    rule,
    line(header),
    rule,
    ...rows.map(line),
    rule,
    `${count(parameters)} parameters${frozen > 0 ? `: ${count(trainable)} trainable, ${count(frozen)} frozen` : ''}`,
  ].join('\n');
}

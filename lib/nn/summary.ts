import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import type { Module } from './module.js';

/** One line of a summary. */
export interface SummaryLayer {
  /** Path in the model. */
  readonly name: string;
  /** Class of the layer. */
  readonly type: string;
  /** Without the batch axis. */
  readonly outputShape: Shape;
  /** Parameters of the layer's own. */
  readonly parameters: number;
}

/** What {@link Module.summary} returns. */
export interface Summary {
  /** In the order in which they are computed. */
  readonly layers: readonly SummaryLayer[];
  /** All parameters of the model. */
  readonly parameters: number;
  /** The table as it is printed. */
  readonly text: string;
}

/** @internal Records the output shape of every layer while `forward` runs: of modules without modules in them, and
 * of those that have parameters of their own. */
export function summarize(model: Module, forward: () => Tensor): Summary {
  const layers: SummaryLayer[] = [];
  const shown = model
    .namedModules()
    .filter(([, module]) => module.children().length === 0 || module.ownParameterCount > 0);
  for (const [name, module] of shown) {
    // For the time of this one run the instance's own `forward` stands before the class's.
    module.forward = (...inputs) => {
      const output = (Object.getPrototypeOf(module) as Module).forward.apply(module, inputs);
      layers.push({
        name,
        type: module.constructor.name,
        outputShape: output.shape.slice(1),
        parameters: module.ownParameterCount,
      });
      return output;
    };
  }
  try {
    forward();
  } finally {
    for (const [, module] of shown) Reflect.deleteProperty(module, 'forward');
  }
  const parameters = model.parameterCount;
  return { layers, parameters, text: table(model, layers, parameters) };
}

function table(model: Module, layers: readonly SummaryLayer[], parameters: number): string {
  const header = ['layer', 'output shape', 'parameters'];
  const rows = layers.map(({ name, type, outputShape, parameters: own }) => [
    name === '' ? type : `${name} (${type})`,
    `[${['N', ...outputShape].join(', ')}]`,
    own.toLocaleString('en-US'),
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
    model.constructor.name,
    rule,
    line(header),
    rule,
    ...rows.map(line),
    rule,
    `${parameters.toLocaleString('en-US')} parameters`,
  ].join('\n');
}

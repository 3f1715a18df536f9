import { type GraphNode, nextNodeId } from '../graph/node.js';
import { nodesBefore } from '../graph/nodes.js';
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
  /** Numbers beside them that are saved and not trained: running statistics. */
  readonly buffers: number;
  /** Products that are added up for one input: of matrix products and convolutions. */
  readonly multiplyAdds: number;
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
  /** Numbers beside the parameters that are saved and not trained: running statistics. Keras adds them to its total. */
  readonly buffers: number;
  /** Products that are added up for one input, in all layers and between them. */
  readonly multiplyAdds: number;
  /** The table as it is printed. */
  readonly text: string;
}

/** A call of a layer while the model is recorded. */
interface Use {
  readonly layer: Omit<SummaryLayer, 'multiplyAdds'>;
  /** Of the nodes that it made, the id of the first. */
  readonly from: number;
  /** The id of the first node behind them. */
  readonly to: number;
}

/** @internal Records every layer while `forward` runs: modules without modules in them, and those that have variables of
 * their own. */
export function summarize(model: Module, forward: () => Tensor): Summary {
  const uses: Use[] = [];
  const counted = new Set<Variable>();
  const shown = model
    .namedModules()
    .filter(([, module]) => module.children().length === 0 || module.ownVariables().length > 0)
    .map(([name, module]) => ({ name, module, own: Object.getOwnPropertyDescriptor(module, 'forward') }));
  for (const { name, module } of shown) {
    // For the time of this one run another `forward` stands before the module's.
    const inner = module.forward.bind(module);
    module.forward = (...inputs) => {
      const from = nextNodeId();
      const output = inner(...inputs);
      const fresh = module.ownVariables().flatMap(([, variable]) => (counted.has(variable) ? [] : variable));
      for (const variable of fresh) counted.add(variable);
      const layer = { name, type: module.constructor.name, outputShape: output.shape.slice(1), ...countsOf(fresh) };
      uses.push({ layer, from, to: nextNodeId() });
      return output;
    };
  }
  let output: Tensor;
  try {
    output = forward();
  } finally {
    for (const { module, own } of shown) {
      Reflect.deleteProperty(module, 'forward');
      if (own) Object.defineProperty(module, 'forward', own);
    }
  }
  const nodes = nodesBefore([output]).map((node) => ({ id: node.id, multiplyAdds: multiplyAddsOf(node) }));
  const { parameters, buffers } = countsOf(model.namedVariables().values());
  const { parameters: trainable } = countsOf(model.parameters().filter(({ isTrainable }) => isTrainable));
  const summary = {
    layers: layersOf(uses, nodes),
    ...{ parameters, trainable, frozen: parameters - trainable, buffers },
    multiplyAdds: nodes.reduce((total, node) => total + node.multiplyAdds, 0),
  };
  return { ...summary, text: table(model, summary) };
}

/** Numbers in parameters, and in other variables. */
function countsOf(variables: Iterable<Variable>): { parameters: number; buffers: number } {
  const counts = { parameters: 0, buffers: 0 };
  for (const variable of variables) counts[variable instanceof Parameter ? 'parameters' : 'buffers'] += variable.size;
  return counts;
}

function multiplyAddsOf({ operation, inputs, attributes }: GraphNode): number {
  return operation.cost?.({ inputs, attributes }).multiplyAdds ?? 0;
}

/** A node is counted in the innermost layer that made it: the first to be done with. */
function layersOf(
  uses: readonly Use[],
  nodes: readonly { readonly id: number; readonly multiplyAdds: number }[],
): SummaryLayer[] {
  const counts = uses.map(() => 0);
  for (const { id, multiplyAdds } of nodes) {
    const use = uses.findIndex(({ from, to }) => from <= id && id < to);
    if (use >= 0) counts[use] = (counts[use] ?? 0) + multiplyAdds;
  }
  return uses.map(({ layer }, i) => ({ ...layer, multiplyAdds: counts[i] ?? 0 }));
}

function table(
  model: Module,
  { layers, parameters, trainable, frozen, buffers, multiplyAdds }: Omit<Summary, 'text'>,
): string {
  const count = (numbers: number): string => numbers.toLocaleString('en-US');
  const header = ['layer', 'output shape', 'parameters', 'multiply-adds'];
  const rows = layers.map((layer) => [
    printable(layer.name === '' ? layer.type : `${layer.name} (${layer.type})`),
    `[${['N', ...layer.outputShape].join(', ')}]`,
    count(layer.parameters),
    count(layer.multiplyAdds),
  ]);
  const widths = header.map((title, column) =>
    Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0), title.length),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column >= 2 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ');
  const rule = '─'.repeat(widths.reduce((total, width) => total + width, 2 * (header.length - 1)));
  return [
    printable(model.summaryTitle),
    rule,
    line(header),
    rule,
    ...rows.map(line),
    rule,
    `${count(parameters)} parameters${frozen > 0 ? `: ${count(trainable)} trainable, ${count(frozen)} frozen` : ''}`,
    ...(buffers > 0 ? [`${count(buffers)} numbers that are saved and not trained (running statistics)`] : []),
    `${count(multiplyAdds)} multiply-adds for one input`,
  ].join('\n');
}

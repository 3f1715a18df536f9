import { type GraphNode, outputKey, storageOf } from './node.js';
import { sameShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import type { Variable } from '../variable.js';

/** Equal for tensors that stand for the same output of a node; empty for leaves, which are never rewritten. */
export function keyOf({ origin }: Tensor): string {
  return origin.kind === 'node' ? outputKey(origin.node, origin.index) : '';
}

/** Whether two tensors have the same shape and are the same leaf or the same output, perhaps reshaped. */
export function isSameTensor(a: Tensor | undefined, b: Tensor | undefined): boolean {
  if (!a || !b || !sameShape(a.shape, b.shape)) return false;
  const [first, second] = [storageOf(a), storageOf(b)];
  return first === second || (keyOf(first) !== '' && keyOf(first) === keyOf(second));
}

/** The variable that a node's output was found to live in: a chain of updates is walked once. */
const found = new WeakMap<GraphNode, Map<number, Variable>>();

/** The variable whose storage a tensor lives in, through reshapes and updates in place. */
export function variableOf(tensor: Tensor): Variable | undefined {
  const passed: { readonly node: GraphNode; readonly index: number }[] = [];
  let { origin } = storageOf(tensor);
  let variable: Variable | undefined;
  while (origin.kind === 'node') {
    const { node, index } = origin;
    const source = node.inputs[node.operation.writes?.[index] ?? -1];
    if (!source) break;
    variable = found.get(node)?.get(index);
    if (variable) break;
    passed.push(origin);
    ({ origin } = storageOf(source));
  }
  if (origin.kind === 'variable') ({ variable } = origin);
  if (!variable) return undefined;
  for (const { node, index } of passed) {
    found.set(node, (found.get(node) ?? new Map<number, Variable>()).set(index, variable));
  }
  return variable;
}

/** The variables that a node writes over. */
export function variablesWritten({ operation, inputs }: GraphNode): Set<Variable> {
  return variablesAmong((operation.writes ?? []).map((source) => inputs[source ?? -1]));
}

/** The variables that tensors live in. */
export function variablesAmong(tensors: readonly (Tensor | undefined)[]): Set<Variable> {
  return new Set(tensors.map((tensor) => tensor && variableOf(tensor)).filter((variable) => variable !== undefined));
}

import type { Tensor } from '../tensor.js';
import type { GraphNode } from './node.js';

/**
 * The nodes that `roots` depend on, in the order of their creation, which is a topological one.
 *
 * @param follow whether a node is one of them, and with it what it depends on; default: each is
 */
export function nodesBefore(roots: readonly Tensor[], follow: (node: GraphNode) => boolean = () => true): GraphNode[] {
  const seen = new Set<GraphNode>();
  const pending = roots.map((root) => root.origin);
  for (let origin = pending.pop(); origin; origin = pending.pop()) {
    if (origin.kind !== 'node' || seen.has(origin.node) || !follow(origin.node)) continue;
    seen.add(origin.node);
    for (const input of origin.node.inputs) pending.push(input.origin);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

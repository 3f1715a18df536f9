import { TraceError } from './errors.js';
import { Tensor } from './tensor.js';

/** What a traced function may give back: one tensor, some in an array or by name, or nothing. */
export type TensorTree = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>> | undefined | void;

/** @internal The tensors of a tree, in order. Throws TraceError for anything else in it. */
export function flattenTree(tree: TensorTree): Tensor[] {
  if (tree === undefined) return [];
  if (tree instanceof Tensor) return [tree];
  const given: unknown = tree;
  const parts: readonly unknown[] = typeof given === 'object' && given !== null ? Object.values(given) : [given];
  return parts.map((part) => {
    if (!(part instanceof Tensor)) {
      throw new TraceError('a traced function must return a tensor, an array or an object of tensors, or nothing');
    }
    return part;
  });
}

/** @internal A tree of the shape of `tree` with other tensors in it. */
export function rebuildTree<Out extends TensorTree>(tree: Out, tensors: readonly Tensor[]): Out;
export function rebuildTree(tree: TensorTree, tensors: readonly Tensor[]): TensorTree {
  if (tree === undefined) return undefined;
  if (tree instanceof Tensor) return tensors[0];
  if (Array.isArray(tree)) return tensors;
  const entries = Object.keys(tree).map((name, i) => [name, tensors[i]] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, Tensor] => entry[1] !== undefined));
}

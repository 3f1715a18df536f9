import { throughFloat16 } from '../ops/pointwise/float16.js';
import { callback, checkArgument } from '../options.js';
import type { Tensor } from '../tensor.js';
import { flattenTree, rebuildTree, type TensorTree } from '../tree.js';
import { type Autocast, inAutocast, outputKey } from './node.js';

/**
 * What `fn` gives, with activations stored as 16-bit floats (mixed precision, Micikevicius et al. 2018; PyTorch:
 * `torch.autocast`; Keras: the policy `mixed_float16`):
 *
 *     const output = autocast(() => model.forward(input));
 *     optimizer.minimize(softmaxCrossEntropy(output, classes), model.parameters(), { scalesLoss: true });
 *
 * Each value of two axes or more that an operation computes is rounded to the nearest 16-bit float, 11 binary digits from
 * 2^-14 to 65504, and so is the gradient with respect to it: of what a training step keeps, and of what it moves, that is
 * half the bytes on WebGPU. All arithmetic is that of float32, and so are parameters and their gradients, sums and
 * statistics, the results of `fn`, and what is computed outside of it, such as a loss. On the CPU the same numbers are
 * rounded, and nothing is saved.
 *
 * Gradients below 2^-25 become 0, and those from 65520 on infinity: `scalesLoss` of an optimizer keeps them in between. Throws
 * OptionError for what is no function.
 */
export function autocast<Out extends TensorTree>(fn: () => Out): Out {
  checkArgument('autocast', 'what it is given', fn, callback);
  const computed = new Map<string, Tensor>();
  const stored = (value: Tensor): Tensor => {
    const seen = throughFloat16(value);
    if (seen.origin.kind === 'node') computed.set(outputKey(seen.origin.node, seen.origin.index), value);
    return seen;
  };
  const own: Autocast = { stored, known: new Map() };
  const result = inAutocast(own, fn);
  const results = flattenTree(result).map((seen) => {
    const { origin } = seen;
    return (origin.kind === 'node' ? computed.get(outputKey(origin.node, origin.index)) : undefined) ?? seen;
  });
  return rebuildTree(result, results);
}

import { applyOne } from '../../graph/node.js';
import { defineOperation } from '../../graph/operation.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import type { NoAttributes } from '../pointwise/binary.js';

export const stopGradientOperation = defineOperation<NoAttributes>({
  name: 'stopGradient',
  infer: ([input]) => (input ? [{ shape: input.shape, dtype: input.dtype }] : []),
  reference() {
    // An alias: the output is the input's storage.
  },
  kernel: () => [],
  alias: true,
  takesFloat16: true,
  takesBytes: true,
  gradient: { none: 'it ends gradients' },
  tolerance: { absolute: 0, relative: 0 },
  cases: [[], [0], [3, 5]].map((shape) => ({ inputs: [{ shape }], attributes: {} })),
});

/**
 * The same numbers, as if they were given: a gradient goes no further back than here (JAX: `stop_gradient`; PyTorch:
 * `detach`). For targets that a model computes itself, and for parts of it that are not to be trained.
 *
 *     meanSquaredError(online.forward(x), stopGradient(target.forward(x)));
 */
export function stopGradient(input: TensorLike): Tensor {
  return applyOne(stopGradientOperation, [asTensor(input)], {});
}

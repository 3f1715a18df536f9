import { defineOperation } from '../../graph/define.js';
import { applyOne } from '../../graph/node.js';
import { like, stored } from '../../graph/operands.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';

export const stopGradientOperation = defineOperation()({
  name: 'stopGradient',
  inputs: { input: stored('...') },
  outputs: { output: like('input', '...') },
  reference() {
    // An alias: the output is the input's storage.
  },
  kernel: () => [],
  alias: true,
  gradient: { none: 'it ends gradients' },
  tolerance: { absolute: 0, relative: 0 },
  cases: [[], [0], [3, 5]].map((shape) => ({ inputs: { input: { shape } }, attributes: {} })),
});

/**
 * The same numbers, as if they were given: a gradient goes no further back than here (JAX: `stop_gradient`; PyTorch:
 * `detach`). For targets that a model computes itself, and for parts of it that are not to be trained.
 *
 *     meanSquaredError(online.forward(x), stopGradient(target.forward(x)));
 */
export function stopGradient(input: TensorLike): Tensor {
  return applyOne(stopGradientOperation, [asTensor('stopGradient', 'input', input)], {});
}

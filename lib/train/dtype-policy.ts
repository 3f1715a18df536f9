import { autocast } from '../graph/autocast.js';
import { LossScale, type LossScaleOptions } from '../optim/loss-scale.js';
import type { Tensor } from '../tensor.js';

/** How a training stores what it computes; see {@link mixedFloat16}. */
export interface DTypePolicy {
  /** Runs the forward pass of a step. */
  readonly forward: (run: () => Tensor) => Tensor;
  /** What the loss is multiplied by. */
  readonly lossScale: LossScale;
}

/**
 * Mixed precision for the option `dtypePolicy` of `fit` (Keras: the policy `mixed_float16`; PyTorch: `autocast` and
 * `GradScaler`): activations and their gradients are stored as 16-bit floats ({@link autocast}), the loss is scaled so that
 * they stay above 2^-24 and below 65504 ({@link LossScale}). Arithmetic, parameters and their gradients, statistics and the
 * loss stay f32. On WebGPU a step takes about half the memory, and moves half the bytes; on the CPU it saves nothing.
 *
 * The loss scale is the training's own: give the same value to a `fit` that goes on with another one's optimizer. Throws OptionError
 * for bad options.
 */
export function mixedFloat16(options: LossScaleOptions = {}): DTypePolicy {
  return { forward: autocast, lossScale: new LossScale(options) };
}

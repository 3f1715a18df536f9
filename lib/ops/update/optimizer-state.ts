import { ShapeError } from '../../errors.js';
import { learningRateWgsl } from '../../generated/wgsl.js';
import { Uniforms } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { defineOperation, type NumericArray } from '../../graph/operation.js';
import { sizeOf } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import type { NoAttributes } from '../pointwise/binary.js';

/**
 * The state of an optimizer on the device (u32): the step, then the bits of its learning rates, of which the step s
 * uses number s mod n. One tensor for both, so that an update binds one buffer less.
 */
export function optimizerState(step: number, rates: Float32Array): Uint32Array {
  return Uint32Array.of(step, ...new Uint32Array(rates.buffer, rates.byteOffset, rates.length));
}

/** Which word of the state is the step. */
export const STEP_WORD = 0;

/** Step and learning rate of an {@link optimizerState}. */
export function readOptimizerState(state: NumericArray): { readonly step: number; readonly learningRate: number } {
  const step = state[STEP_WORD] ?? 0;
  const bits = state[1 + (step % (state.length - 1))] ?? 0;
  return { step, learningRate: new Float32Array(Uint32Array.of(bits).buffer)[0] ?? NaN };
}

/** The learning rate of an {@link optimizerState}, as a scalar for updates that are written with operations. */
export const learningRateOperation = defineOperation<NoAttributes>({
  name: 'learningRate',
  infer([state]) {
    if (state?.dtype !== 'u32')
      throw new ShapeError(`learningRate: the state must be u32, found ${state?.dtype ?? ''}`);
    return [{ shape: [], dtype: 'f32' }];
  },
  reference({ inputs: [state], outputs: [rate] }) {
    if (state && rate) rate.data[0] = readOptimizerState(state.data).learningRate;
  },
  kernel: ({ inputs: [state] }) => [
    {
      kernel: { name: 'learningRate', code: learningRateWgsl, entryPoint: 'learningRate' },
      bindings: [{ input: 0 }, { output: 0 }],
      uniforms: new Uniforms().u32(sizeOf(state?.shape ?? []) - 1).bytes(),
      workgroups: [1, 1, 1],
    },
  ],
  gradient: { none: 'it is state' },
  tolerance: { absolute: 0, relative: 0 },
  cases: [2, 5].map((length) => ({
    inputs: [{ shape: [length], dtype: 'u32', fill: { step: 6 } }],
    attributes: {},
  })),
});

export function learningRateOf(state: Tensor): Tensor {
  return applyOne(learningRateOperation, [state], {});
}

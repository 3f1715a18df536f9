import { defineOperation } from '../../graph/define.js';
import { applyOne } from '../../graph/node.js';
import { any } from '../../graph/operands.js';
import { type DType, isFloat, type NumericArray } from '../../graph/operation.js';
import { checkArgument, checkOptions, oneOf } from '../../options.js';
import type { Shape } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { checkNoScale, scaleBytes, scaleRule } from '../moving/bytes.js';
import { castLaunch, float16Of, readFloat16 } from './float16.js';

/** The element types that {@link cast} makes. */
export type NumberType = Exclude<DType, 'u8'>;

type CastAttributes = { readonly from: NumberType; readonly to: NumberType };

const castOperation = defineOperation<CastAttributes>()({
  name: 'cast',
  inputs: { input: any('f32', 'f16', 'i32', 'u32')('...') },
  outputs: { output: any('f32', 'f16', 'i32', 'u32')('...') },
  types: ({ to }) => ({ output: to }),
  reference({ input, output }, _, { from, to }) {
    const convert = conversion(from, to, output.data);
    for (let i = 0; i < output.size; i++) output.set(i, convert(input.at(i)));
  },
  kernel: ({ specs: { input }, attributes: { from, to } }) => [
    { ...castLaunch(input.shape, from, to), bindings: ['input', 'output'] },
  ],
  // Gradients are f32 whatever they are of; rounding is taken for the identity, as PyTorch does.
  gradient: ({ outputGradients: { output }, attributes: { from, to } }) => ({
    input: isFloat(from) && isFloat(to) ? output : undefined,
  }),
  tolerance: { absolute: 0, relative: 1.2e-7 }, // integers above 2^24 may become either of the f32 beside them
  cases: [
    ...[[], [0], [1], [7], [3, 65], [127], [128], [129], [257]].map((shape) => floats(shape, 'f32', 'f16')),
    integers('i32', 'f32'),
    integers('u32', 'f32'),
    integers('i32', 'f16'),
    integers('i32', 'u32'),
    floats([65], 'f32', 'i32'),
    floats([65], 'f32', 'u32'),
    floats([65], 'f16', 'i32'),
  ],
  benchmarks: { vector: floats([2 ** 20], 'f32', 'f16') },
});

/** What becomes of a number, before it is stored in an array of the type, which rounds to f32 and wraps integers. */
function conversion(from: NumberType, to: NumberType, array: NumericArray): (value: number) => number {
  if (to === 'f16') return float16Of(array);
  if (isFloat(to) || !isFloat(from)) return (value) => value;
  const [least, most] = to === 'i32' ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1];
  return (value) => (Number.isNaN(value) ? 0 : Math.min(Math.max(Math.trunc(value), least), most));
}

function floats(shape: Shape, from: NumberType, to: NumberType) {
  return { inputs: { input: { shape, dtype: from } }, attributes: { from, to } };
}

function integers(from: 'i32' | 'u32', to: NumberType) {
  return { inputs: { input: { shape: [65], dtype: from, fill: { below: 2 ** 26 } } }, attributes: { from, to } };
}

/** Options of {@link cast}. */
export interface CastOptions {
  /** Of bytes (u8): what they are multiplied by where they are read. Default 1. */
  readonly scale?: number;
}

/**
 * The same numbers in another element type (PyTorch: `x.to`, Keras: `cast`); the tensor itself where it has the type.
 *
 * - To `f16` numbers are rounded to the nearest 16-bit float, of two equally near ones to the even one; from 65520 on that
 *   is infinity. To `f32` integers above 2^24 are rounded.
 * - Floats become integers by leaving out what is behind the point; those beyond the type's limits become the limit, NaN
 *   becomes 0. Between `i32` and `u32` the bits stay.
 *
 * - Bytes (`u8`) become numbers, times the option `scale`: those of a picture, 0 to 255, become 0 to 1 by 1 / 255. The
 *   product is rounded once, the same on all devices for such scales (kernels/moving/bytes.wgsl says where it may differ in
 *   the last place). Nothing becomes bytes.
 *
 * From float to float the gradient is passed on as it is, in f32; it stops at integers.
 *
 * `f16` and `u8` are types of storage: `matmul` and `linear` compute with `f16`, `gather` reads rows of `u8`; everything
 * else refuses them. Throws OptionError for another type, and for a scale of what is not bytes.
 */
export function cast(input: TensorLike, dtype: NumberType, options: CastOptions = {}): Tensor {
  checkArgument('cast', 'dtype', dtype, oneOf('f32', 'f16', 'i32', 'u32'));
  checkOptions('cast', options, { scale: scaleRule });
  const value = asTensor('cast', 'input', input);
  const { dtype: from } = value;
  if (from === 'u8') return cast(applyOne(scaleBytes, [value], { scale: options.scale ?? 1 }), dtype);
  checkNoScale('cast', from, options.scale);
  if (from === 'f16' && dtype === 'f32') return applyOne(readFloat16, [value], {});
  return from === dtype ? value : applyOne(castOperation, [value], { from, to: dtype });
}

export const castOperations = [castOperation];

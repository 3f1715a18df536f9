import { roundToFloat16 } from '../../float16.js';
import { unaryWasm } from '../../generated/wasm.js';
import { castWgsl, commonWgsl, float16Wgsl } from '../../generated/wgsl.js';
import { defineOperation } from '../../graph/define.js';
import type { NoAttributes } from '../../graph/definition.js';
import { ceilDivide, foldWorkgroups, type Launch, Uniforms } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { any, f32 } from '../../graph/operands.js';
import type { DType, NumericArray, Operation } from '../../graph/operation.js';
import { type Shape, sizeOf } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { elementwiseHost } from './elementwise.js';

/** Numbers of the types in kernels/pointwise/cast.wgsl. */
const CODES = { f32: 0, f16: 1, i32: 2, u32: 3 };

/** The launch of kernels/pointwise/cast.wgsl. */
export function castLaunch(shape: Shape, from: keyof typeof CODES, to: keyof typeof CODES): Omit<Launch, 'bindings'> {
  const count = sizeOf(shape);
  return {
    kernel: { name: `cast ${from} ${to}`, code: commonWgsl + float16Wgsl + castWgsl, entryPoint: 'castElements' },
    constants: { FROM: CODES[from], TO: CODES[to] },
    uniforms: new Uniforms().u32(count).bytes(),
    workgroups: foldWorkgroups(ceilDivide(count, 128)),
  };
}

/** What becomes of a number that is stored as a 16-bit float in such an array. */
export function float16Of({ BYTES_PER_ELEMENT }: NumericArray): (value: number) => number {
  // Storage in float64 rounds nothing: finite differences need numbers between the 16-bit floats.
  return BYTES_PER_ELEMENT < 8 ? roundToFloat16 : (value) => value;
}

const SHAPES: readonly Shape[] = [[], [0], [1], [7], [3, 65], [127], [128], [129], [257]];

/** Numbers as 16-bit floats, and so is their gradient: what `autocast` stores. */
const storeFloat16: Operation<NoAttributes> = defineOperation()({
  name: 'storeFloat16',
  inputs: { input: f32('...') },
  outputs: { output: any('f16')('...') },
  reference({ input, output }) {
    const convert = float16Of(output.data);
    for (let i = 0; i < output.size; i++) output.set(i, convert(input.at(i)));
  },
  ...elementwiseHost(() => storeFloat16, 0),
  stage: () => ({
    wgsl: { sources: [float16Wgsl], call: 'nearestFloat16', on: 'number' },
    simd: { module: unaryWasm, entryPoint: 'nearestFloat16', settings: [0, 0] },
    stores: 'f16',
  }),
  gradient: ({ outputGradients: { output } }) => ({ input: throughFloat16(output) }),
  // One place of a 16-bit float: what is computed before may be on the other side of the middle between two.
  tolerance: { absolute: 2 ** -24, relative: 2 ** -10 },
  cases: SHAPES.map((shape) => caseOf(shape, 'f32')),
  benchmarks: { vector: caseOf([2 ** 20], 'f32') },
});

/** 16-bit floats as numbers: nothing is computed by kernels that can read them as they are. */
export const readFloat16: Operation<NoAttributes> = defineOperation()({
  name: 'readFloat16',
  widens: true,
  inputs: { input: any('f16')('...') },
  outputs: { output: f32('...') },
  reference({ input, output }) {
    output.data.set(input.data);
  },
  kernel: ({ specs: { input } }) => [{ ...castLaunch(input.shape, 'f16', 'f32'), bindings: ['input', 'output'] }],
  gradient: ({ outputGradients: { output } }) => ({ input: output }),
  tolerance: { absolute: 0, relative: 0 },
  cases: SHAPES.map((shape) => caseOf(shape, 'f16')),
  benchmarks: { vector: caseOf([2 ** 20], 'f16') },
});

function caseOf(shape: Shape, dtype: DType) {
  return { inputs: { input: { shape, dtype } }, attributes: {} };
}

/** Numbers that are stored as 16-bit floats in between, as their gradient is. */
export function throughFloat16(value: Tensor): Tensor {
  return applyOne(readFloat16, [applyOne(storeFloat16, [value], {})], {});
}

export const float16Operations = [storeFloat16, readFloat16];

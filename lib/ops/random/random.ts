import { randomWasm } from '../../generated/wasm.js';
import { commonWgsl, philoxWgsl, randomWgsl } from '../../generated/wgsl.js';
import type { Generator } from '../../generator.js';
import { ceilDivide, fillBlock, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { defineOperation } from '../../graph/operation.js';
import { boxMuller, drawBits, streamOf, unitFloat } from '../../random.js';
import { checkShape, type Shape, sizeOf } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { elementParts } from '../simd-parts.js';

type Distribution = 'bits' | 'uniform' | 'normal';
type RandomAttributes = {
  readonly distribution: string;
  readonly shape: Shape;
  readonly stream: number;
  readonly use: number;
};

/** The block `function` of kernels/random/random.wgsl for each distribution. */
const WGSL: Readonly<Record<string, string>> = {
  bits: '  return bits;',
  uniform:
    '  return bitcast<vec4u>(vec4f(unitFloat(bits.x), unitFloat(bits.y), unitFloat(bits.z), unitFloat(bits.w)));',
  normal:
    '  return bitcast<vec4u>(vec4f(boxMuller(unitFloat(bits.x), unitFloat(bits.y)), boxMuller(unitFloat(bits.z), unitFloat(bits.w))));',
};

const randomOperation = defineOperation<RandomAttributes>({
  name: 'random',
  infer: (_inputs, { shape, distribution }) => [{ shape, dtype: distribution === 'bits' ? 'u32' : 'f32' }],
  reference({ inputs: [state], outputs: [output], attributes: { distribution, stream, use } }) {
    if (!state || !output) return;
    const count = output.data.length;
    const bits = drawBits(state.data, stream, use, ceilDivide(count, 2) * 2);
    for (let i = 0; i < count; i++) {
      if (distribution === 'normal') {
        const pair = i - (i % 2);
        output.data[i] = boxMuller(unitFloat(bits[pair] ?? 0), unitFloat(bits[pair + 1] ?? 0))[i % 2] ?? 0;
      } else {
        output.data[i] = distribution === 'uniform' ? unitFloat(bits[i] ?? 0) : (bits[i] ?? 0);
      }
    }
  },
  kernel({ attributes: { distribution, shape, stream, use } }) {
    const quads = ceilDivide(sizeOf(shape), 4);
    return [
      {
        kernel: {
          name: `random ${distribution}`,
          code: commonWgsl + philoxWgsl + fillBlock(randomWgsl, 'function', WGSL[distribution] ?? ''),
          entryPoint: 'random',
        },
        bindings: [{ input: 0 }, { output: 0 }],
        uniforms: new Uniforms().u32(quads, stream, use).bytes(),
        workgroups: foldWorkgroups(ceilDivide(quads, 64)),
      },
    ];
  },
  simd({ attributes: { distribution, shape, stream, use } }) {
    if (distribution === 'normal') return undefined; // cos and sin are not written
    const kernel = { module: randomWasm, entryPoint: distribution };
    const drawn = [{ input: 0 }, stream, use, { scratch: true as const }];
    const tasks = elementParts(sizeOf(shape)).map(({ start, count }) => [
      { kernel, arguments: [{ output: 0, offset: 4 * start }, start, count, ...drawn] },
    ]);
    return [{ tasks, scratchBytes: 64 }];
  },
  gradient: { none: 'random numbers do not depend on anything' },
  // normal: WGSL promises cos and sin to an absolute 2^-11, and the radius is at most sqrt(-2 ln 2^-24) = 5.8
  tolerance: { absolute: 3e-3, relative: 0 },
  cases: [[1], [7], [256], [3, 65]].flatMap((shape) =>
    ['bits', 'uniform', 'normal'].map((distribution) => ({
      inputs: [{ shape: [4], fill: 'state' as const }],
      attributes: { distribution, shape, stream: streamOf('random'), use: 0 },
    })),
  ),
});

function draw(distribution: Distribution, shape: Shape, generator: Generator, stream: string): Tensor {
  checkShape('random', shape);
  const { state, use } = generator.draw(stream);
  return applyOne(randomOperation, [state], { distribution, shape, stream: streamOf(stream), use });
}

/** 32 random bits an element (u32), the same on every device. Inside a traced function. */
export function randomBits(shape: Shape, generator: Generator, stream = 'bits'): Tensor {
  return draw('bits', shape, generator, stream);
}

/** Numbers uniform in [0, 1), with 24 bits, the same on every device. Inside a traced function. */
export function randomUniform(shape: Shape, generator: Generator, stream = 'uniform'): Tensor {
  return draw('uniform', shape, generator, stream);
}

/** Normal numbers, mean 0, variance 1; devices differ in the last places. Inside a traced function. */
export function randomNormal(shape: Shape, generator: Generator, stream = 'normal'): Tensor {
  return draw('normal', shape, generator, stream);
}

export const randomOperations = [randomOperation];

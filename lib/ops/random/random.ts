import { elementAt } from '../../element-at.js';
import { randomWasm } from '../../generated/wasm.js';
import { commonWgsl, philoxWgsl, randomWgsl } from '../../generated/wgsl.js';
import { Generator } from '../../generator.js';
import { at, defineOperation } from '../../graph/define.js';
import { ceilDivide, fillBlock, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { applyOne } from '../../graph/node.js';
import { any, u32 } from '../../graph/operands.js';
import { checkArgument, instanceOf, list, text } from '../../options.js';
import { boxMuller, drawBits, streamOf, unitFloat } from '../../random.js';
import { checkShape, type Shape, sizeOf } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { elementParts } from '../simd-parts.js';

type Distribution = 'bits' | 'uniform' | 'normal';
type RandomAttributes = {
  readonly shape: Shape;
  readonly stream: number;
  readonly use: number;
};

/** The block `function` of kernels/random/random.wgsl for each distribution. */
const WGSL: Readonly<Record<Distribution, string>> = {
  bits: '  return bits;',
  uniform:
    '  return bitcast<vec4u>(vec4f(unitFloat(bits.x), unitFloat(bits.y), unitFloat(bits.z), unitFloat(bits.w)));',
  normal:
    '  return bitcast<vec4u>(vec4f(boxMuller(unitFloat(bits.x), unitFloat(bits.y)), boxMuller(unitFloat(bits.z), unitFloat(bits.w))));',
};

/** The operation of a distribution. */
function defineRandom(name: string, distribution: Distribution) {
  return defineOperation<RandomAttributes>()({
    name,
    inputs: { state: u32(4) },
    outputs: { output: any(distribution === 'bits' ? 'u32' : 'f32')('...') },
    infer: ({ attributes: { shape } }) => ({ output: shape }),
    reference({ state, output }, _, { stream, use }) {
      const bits = drawBits(state.data, stream, use, ceilDivide(output.size, 2) * 2);
      for (let i = 0; i < output.size; i++) {
        const [first, second] = [elementAt(bits, i - (i % 2)), elementAt(bits, i - (i % 2) + 1)];
        const own = elementAt(bits, i);
        if (distribution === 'bits') output.set(i, own);
        else if (distribution === 'uniform') output.set(i, unitFloat(own));
        else output.set(i, boxMuller(unitFloat(first), unitFloat(second))[i % 2 === 0 ? 0 : 1]);
      }
    },
    kernel({ attributes: { shape, stream, use } }) {
      const quads = ceilDivide(sizeOf(shape), 4);
      return [
        {
          kernel: {
            name,
            code: commonWgsl + philoxWgsl + fillBlock(randomWgsl, 'function', WGSL[distribution]),
            entryPoint: 'random',
          },
          bindings: ['state', 'output'],
          uniforms: new Uniforms().u32(quads, stream, use).bytes(),
          workgroups: foldWorkgroups(ceilDivide(quads, 64)),
        },
      ];
    },
    simd({ attributes: { shape, stream, use } }) {
      if (distribution === 'normal') return undefined; // cos and sin are not written
      const kernel = { module: randomWasm, entryPoint: distribution };
      const tasks = elementParts(sizeOf(shape)).map(({ start, count }) => [
        {
          kernel,
          arguments: [at('output', 4 * start), start, count, 'state', stream, use, { scratch: true }] as const,
        },
      ]);
      return [{ tasks, scratchBytes: 64 }];
    },
    gradient: { none: 'random numbers do not depend on anything' },
    // normal: WGSL promises cos and sin to an absolute 2^-11, and the radius is at most sqrt(-2 ln 2^-24) = 5.8
    tolerance: { absolute: distribution === 'normal' ? 3e-3 : 0, relative: 0 },
    cases: [[1], [7], [256], [3, 65]].map(caseOf),
    cost: () => ({ flop: 0 }), // arithmetic of integers
    benchmarks: { vector: caseOf([2 ** 20]) },
  });
}

function caseOf(shape: Shape) {
  return {
    inputs: { state: { shape: [4], dtype: 'u32' as const, fill: 'state' as const } },
    attributes: { shape, stream: streamOf('random'), use: 0 },
  };
}

const operations = {
  bits: defineRandom('randomBits', 'bits'),
  uniform: defineRandom('randomUniform', 'uniform'),
  normal: defineRandom('randomNormal', 'normal'),
};

function draw(distribution: Distribution, shape: Shape, generator: Generator, stream: string): Tensor {
  const { name } = operations[distribution];
  checkArgument(name, 'the shape', shape, list);
  checkShape(name, shape);
  checkArgument(name, 'the generator', generator, instanceOf(Generator, 'a Generator'));
  checkArgument(name, 'the stream', stream, text);
  const { state, use } = generator.draw(stream);
  return applyOne(operations[distribution], [state], { shape, stream: streamOf(stream), use });
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

export const randomOperations = Object.values(operations);

import { elementAt } from '../../element-at.js';
import { dropoutWasm } from '../../generated/wasm.js';
import { dropoutWgsl, philoxWgsl } from '../../generated/wgsl.js';
import { Generator } from '../../generator.js';
import { defineOperation } from '../../graph/define.js';
import { applyOne } from '../../graph/node.js';
import { bind, f32, u32 } from '../../graph/operands.js';
import type { Operation } from '../../graph/operation.js';
import {
  anything,
  checkArgument,
  checkOptions,
  instanceOf,
  number,
  type OptionRules,
  required,
  text,
} from '../../options.js';
import { drawBits, streamOf } from '../../random.js';
import type { Shape } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { multiply } from '../pointwise/arithmetic.js';
import { elementwiseHost } from '../pointwise/elementwise.js';

type DropoutAttributes = { readonly probability: number; readonly stream: number; readonly use: number };

/** 24-bit numbers below this are dropped: compared as integers, so that every device keeps the same elements. */
const thresholdOf = (probability: number): number => Math.round(probability * 2 ** 24);
const scaleOf = (probability: number): number => (probability === 1 ? 0 : 1 / (1 - probability));

/**
 * output[i] = keep(i) ? input[i] / (1 - p) : 0, keep drawn by Philox from (state, stream, use, i).
 * The gradient is the same operation on dOutput: the mask is drawn again, never stored.
 */
const dropoutOperation: Operation<DropoutAttributes> = defineOperation<DropoutAttributes>()({
  name: 'dropout',
  inputs: { input: f32('...'), state: u32(4) },
  outputs: { output: f32('...') },
  reference({ input, state, output }, _, { probability, stream, use }) {
    const bits = drawBits(state.data, stream, use, input.size);
    const threshold = thresholdOf(probability);
    const scale = scaleOf(probability);
    for (let i = 0; i < input.size; i++) {
      output.set(i, elementAt(bits, i) >>> 8 >= threshold ? input.at(i) * scale : 0);
    }
  },
  ...elementwiseHost(() => dropoutOperation, 0),
  gradient: ({ inputs: { state }, outputGradients: { output }, attributes }) => ({
    input: applyOne(dropoutOperation, [output, state], attributes),
  }),
  stage: ({ position, attributes: { probability, stream, use } }) => {
    const [threshold, scale] = [thresholdOf(probability), scaleOf(probability)];
    return position === 0
      ? {
          wgsl: {
            sources: [philoxWgsl, dropoutWgsl],
            call: 'dropOut',
            on: 'Element',
            prepare: { call: 'generatorAt', type: 'vec3u' },
          },
          simd: {
            module: dropoutWasm,
            entryPoint: 'dropout',
            settings: [stream, use, threshold, scale],
            scratchBytes: 80,
          },
          words: { input: 1, from: 0, count: 3 },
          settings: { stream: { u32: stream }, use: { u32: use }, threshold: { u32: threshold }, scale },
          takesIndex: true,
          keepsInput: true,
        }
      : undefined;
  },
  tolerance: { absolute: 0, relative: 1e-6 },
  cases: [[7], [32, 200], [1], [0], [257]].flatMap((shape) =>
    [0.5, 0.2, 0.9].map((probability) => caseOf(shape, probability)),
  ),
  benchmarks: { mynetHidden: caseOf([32, 200], 0.5), vector: caseOf([2 ** 20], 0.5) },
});

function caseOf(shape: Shape, probability: number) {
  return {
    inputs: { input: { shape }, state: { shape: [4], dtype: 'u32' as const, fill: 'state' as const } },
    attributes: { probability, stream: streamOf('dropout'), use: 0 },
  };
}

/** Options of {@link dropout}. */
export type DropoutOptions = {
  /** Of dropping an element, in [0, 1]. */
  readonly probability: number;
} & (
  | {
      /** Where the mask is drawn from. */
      readonly generator: Generator;
      /** Draws of different streams are independent. Default `dropout`. */
      readonly stream?: string;
    }
  | {
      /** A mask of one's own: 1 where an element is kept, 0 where it is dropped, in the shape of the input. */
      readonly mask: TensorLike;
    }
);

/** Either way of {@link DropoutOptions}. */
interface DrawnOrGiven {
  readonly probability: number;
  readonly generator?: Generator;
  readonly stream?: string;
  readonly mask?: TensorLike;
}

const isGenerator = instanceOf(Generator, 'a Generator');

const RULES: OptionRules<DrawnOrGiven> = {
  probability: required(number({ min: 0, max: 1 })),
  generator: isGenerator,
  stream: text,
  mask: anything,
};

/**
 * Sets each element to 0 with the given probability p and scales what is kept by 1 / (1 - p) (inverted dropout,
 * Srivastava et al. 2014), so that nothing has to be scaled in evaluation. Always active: the layer
 * {@link Dropout} is the one that knows of training and evaluation.
 *
 * Throws OptionError for a probability outside of [0, 1].
 */
export function dropout(input: TensorLike, options: DropoutOptions): Tensor {
  const value = asTensor('dropout', 'input', input);
  checkOptions<DrawnOrGiven>('dropout', options, RULES);
  const { probability } = options;
  bind('dropout', { input: f32('...') }, [value]); // before anything is drawn
  if ('mask' in options) return multiply(multiply(value, options.mask), scaleOf(probability));
  checkArgument('dropout', 'generator', options.generator, isGenerator);
  if (probability === 0) return value;
  const stream = options.stream ?? 'dropout';
  const { state, use } = options.generator.draw(stream);
  return applyOne(dropoutOperation, [value, state], { probability, stream: streamOf(stream), use });
}

export const dropoutOperations = [dropoutOperation];

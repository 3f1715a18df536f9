import { checkArgument, checkOptions, number, oneOf, refuseOptions } from '../options.js';
import { allocate } from '../allocate.js';
import type { RandomStream } from '../random.js';
import { type Shape, sizeOf } from '../shape.js';

/** Numbers of inputs and outputs that one weight of a layer connects. */
export interface Fans {
  /** Inputs of one output. */
  readonly fanIn: number;
  /** Outputs of one input. */
  readonly fanOut: number;
}

/** Fans of a weight [out, in, ...window], as PyTorch counts them; of a vector or scalar, its size for both. */
export function fansOf(shape: Shape): Fans {
  const [out = 1, into = out, ...window] = shape;
  return { fanIn: into * sizeOf(window), fanOut: out * sizeOf(window) };
}

/** Makes the initial values of a parameter, drawing from a stream that is the parameter's own. */
export type Initializer = (shape: Shape, fans: Fans, random: RandomStream) => Float32Array;

/**
 * Uniform in ±gain · √(3 / fanIn), gain = √(2 / (1 + a²)) (He et al. 2015). With the default a = √5 that is ±1/√fanIn:
 * what PyTorch's Linear does for its weight and, with the weight's fan-in, for its bias. With a = 0 it is Keras's
 * `he_uniform`.
 */
export function kaimingUniform(options: { readonly a?: number } = {}): Initializer {
  checkOptions('kaimingUniform', options, { a: number() });
  const { a = Math.sqrt(5) } = options;
  return (shape, { fanIn }, random) => {
    const bound = Math.sqrt(2 / (1 + a * a)) * Math.sqrt(3 / Math.max(1, fanIn));
    return random.uniform(sizeOf(shape), -bound, bound);
  };
}

/**
 * Normal with standard deviation √(2 / fan), for layers before a ReLU (He et al. 2015; PyTorch: `kaiming_normal_`). The fan
 * is by default `fanIn`, which keeps the size of activations; with `fanOut`, which keeps that of gradients, it is what
 * torchvision's nets have in their convolutions.
 */
export function heNormal(options: { readonly fan?: keyof Fans } = {}): Initializer {
  checkOptions('heNormal', options, { fan: oneOf('fanIn', 'fanOut') });
  const { fan = 'fanIn' } = options;
  return (shape, fans, random) => random.normal(sizeOf(shape), 0, Math.sqrt(2 / Math.max(1, fans[fan])));
}

/** Uniform in ±√(6 / (fanIn + fanOut)) (Glorot & Bengio 2010): what Keras's Dense does for its weight. */
export function glorotUniform(...unexpected: readonly never[]): Initializer {
  refuseOptions('glorotUniform', unexpected);
  return (shape, { fanIn, fanOut }, random) => {
    const bound = Math.sqrt(6 / Math.max(1, fanIn + fanOut));
    return random.uniform(sizeOf(shape), -bound, bound);
  };
}

/** The same number everywhere. */
export function constant(value: number): Initializer {
  checkArgument('constant', 'value', value, number());
  return (shape) => allocate(Float32Array, sizeOf(shape), 'constant').fill(value);
}

/** 0 everywhere: what Keras's Dense does for its bias. */
export function zeros(...unexpected: readonly never[]): Initializer {
  refuseOptions('zeros', unexpected);
  return constant(0);
}

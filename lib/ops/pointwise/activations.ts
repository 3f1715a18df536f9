import { checkOptions, number, oneOf } from '../../options.js';
import type { Tensor, TensorLike } from '../../tensor.js';
import { applyUnary, defineUnary } from './unary.js';

const exact = { absolute: 0, relative: 1e-6 };

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));
const clip = (x: number, low: number, high: number): number => (x < low ? low : x > high ? high : x);

const reluOperations = defineUnary({
  name: 'relu',
  wgsl: 'relu',
  formula: (x) => (x < 0 ? 0 : x),
  derivative: (x) => (x > 0 ? 1 : 0),
  derivativeAtOutput: true,
  tolerance: exact,
  benchmarks: { mynetHidden: [32, 200] },
});
const relu6Operations = defineUnary({
  name: 'relu6',
  wgsl: 'relu6',
  formula: (x) => clip(x, 0, 6),
  derivative: (x) => (x > 0 && x < 6 ? 1 : 0),
  derivativeAtOutput: true,
  tolerance: exact,
});
const leakyReluOperations = defineUnary({
  name: 'leakyRelu',
  wgsl: 'leakyRelu',
  formula: (x, slope) => (x < 0 ? slope * x : x),
  derivative: (x, slope) => (x > 0 ? 1 : slope),
  parameterNames: ['slope'],
  parameters: [[0.01], [0.2]],
  tolerance: exact,
});
const eluOperations = defineUnary({
  name: 'elu',
  wgsl: 'elu',
  formula: (x, alpha) => (x > 0 ? x : alpha * Math.expm1(x)),
  derivative: (x, alpha) => (x > 0 ? 1 : alpha * Math.exp(x)),
  parameterNames: ['alpha'],
  parameters: [[1]],
});
const sigmoidOperations = defineUnary({
  name: 'sigmoid',
  wgsl: 'sigmoid',
  formula: logistic,
  derivative: (x) => logistic(x) * (1 - logistic(x)),
});
const tanhOperations = defineUnary({
  name: 'tanh',
  wgsl: 'hyperbolicTangent',
  formula: Math.tanh,
  derivative: (x) => 1 - Math.tanh(x) ** 2,
  tolerance: { absolute: 4e-5, relative: 1e-5 }, // WGSL promises tanh to an absolute 1e-5
});
const siluOperations = defineUnary({
  name: 'silu',
  wgsl: 'silu',
  formula: (x) => x * logistic(x),
  derivative: (x) => logistic(x) * (1 + x * (1 - logistic(x))),
});
const softplusOperations = defineUnary({
  name: 'softplus',
  wgsl: 'softplus',
  formula: (x) => (x > 20 ? x : Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  derivative: logistic,
});
const hardswishOperations = defineUnary({
  name: 'hardswish',
  wgsl: 'hardswish',
  formula: (x) => (x * clip(x + 3, 0, 6)) / 6,
  derivative: (x) => (x < -3 ? 0 : x > 3 ? 1 : x / 3 + 0.5),
});
const geluOperations = defineUnary({
  name: 'gelu',
  wgsl: 'gelu',
  formula: (x) => 0.5 * x * (1 + errorFunction(x / Math.SQRT2)),
  derivative: (x) => 0.5 * (1 + errorFunction(x / Math.SQRT2)) + (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI),
});
const geluTanhOperations = defineUnary({
  name: 'geluTanh',
  wgsl: 'geluTanh',
  formula: (x) => 0.5 * x * (1 + Math.tanh(geluInner(x))),
  derivative: (x) => {
    const t = Math.tanh(geluInner(x));
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
  },
  tolerance: { absolute: 4e-5, relative: 1e-5 }, // as tanh
});

function geluInner(x: number): number {
  return Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
}

/**
 * erf(x) = 2/√π · e^(-x²) · Σ 2ⁿ x^(2n+1) / (1 · 3 · 5 … (2n+1)), all terms of one sign, so that float64 keeps its digits
 * (Abramowitz & Stegun 7.1.6). Beyond 6 it is ±1 to the last digit.
 */
function errorFunction(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** max(x, 0); the gradient at 0 is 0. NaN stays NaN. */
export function relu(input: TensorLike): Tensor {
  return applyUnary(reluOperations, input);
}

/** min(max(x, 0), 6); the gradient at 0 and at 6 is 0. */
export function relu6(input: TensorLike): Tensor {
  return applyUnary(relu6Operations, input);
}

/** Options of {@link leakyRelu}. */
export interface LeakyReluOptions {
  /** Default 0.01. */
  readonly negativeSlope?: number;
}

/** x where x > 0, else negativeSlope · x; the gradient at 0 is negativeSlope, as in PyTorch. Keras calls the slope alpha. */
export function leakyRelu(input: TensorLike, options: LeakyReluOptions = {}): Tensor {
  checkOptions('leakyRelu', options, { negativeSlope: number() });
  const { negativeSlope = 0.01 } = options;
  return applyUnary(leakyReluOperations, input, [negativeSlope]);
}

/** Options of {@link elu}. */
export interface EluOptions {
  /** Default 1. */
  readonly alpha?: number;
}

/** x where x > 0, else alpha · (e^x - 1). Default alpha 1. */
export function elu(input: TensorLike, options: EluOptions = {}): Tensor {
  checkOptions('elu', options, { alpha: number() });
  return applyUnary(eluOperations, input, [options.alpha ?? 1]);
}

/** 1 / (1 + e^-x). */
export function sigmoid(input: TensorLike): Tensor {
  return applyUnary(sigmoidOperations, input);
}

/** Hyperbolic tangent. */
export function tanh(input: TensorLike): Tensor {
  return applyUnary(tanhOperations, input);
}

/** x · sigmoid(x) (Keras: swish). */
export function silu(input: TensorLike): Tensor {
  return applyUnary(siluOperations, input);
}

/** log(1 + e^x); x itself above 20, where they are equal in float32. */
export function softplus(input: TensorLike): Tensor {
  return applyUnary(softplusOperations, input);
}

/** x · relu6(x + 3) / 6. */
export function hardswish(input: TensorLike): Tensor {
  return applyUnary(hardswishOperations, input);
}

/** Options of {@link gelu}. */
export interface GeluOptions {
  /** Exactly, `none`, or in the form with `tanh`. Default `none`. */
  readonly approximate?: 'none' | 'tanh';
}

/**
 * x · Φ(x), Φ the normal distribution function (Hendrycks & Gimpel 2016), exactly (`none`, the default) or in the form
 * with tanh (`tanh`), as in PyTorch. Throws OptionError for another `approximate`.
 */
export function gelu(input: TensorLike, options: GeluOptions = {}): Tensor {
  checkOptions('gelu', options, { approximate: oneOf('none', 'tanh') });
  return applyUnary(options.approximate === 'tanh' ? geluTanhOperations : geluOperations, input);
}

export const activationOperations = [
  reluOperations,
  relu6Operations,
  leakyReluOperations,
  eluOperations,
  sigmoidOperations,
  tanhOperations,
  siluOperations,
  softplusOperations,
  hardswishOperations,
  geluOperations,
  geluTanhOperations,
].flatMap(({ forward, backward }) => [forward, backward]);

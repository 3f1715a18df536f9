import { OptionError } from '../../errors.js';
import { checkOptions, type OptionRule } from '../../options.js';
import { isFloat } from '../../graph/operation.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { applyUnary, defineUnary } from './unary.js';

const exact = { absolute: 0, relative: 1e-6 };

const negateOperations = defineUnary({
  name: 'negate',
  wgsl: 'negate',
  formula: (x) => -x,
  derivative: () => -1,
  integers: { wgsl: 'Element(0) - x' },
  tolerance: exact,
});
const expOperations = defineUnary({ name: 'exp', wgsl: 'exponential', formula: Math.exp, derivative: Math.exp });
const logOperations = defineUnary({
  name: 'log',
  wgsl: 'logarithm',
  formula: Math.log,
  derivative: (x) => 1 / x,
  domain: 'positive',
});
const sqrtOperations = defineUnary({
  name: 'sqrt',
  wgsl: 'squareRoot',
  formula: Math.sqrt,
  derivative: (x) => 0.5 / Math.sqrt(x),
  domain: 'positive',
});
const absOperations = defineUnary({
  name: 'abs',
  wgsl: 'absolute',
  formula: Math.abs,
  derivative: Math.sign,
  integers: { wgsl: 'abs(x)' },
  tolerance: exact,
});
const squareOperations = defineUnary({
  name: 'square',
  wgsl: 'square',
  formula: (x) => x * x,
  derivative: (x) => 2 * x,
  integers: { wgsl: 'x * x', formula: (x) => Math.imul(x, x) },
  tolerance: exact,
});
const reciprocalOperations = defineUnary({
  name: 'reciprocal',
  wgsl: 'reciprocal',
  formula: (x) => 1 / x,
  derivative: (x) => -1 / (x * x),
  domain: 'positive',
});
const clampOperations = defineUnary({
  name: 'clamp',
  wgsl: 'clampTo',
  formula: (x, low, high) => (x < low ? low : x > high ? high : x),
  derivative: (x, low, high) => (x >= low && x <= high ? 1 : 0),
  integers: { wgsl: 'clamp(x, low, high)' },
  parameterNames: ['low', 'high'],
  parameters: [[-0.5, 1.25]],
  tolerance: exact,
});

/** -x, for every element. */
export function negate(input: TensorLike): Tensor {
  return applyUnary(negateOperations, input);
}

/** e^x, for every element. */
export function exp(input: TensorLike): Tensor {
  return applyUnary(expOperations, input);
}

/** Natural logarithm, for every element: -Infinity at 0, NaN below. */
export function log(input: TensorLike): Tensor {
  return applyUnary(logOperations, input);
}

/** Square root, for every element: NaN below 0. */
export function sqrt(input: TensorLike): Tensor {
  return applyUnary(sqrtOperations, input);
}

/** |x|, for every element; the gradient at 0 is 0. */
export function abs(input: TensorLike): Tensor {
  return applyUnary(absOperations, input);
}

/** x², for every element. */
export function square(input: TensorLike): Tensor {
  return applyUnary(squareOperations, input);
}

/** 1 / x, for every element. */
export function reciprocal(input: TensorLike): Tensor {
  return applyUnary(reciprocalOperations, input);
}

/** Options of {@link clamp}. */
export interface ClampOptions {
  /** Default -Infinity. */
  readonly min?: number;
  /** Default Infinity. */
  readonly max?: number;
}

const bound: OptionRule = {
  expected: 'a number',
  accepts: (value) => typeof value === 'number' && !Number.isNaN(value),
};

/**
 * min where x < min, max where x > max, else x. The gradient passes where min <= x <= max, bounds included (PyTorch's
 * `clamp`). A missing bound is infinite. Throws OptionError where min > max, and for fractions as bounds of integers.
 */
export function clamp(input: TensorLike, bounds: ClampOptions): Tensor {
  checkOptions('clamp', bounds, { min: bound, max: bound });
  const { min = -Infinity, max = Infinity } = bounds;
  if (min > max) throw new OptionError(`clamp: min ${min} is greater than max ${max}`);
  const value = asTensor('clamp', 'input', input);
  for (const [name, own] of Object.entries({ min, max })) {
    if (isFloat(value.dtype) || Number.isInteger(own) || !Number.isFinite(own)) continue;
    throw new OptionError(
      `clamp: ${name} must be a whole number for ${value.dtype}, found ${own}: cast(x, 'f32') first`,
    );
  }
  return applyUnary(clampOperations, value, [min, max]);
}

export const mathOperations = [
  negateOperations,
  expOperations,
  logOperations,
  sqrtOperations,
  absOperations,
  squareOperations,
  reciprocalOperations,
  clampOperations,
].flatMap(({ forward, backward }) => [forward, backward]);

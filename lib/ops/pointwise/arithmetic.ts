import type { Tensor, TensorLike } from '../../tensor.js';
import { applyBinary, defineBinary, operandsOf } from './binary.js';
import { cast } from './cast.js';
import { negate } from './math.js';

const addOperation = defineBinary({
  name: 'add',
  formula: (a, b) => a + b,
  integers: { wgsl: 'a + b' },
  gradient: (_a, _b, dOutput) => [() => dOutput, () => dOutput],
  benchmarks: { mynetBias: [[32, 200], [200]], resnetBias: [[3136, 256], [256]] },
});
const subtractOperation = defineBinary({
  name: 'subtract',
  formula: (a, b) => a - b,
  integers: { wgsl: 'a - b' },
  gradient: (_a, _b, dOutput) => [() => dOutput, () => negate(dOutput)],
});
const multiplyOperation = defineBinary({
  name: 'multiply',
  formula: (a, b) => a * b,
  integers: { wgsl: 'a * b', formula: Math.imul },
  gradient: (a, b, dOutput) => [() => multiply(dOutput, b), () => multiply(dOutput, a)],
  benchmarks: {
    outer: [
      [1024, 1],
      [1, 1024],
    ],
  },
});
const divideOperation = defineBinary({
  name: 'divide',
  formula: (a, b) => a / b,
  // d(a/b)/db = -a/b² = -(a/b) / b
  gradient: (_a, b, dOutput, output) => [() => divide(dOutput, b), () => negate(divide(multiply(dOutput, output), b))],
  fill: ['normal', 'positive'],
});
const maximumOperation = defineBinary({
  name: 'maximum',
  formula: Math.max,
  integers: { wgsl: 'max(a, b)' },
  gradient: (a, b, dOutput) => [
    () => multiply(dOutput, greaterShare(a, b)),
    () => multiply(dOutput, greaterShare(b, a)),
  ],
});
const minimumOperation = defineBinary({
  name: 'minimum',
  formula: Math.min,
  integers: { wgsl: 'min(a, b)' },
  gradient: (a, b, dOutput) => [
    () => multiply(dOutput, greaterShare(b, a)),
    () => multiply(dOutput, greaterShare(a, b)),
  ],
});
const greaterShareOperation = defineBinary({
  name: 'greaterShare',
  formula: (a, b) => (a > b ? 1 : a === b ? 0.5 : 0),
  gradient: { none: 'it is a step function' },
});
const equalOperation = defineBinary({
  name: 'equal',
  formula: (a, b) => (a === b ? 1 : 0),
  integers: { wgsl: 'select(0.0, 1.0, a == b)', isTest: true },
  gradient: { none: 'it is a step function' },
});

/**
 * a + b, broadcast. Operands of this and of the next ones are of one type, f32, i32 or u32; integers wrap around at 32 bits,
 * and a whole number beside a tensor of integers is one of its type. Throws ShapeError where the shapes do not broadcast, or
 * the types differ.
 */
export function add(a: TensorLike, b: TensorLike): Tensor {
  return applyBinary(addOperation, a, b);
}

/** a - b, broadcast. Throws ShapeError where the shapes do not broadcast. */
export function subtract(a: TensorLike, b: TensorLike): Tensor {
  return applyBinary(subtractOperation, a, b);
}

/** a · b for every element, broadcast. Throws ShapeError where the shapes do not broadcast. */
export function multiply(a: TensorLike, b: TensorLike): Tensor {
  return applyBinary(multiplyOperation, a, b);
}

/**
 * a / b, broadcast. Of integers it is f32, not rounded, as in PyTorch. Throws ShapeError where the shapes do not broadcast.
 */
export function divide(a: TensorLike, b: TensorLike): Tensor {
  const [first, second] = operandsOf('divide', a, b);
  const isOfIntegers = first.dtype === second.dtype && (first.dtype === 'i32' || first.dtype === 'u32');
  if (isOfIntegers) return applyBinary(divideOperation, cast(first, 'f32'), cast(second, 'f32'));
  return applyBinary(divideOperation, first, second);
}

/** The larger of a and b, broadcast; NaN where either is NaN. Where they are equal each gets half of the gradient. */
export function maximum(a: TensorLike, b: TensorLike): Tensor {
  return applyBinary(maximumOperation, a, b);
}

/** The smaller of a and b, broadcast; NaN where either is NaN. Where they are equal each gets half of the gradient. */
export function minimum(a: TensorLike, b: TensorLike): Tensor {
  return applyBinary(minimumOperation, a, b);
}

/** 1 where a = b, else 0, broadcast. A gradient stops here. */
export function equal(a: TensorLike, b: TensorLike): Tensor {
  return applyBinary(equalOperation, a, b);
}

/** 1 where a > b, a half where they are equal, else 0: the share of a in the gradient of maximum(a, b). */
function greaterShare(a: TensorLike, b: TensorLike): Tensor {
  return applyBinary(greaterShareOperation, a, b);
}

export const arithmeticOperations = [
  addOperation,
  subtractOperation,
  multiplyOperation,
  divideOperation,
  maximumOperation,
  minimumOperation,
  greaterShareOperation,
  equalOperation,
];

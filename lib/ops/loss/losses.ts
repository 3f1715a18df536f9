import { ShapeError } from '../../errors.js';
import { checkOptions } from '../../options.js';
import { formatShape, sameShape } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { sigmoid } from '../pointwise/activations.js';
import { multiply, subtract } from '../pointwise/arithmetic.js';
import { applyBinary, defineBinary } from '../pointwise/binary.js';
import { negate } from '../pointwise/math.js';
import { REDUCTION_RULES, reduceLosses, type ReductionOptions } from './reduction.js';

const squaredErrorOperation = defineBinary({
  name: 'squaredError',
  formula: (a, b) => (a - b) ** 2,
  gradient: (a, b, dOutput) => {
    const slope = (): Tensor => multiply(multiply(subtract(a, b), 2), dOutput);
    return [slope, () => negate(slope())];
  },
});

const binaryCrossEntropyOperation = defineBinary({
  name: 'binaryCrossEntropy',
  // -(t · log σ(x) + (1 - t) · log(1 - σ(x))), written so that nothing overflows
  formula: (x, t) => Math.max(x, 0) - x * t + Math.log1p(Math.exp(-Math.abs(x))),
  gradient: (x, t, dOutput) => [() => multiply(subtract(sigmoid(x), t), dOutput), () => negate(multiply(x, dOutput))],
  fill: ['normal', 'unit'],
  tolerance: { absolute: 1e-5, relative: 1e-5 },
});

/** (input - target)², reduced (PyTorch: `F.mse_loss`). Throws ShapeError unless the shapes are equal. */
export function meanSquaredError(input: TensorLike, target: TensorLike, options: ReductionOptions = {}): Tensor {
  return lossOfEqualShapes('meanSquaredError', squaredErrorOperation, input, target, options);
}

/**
 * Binary cross-entropy of sigmoid(logits) with targets in [0, 1], from the logits, so that it neither overflows nor
 * takes the logarithm of 0 (PyTorch: `F.binary_cross_entropy_with_logits`; Keras: `BinaryCrossentropy(from_logits=True)`):
 * max(x, 0) - x · t + log(1 + e^-|x|), reduced. Throws ShapeError unless the shapes are equal.
 */
export function binaryCrossEntropyWithLogits(
  logits: TensorLike,
  target: TensorLike,
  options: ReductionOptions = {},
): Tensor {
  return lossOfEqualShapes('binaryCrossEntropyWithLogits', binaryCrossEntropyOperation, logits, target, options);
}

function lossOfEqualShapes(
  name: string,
  operation: typeof squaredErrorOperation,
  input: TensorLike,
  target: TensorLike,
  options: ReductionOptions,
): Tensor {
  checkOptions(name, options, REDUCTION_RULES);
  const [value, aim] = [asTensor(name, 'input', input), asTensor(name, 'target', target)];
  if (!sameShape(value.shape, aim.shape)) {
    throw new ShapeError(
      `${name}: input ${formatShape(value.shape)} and target ${formatShape(aim.shape)} differ in shape`,
    );
  }
  return reduceLosses(name, applyBinary(operation, value, aim), options);
}

export const lossOperations = [squaredErrorOperation, binaryCrossEntropyOperation];

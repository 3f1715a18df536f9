import { ShapeError } from '../../errors.js';
import { roundedOnce } from '../../graph/node.js';
import { axisSize, sizeOf } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { add } from '../pointwise/arithmetic.js';
import { matmul } from './matmul.js';
import { reshape } from '../moving/reshape.js';

/**
 * input · weightᵀ + bias: a dense layer (PyTorch: `F.linear`). input [.., in], weight [out, in], bias [out] → [.., out].
 * Input and weight may be of type f16; the bias and the output are f32 (a weight for inference: `cast(weight, 'f16')`).
 * Throws ShapeError where the sizes differ.
 */
export function linear(input: TensorLike, weight: TensorLike, bias?: TensorLike): Tensor {
  const value = asTensor('linear', 'input', input);
  const matrix = asTensor('linear', 'weight', weight);
  const [outputSize = 0] = matrix.shape;
  if (value.rank === 0) throw new ShapeError('linear: the input needs at least one axis, found a scalar');
  const rows = reshape(value, [sizeOf(value.shape.slice(0, -1)), axisSize(value.shape, -1)]);
  const output = roundedOnce(() => {
    const product = matmul(rows, matrix, { transposeB: true });
    return bias === undefined ? product : add(product, bias);
  });
  return reshape(output, [...value.shape.slice(0, -1), outputSize]);
}

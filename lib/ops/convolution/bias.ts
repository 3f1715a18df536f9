import { elementAt } from '../../element-at.js';
import { ShapeError } from '../../errors.js';
import { roundedOnce } from '../../graph/node.js';
import { formatShape } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { add } from '../pointwise/arithmetic.js';

/** The output of a convolution with a bias for each channel, one computation. Throws ShapeError for a bias of another size. */
export function withBias(caller: string, convolve: () => Tensor, bias: TensorLike | undefined): Tensor {
  return roundedOnce(() => {
    const output = convolve();
    if (bias === undefined) return output;
    const value = asTensor(caller, 'bias', bias);
    const channels = elementAt(output.shape, 3);
    if (value.rank === 1 && value.shape[0] === channels) return add(output, value);
    throw new ShapeError(`${caller}: the bias must be [${channels}], found ${formatShape(value.shape)}`);
  });
}

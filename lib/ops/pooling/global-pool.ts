import { ShapeError } from '../../errors.js';
import { bind, f32 } from '../../graph/operands.js';
import { formatShape } from '../../shape.js';
import { asTensor, type Tensor, type TensorLike } from '../../tensor.js';
import { reshape } from '../moving/reshape.js';
import { mean } from '../reduce/sum.js';
import { MAX_PLACES, maxPool2d } from './max-pool2d.js';

/** Pictures, or ShapeError. */
function picturesOf(operation: string, input: TensorLike) {
  const pictures = asTensor(operation, 'input', input);
  const { sizes } = bind(operation, { input: f32('N', 'H', 'W', 'C') }, [pictures]);
  const { N = 0, H = 0, W = 0, C = 0 } = sizes;
  return { pictures, N, H, W, C };
}

/**
 * The mean of each channel of pictures: input [N, H, W, C] → [N, C] (PyTorch: `adaptive_avg_pool2d` to 1; Keras:
 * `GlobalAveragePooling2D`). Of pictures without an element it is NaN. Throws ShapeError for other shapes.
 */
export function globalAveragePool(input: TensorLike): Tensor {
  return mean(picturesOf('globalAveragePool', input).pictures, { axes: [1, 2] });
}

/**
 * The largest element of each channel of pictures: input [N, H, W, C] → [N, C] (PyTorch: `adaptive_max_pool2d` to 1; Keras:
 * `GlobalMaxPooling2D`). NaN wins. The gradient goes to the largest element, the first one in row order where there are
 * several. Throws ShapeError for other shapes, and for pictures without an element.
 */
export function globalMaxPool(input: TensorLike): Tensor {
  const { pictures, N, H, W, C } = picturesOf('globalMaxPool', input);
  if (H * W === 0)
    throw new ShapeError(`globalMaxPool: the pictures of ${formatShape(pictures.shape)} have no element`);
  let [pooled, height, width] = [pictures, H, W];
  while (height * width > 1) {
    // Windows of whole rows first, so that of equal elements the first one in row order wins.
    const columns = Math.min(width, MAX_PLACES);
    const rows = columns === width ? Math.min(height, Math.floor(MAX_PLACES / columns)) : 1;
    pooled = maxPool2d(pooled, { size: [rows, columns], ceilMode: true });
    [height, width] = [Math.ceil(height / rows), Math.ceil(width / columns)];
  }
  return reshape(pooled, [N, C]);
}

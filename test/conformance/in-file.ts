/** Results as files have them: pictures channels first, weights in PyTorch's layouts. */
import { elementAt } from '../../lib/element-at.js';
import { shapeInFile, toFile } from '../../lib/file-layout.js';
import { tensor, type Tensor, type Variable } from '../../lib/index.js';
import type { NumericArray } from '../../lib/graph/operation.js';
import type { Values } from './compare.js';

/** Values [N, height, width, channels] as [N, channels, height, width]; those of other ranks as they are. */
export function channelsFirst({ shape, data }: Values): Values {
  if (shape.length !== 4) return { shape, data };
  const [N, H, W, C] = sizesOf(shape);
  const moved = new Float32Array(data.length);
  for (let to = 0, n = 0; n < N; n++) {
    for (let c = 0; c < C; c++) {
      for (let place = 0; place < H * W; place++) moved[to++] = elementAt(data, (n * H * W + place) * C + c);
    }
  }
  return { shape: [N, C, H, W], data: moved };
}

/** Pictures [N, channels, height, width] as the tensor [N, height, width, channels] that nets take. */
export function picturesFrom({ shape, data }: Values): Tensor {
  const [N, C, H, W] = sizesOf(shape);
  // [N, channels, places] turned is [N, places, channels]: as if height and width were one axis, and the picture's.
  const { data: moved } = channelsFirst({ shape: [N, C, 1, H * W], data });
  return tensor(Float32Array.from(moved), { shape: [N, H, W, C] });
}

/** A gradient, or the value, of a parameter. */
export function weightInFile({ shape, fileLayouts }: Variable, data: NumericArray): Values {
  return { shape: shapeInFile(shape, fileLayouts.pytorch), data: toFile(data, fileLayouts.pytorch) };
}

function sizesOf(shape: readonly number[]): [number, number, number, number] {
  return [elementAt(shape, 0), elementAt(shape, 1), elementAt(shape, 2), elementAt(shape, 3)];
}

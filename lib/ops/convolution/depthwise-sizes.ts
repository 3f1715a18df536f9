import { elementAt } from '../../element-at.js';
import type { Shape } from '../../shape.js';
import type { WindowAttributes } from './window.js';

/** Attributes of the input gradient, which is given no picture: its height and width. */
export type DepthwisePictureAttributes = WindowAttributes & { readonly picture: readonly number[] };

/**
 * Sizes of a depthwise convolution, whichever of its three tensors is computed from the other two:
 * picture [N, H, W, C], weight [R, S, C], output [N, P, Q, C].
 */
export interface DepthwiseSizes {
  readonly N: number;
  readonly H: number;
  readonly W: number;
  readonly C: number;
  readonly P: number;
  readonly Q: number;
  readonly R: number;
  readonly S: number;
}

/** The sizes, of the shapes of picture and output. */
export function depthwiseSizes(picture: Shape, output: Shape, { kernel }: WindowAttributes): DepthwiseSizes {
  return {
    N: elementAt(picture, 0),
    H: elementAt(picture, 1),
    W: elementAt(picture, 2),
    C: elementAt(picture, 3),
    P: elementAt(output, 1),
    Q: elementAt(output, 2),
    R: elementAt(kernel, 0),
    S: elementAt(kernel, 1),
  };
}

/** Where the channels of a pixel and of a weight's place begin, of which products are added up. */
type Tap = (picture: number, weight: number, output: number) => void;

/**
 * The formula of all three operations, which are the gradients of one number with respect to its three tensors:
 *
 *     T = Σ picture[n, h, w, c] · weight[r, s, c] · output[n, p, q, c]   over n, p, q, r, s, c, with
 *         h = p · stride + r · dilation - top, w = q · stride + s · dilation - left,
 *         where the picture has such a place: zeros stand around it.
 *
 * Each is linear in both of its inputs, and the other two are its gradients. `tap` is called for each n, p, q, r, s.
 */
export function forEachDepthwiseTap(
  { N, H, W, C, P, Q, R, S }: DepthwiseSizes,
  { stride, dilation, padding }: WindowAttributes,
  tap: Tap,
): void {
  const [strideH, strideW] = [elementAt(stride, 0), elementAt(stride, 1)];
  const [dilationH, dilationW] = [elementAt(dilation, 0), elementAt(dilation, 1)];
  const [top, left] = [elementAt(padding, 0), elementAt(padding, 2)];
  for (let n = 0; n < N; n++) {
    for (let p = 0; p < P; p++) {
      for (let q = 0; q < Q; q++) {
        for (let r = 0; r < R; r++) {
          const h = p * strideH + r * dilationH - top;
          if (h < 0 || h >= H) continue;
          for (let s = 0; s < S; s++) {
            const w = q * strideW + s * dilationW - left;
            if (w < 0 || w >= W) continue;
            tap(((n * H + h) * W + w) * C, (r * S + s) * C, ((n * P + p) * Q + q) * C);
          }
        }
      }
    }
  }
}

import { elementAt } from '../../element-at.js';
import type { Shape } from '../../shape.js';
import { forEachPixelOfWindows, type WindowAttributes } from './window.js';

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
export function forEachDepthwiseTap(sizes: DepthwiseSizes, window: WindowAttributes, tap: Tap): void {
  const { C } = sizes;
  forEachPixelOfWindows(sizes, window, (pixel, place, output) => {
    tap(pixel * C, place * C, output * C);
  });
}

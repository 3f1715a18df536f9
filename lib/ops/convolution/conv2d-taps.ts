import type { Conv2dAttributes, Conv2dSizes } from './conv2d-sizes.js';
import { forEachPixelOfWindows } from './window.js';

/** Where products begin: elements of picture and weight from which `groupC` channels follow, and the element of the output. */
type Tap = (picture: number, weight: number, output: number) => void;

/**
 * The formula of all three convolutions, which are the gradients of one number with respect to its three tensors:
 *
 *     T = Σ picture[n, h, w, g · groupC + c] · weight[o, r, s, c] · output[n, p, q, o]
 *         over n, p, q, o, r, s, c, with g = ⌊o / groupO⌋ the group of the output's channel,
 *         h = p · stride + r · dilation - top, w = q · stride + s · dilation - left,
 *         where the picture has such a place: zeros stand around it.
 *
 * So conv2d is output[n, p, q, o] = Σ picture · weight, and the others the same sums for their own elements. Each is
 * linear in both of its inputs, and the other two are its gradients. `tap` is called for each n, p, q, o, r, s.
 */
export function forEachTap(sizes: Conv2dSizes, window: Conv2dAttributes, tap: Tap): void {
  const { C, O, R, S, groupC, groupO } = sizes;
  forEachPixelOfWindows(sizes, window, (pixel, place, output) => {
    for (let o = 0; o < O; o++) {
      const group = Math.floor(o / groupO);
      tap(pixel * C + group * groupC, (o * R * S + place) * groupC, output * O + o);
    }
  });
}

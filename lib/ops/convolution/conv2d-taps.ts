import { elementAt } from '../../element-at.js';
import type { Conv2dAttributes, Conv2dSizes } from './conv2d-sizes.js';

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
export function forEachTap(
  { N, H, W, C, P, Q, O, R, S, groupC, groupO }: Conv2dSizes,
  { stride, dilation, padding }: Conv2dAttributes,
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
            for (let o = 0; o < O; o++) {
              const group = Math.floor(o / groupO);
              tap(
                ((n * H + h) * W + w) * C + group * groupC,
                ((o * R + r) * S + s) * groupC,
                ((n * P + p) * Q + q) * O + o,
              );
            }
          }
        }
      }
    }
  }
}

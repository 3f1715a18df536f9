import { depthwiseWeightGradientRelaxedWasm, depthwiseWeightGradientWasm } from '../../generated/wasm.js';
import type { NamedPhase } from '../../graph/definition.js';
import { ceilDivide } from '../../graph/launch.js';
import { tasksOf } from '../simd-parts.js';
import { forwardMeetings } from './depthwise-axes.js';
import type { DepthwiseSizes } from './depthwise-sizes.js';
import type { WindowAttributes } from './window.js';

/** Channels that go through all pictures together: a cache line of each pixel. */
const STRIP = 16;
/** Bytes of a strip, of the output and of the picture under it, that stay in the first-level cache. */
const CACHE_BYTES = 16 * 1024;
/** Places of a sum in float32, about: adding it to one in float64 takes as long as a few of them. */
const PLACES = 192;

/** Tasks of kernels/convolution/depthwise_weight_gradient.wat: strips of channels. */
export function weightGradientPhases(
  { N, H, W, C, P, Q, R, S }: DepthwiseSizes,
  window: WindowAttributes,
): NamedPhase<'picture' | 'output' | 'weight'>[] {
  const [rows, columns] = forwardMeetings(window);
  const entryPoint = S === 3 && R <= 3 && C >= 4 ? 'three' : 'windows';
  const kernel = { module: depthwiseWeightGradientWasm, relaxed: depthwiseWeightGradientRelaxedWasm, entryPoint };
  const rowBytes = 4 * STRIP * Q * (1 + rows.targetStep * columns.targetStep);
  const rowsAtOnce = Math.max(Math.min(Math.floor(CACHE_BYTES / rowBytes), ceilDivide(PLACES, Q)), 1);
  const inside = ceilDivide(Math.max(-columns.first, 0), columns.targetStep);
  const span = (S - 1) * columns.tapStep;
  const outside = Math.max(Math.floor((W - 1 - span - columns.first) / columns.targetStep) + 1, inside);
  const strips = Math.max(Math.floor(C / STRIP), 1);
  const calls = Array.from({ length: strips }, (_, strip) => {
    const first = STRIP * strip;
    const count = strip === strips - 1 ? C - first : STRIP;
    return {
      kernel,
      arguments: [
        ...(['picture', H, W, 'output', P, Q, N, C, first, count, 'weight', R, S] as const),
        ...[rows.targetStep, columns.targetStep, rows.tapStep, columns.tapStep, rows.first, columns.first],
        ...[inside, outside, rowsAtOnce],
        { scratch: true as const },
      ],
    };
  });
  // `three` has sums for nine taps, however many rows there are.
  return [{ tasks: tasksOf(calls, N * P * Q * C), scratchBytes: 32 * Math.max(R * S, 9) * ceilDivide(2 * STRIP, 4) }];
}

import { elementAt } from '../../element-at.js';
import type { WindowAttributes } from './window.js';

/**
 * How places of a source, of a target and taps of the window meet along an axis of both pictures:
 *
 *     sourceStep · source = targetStep · target + first + tapStep · tap
 *
 * The target is what is computed: the output of a convolution, or its picture where that is the gradient.
 */
export interface Meeting {
  readonly sourceStep: number;
  readonly targetStep: number;
  readonly first: number;
  readonly tapStep: number;
  readonly taps: number;
}

/** Something for the height and for the width. */
export type PerAxis<T> = readonly [height: T, width: T];

/** Of a convolution: source = stride · target - before + dilation · tap. */
export function forwardMeetings(window: WindowAttributes): PerAxis<Meeting> {
  return perAxis((axis) => ({
    sourceStep: 1,
    targetStep: elementAt(window.stride, axis),
    first: -elementAt(window.padding, 2 * axis),
    tapStep: elementAt(window.dilation, axis),
    taps: elementAt(window.kernel, axis),
  }));
}

/** Of its input gradient, the same turned around: stride · source = target + before - dilation · tap. */
export function backwardMeetings(window: WindowAttributes): PerAxis<Meeting> {
  return perAxis((axis) => ({
    sourceStep: elementAt(window.stride, axis),
    targetStep: 1,
    first: elementAt(window.padding, 2 * axis),
    tapStep: -elementAt(window.dilation, axis),
    taps: elementAt(window.kernel, axis),
  }));
}

export function perAxis<T>(of: (axis: 0 | 1) => T): PerAxis<T> {
  return [of(0), of(1)];
}

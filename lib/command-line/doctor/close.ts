import type { NumericArray, Operation } from '../../graph/operation.js';

/** The element of an array that is furthest from what it should be. */
export interface Deviation {
  readonly index: number;
  readonly found: number;
  readonly expected: number;
  /** |found - expected| */
  readonly error: number;
  /** The error in parts of what the tolerance allows; up to 1 is within it. */
  readonly excess: number;
}

/** The worst element by a tolerance; undefined where all are equal. NaN equals NaN, an infinity one of the same sign, and 0 equals -0. */
export function worstOf(
  got: NumericArray,
  expected: ArrayLike<number>,
  { absolute, relative }: Operation['tolerance'],
): Deviation | undefined {
  let worst: Deviation | undefined;
  for (let index = 0; index < got.length; index++) {
    const [a = NaN, b = NaN] = [got[index], expected[index]];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    const error = Math.abs(a - b);
    const excess = error / (absolute + relative * Math.abs(b));
    if (worst && (Number.isNaN(worst.excess) || excess <= worst.excess)) continue;
    worst = { index, found: a, expected: b, error, excess };
  }
  return worst;
}

/** How two arrays compare: undefined where every element is within tolerance, else the worst one in words. */
export function differs(
  got: NumericArray,
  expected: ArrayLike<number>,
  tolerance: Operation['tolerance'],
): string | undefined {
  if (got.length !== expected.length) return `${got.length} elements, expected ${expected.length}`;
  const worst = worstOf(got, expected, tolerance);
  if (!worst || worst.excess <= 1) return undefined;
  const { index, found, expected: right, error } = worst;
  return `element ${index} is ${found}, expected ${right} (error ${error.toExponential(2)})`;
}

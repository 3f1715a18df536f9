import type { NumericArray } from '../../lib/graph/operation.js';

/** How two arrays compare: undefined where every element is within tolerance, else the worst one in words. */
export function differs(
  got: NumericArray,
  expected: ArrayLike<number>,
  { absolute, relative }: { readonly absolute: number; readonly relative: number },
): string | undefined {
  if (got.length !== expected.length) return `${got.length} elements, expected ${expected.length}`;
  let worst: string | undefined;
  let worstExcess = 0;
  for (let i = 0; i < got.length; i++) {
    const [a = NaN, b = NaN] = [got[i], expected[i]];
    // NaN equals NaN, an infinity one of the same sign, and 0 equals -0.
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    const error = Math.abs(a - b);
    const excess = error / (absolute + relative * Math.abs(b));
    if (!(excess <= 1) && !(excess <= worstExcess)) {
      worstExcess = excess;
      worst = `element ${i} is ${a}, expected ${b} (error ${error.toExponential(2)})`;
    }
  }
  return worst;
}

import { elementAt } from '../../lib/element-at.js';
import { formatShape, sameShape, type Shape } from '../../lib/shape.js';

/** Numbers with their shape, row-major. */
export interface Values {
  readonly shape: Shape;
  readonly data: ArrayLike<number>;
}

/**
 * A result beside what it must be: |got - expected| <= atol + rtol · |expected| for every element, and, where there is an
 * `l2`, the Euclidean norm of got - expected within it.
 */
export interface Comparison {
  readonly name: string;
  readonly got: Values | undefined;
  readonly expected: Values;
  readonly rtol: number;
  /** One for all elements, or one for each part along the first axis. */
  readonly atol: number | ArrayLike<number>;
  readonly l2?: number | undefined;
}

/** How a comparison ended. */
export interface Verdict {
  /** The largest error in parts of its tolerance: up to 1 passes. Infinity where there is no measure for it. */
  readonly margin: number;
  /** The worst element in words; undefined where all are within tolerance. */
  readonly fault: string | undefined;
  /** Whether every element that is wrong is, or should be, NaN or infinite. */
  readonly isSpecial: boolean;
}

/** NaN equals NaN, an infinity one of the same sign, and 0 equals -0; with rtol = atol = 0 every other bit counts. */
export function compare({ got, expected, rtol, atol, l2 }: Comparison): Verdict {
  if (!got) return broken('the library gave no such result');
  if (!sameShape(got.shape, expected.shape) || got.data.length !== expected.data.length) {
    return broken(`shape ${formatShape(got.shape)}, expected ${formatShape(expected.shape)}`);
  }
  let margin = 0;
  let squares = 0;
  let fault: string | undefined;
  const part = expected.data.length / (expected.shape[0] ?? 1);
  const within = (i: number) => (typeof atol === 'number' ? atol : elementAt(atol, Math.floor(i / part)));
  let isSpecial = true;
  for (let i = 0; i < expected.data.length; i++) {
    const [a = NaN, b = NaN] = [got.data[i], expected.data[i]];
    // A float64 truth beyond the range of float32 is an infinity there.
    if (a === b || a === Math.fround(b) || (Number.isNaN(a) && Number.isNaN(b))) continue;
    const isFinite = Number.isFinite(a) && Number.isFinite(b);
    const allowed = within(i) + rtol * Math.abs(b);
    const error = isFinite && allowed > 0 ? Math.abs(a - b) / allowed : Infinity;
    squares += (a - b) ** 2;
    if (error > 1 && isFinite) isSpecial = false;
    if (error > margin || (error > 1 && fault === undefined)) {
      margin = Math.max(error, margin);
      if (error > 1) fault = describe(i, expected.shape, a, b, allowed);
    }
  }
  const distance = Math.sqrt(squares);
  if (l2 !== undefined && !(distance <= l2)) {
    isSpecial = false;
    fault ??= ` is at a distance of ${distance.toExponential(2)} from the truth, allowed ${l2.toExponential(2)}`;
    margin = Math.max(margin, distance / l2);
  }
  return { margin, fault, isSpecial };
}

function broken(fault: string): Verdict {
  return { margin: Infinity, fault, isSpecial: false };
}

function describe(index: number, shape: Shape, got: number, expected: number, allowed: number): string {
  const error = Math.abs(got - expected);
  const measure = Number.isFinite(error)
    ? `: error ${error.toExponential(2)}, allowed ${allowed.toExponential(2)}`
    : '';
  return `[${positionOf(index, shape).join(', ')}] is ${got}, expected ${expected}${measure}`;
}

function positionOf(index: number, shape: Shape): number[] {
  let rest = index;
  const position = shape.toReversed().map((size) => {
    const at = rest % size;
    rest = Math.floor(rest / size);
    return at;
  });
  return position.reverse();
}

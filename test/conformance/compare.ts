import { formatShape, sameShape, type Shape } from '../../lib/shape.js';

/** Numbers with their shape, row-major. */
export interface Values {
  readonly shape: Shape;
  readonly data: ArrayLike<number>;
}

/** A result beside what it must be: |got - expected| <= atol + rtol · |expected| for every element. */
export interface Comparison {
  readonly name: string;
  readonly got: Values | undefined;
  readonly expected: Values;
  readonly rtol: number;
  readonly atol: number;
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
export function compare({ got, expected, rtol, atol }: Comparison): Verdict {
  if (!got) return broken('the library gave no such result');
  if (!sameShape(got.shape, expected.shape) || got.data.length !== expected.data.length) {
    return broken(`shape ${formatShape(got.shape)}, expected ${formatShape(expected.shape)}`);
  }
  let margin = 0;
  let fault: string | undefined;
  let isSpecial = true;
  for (let i = 0; i < expected.data.length; i++) {
    const [a = NaN, b = NaN] = [got.data[i], expected.data[i]];
    // A float64 truth beyond the range of float32 is an infinity there.
    if (a === b || a === Math.fround(b) || (Number.isNaN(a) && Number.isNaN(b))) continue;
    const isFinite = Number.isFinite(a) && Number.isFinite(b);
    const allowed = atol + rtol * Math.abs(b);
    const part = isFinite && allowed > 0 ? Math.abs(a - b) / allowed : Infinity;
    if (part > 1 && isFinite) isSpecial = false;
    if (part > margin || (part > 1 && fault === undefined)) {
      margin = Math.max(part, margin);
      if (part > 1) fault = describe(i, expected.shape, a, b, allowed);
    }
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

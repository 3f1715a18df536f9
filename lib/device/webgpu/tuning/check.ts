import { rightPlaces } from '../../../graph/sampled-reference.js';
import type { NumericArray, Operation } from '../../../graph/operation.js';
import { type Expected, UNWRITTEN } from './trials.js';

/** What is wrong with the outputs of a variant, in words, and how many elements were compared. */
export interface Verdict {
  readonly wrong?: string;
  readonly compared: number;
}

/**
 * Compares outputs with what the reference has computed. The tolerance is meant for outputs of size 1 and grows with their
 * root mean square.
 *
 * @param isPart not all of the variant was executed: elements that are as they were before are left out
 */
export function verdictOn(
  outputs: readonly NumericArray[],
  { outputs: expected, sample, before }: Expected,
  tolerance: Operation['tolerance'],
  isPart: boolean,
): Verdict {
  let compared = 0;
  for (const [output, values] of expected.entries()) {
    const isRight = sample ? rightPlaces(sample, values.length) : () => true;
    const scale = scaleOf(values, isRight);
    for (const [i, value] of values.entries()) {
      if (!isRight(i)) continue;
      const found = outputs[output]?.[i] ?? NaN;
      if (isPart && Object.is(found, before[output]?.[i] ?? UNWRITTEN)) continue;
      compared++;
      if (Object.is(found, value)) continue;
      if (!(Math.abs(found - value) <= tolerance.absolute * scale + tolerance.relative * Math.abs(value)))
        return { wrong: `element ${i} of output ${output} is ${found}, expected ${value}`, compared };
    }
  }
  return { compared };
}

function scaleOf(values: NumericArray, isRight: (i: number) => boolean): number {
  let [squares, count] = [0, 0];
  for (const [i, value] of values.entries()) {
    if (!isRight(i)) continue;
    squares += Number.isFinite(value) ? value * value : 0;
    count++;
  }
  return Math.max(1, Math.sqrt(squares / Math.max(1, count)));
}

/** The largest of the values of a row, of which there may be more than a call takes arguments; NaN where any is. */
export function largestOf(values: readonly number[]): number {
  return values.reduce((largest, value) => Math.max(largest, value), -Infinity);
}

/** Where the largest value of a row stands, the first one of several; -1 in a row with NaN. */
export function largestAt(values: readonly number[]): number {
  return values.indexOf(largestOf(values));
}

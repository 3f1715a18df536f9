/** Steps whose losses are compared: enough that the updates, momentum among them, show in them. */
export const CHECKED_STEPS = 5;

/**
 * Throws unless all lists of losses agree with the one named `oracle`, naming the first that does not and its step.
 * A benchmark of something that computes something else says nothing.
 *
 * @param tolerance how far losses of two libraries may lie apart, relative to their size
 */
export function checkLosses(
  oracle: string,
  losses: ReadonlyMap<string, readonly number[]>,
  tolerance: number = 1e-4,
): void {
  const expected = losses.get(oracle);
  if (!expected || expected.length === 0) throw new Error(`${oracle} gave no losses to compare with`);
  for (const [name, found] of losses) {
    expected.forEach((loss, step) => {
      const difference = Math.abs((found[step] ?? NaN) - loss) / Math.max(Math.abs(loss), 1);
      if (difference <= tolerance) return;
      throw new Error(`${name} computes another loss than ${oracle} at step ${step + 1}: ${found[step]} for ${loss}`);
    });
  }
}

/** The element of a list at a place where there must be one, counted from the end where negative. Throws RangeError. */
export function elementAt<T>(list: ArrayLike<T>, place: number): T {
  const value = list[place < 0 ? place + list.length : place];
  if (value === undefined) throw new RangeError(`no element ${place} in a list of ${list.length}`);
  return value;
}

/** A JSON document of numbers that were computed in float32: with the digits that those have, 0.8 and not 0.800000011920929. */
export function jsonText(value: unknown, indent?: number): string {
  const short = (_key: string, part: unknown): unknown => (typeof part === 'number' ? float32Digits(part) : part);
  return JSON.stringify(value, short, indent);
}

/** The number with the fewest digits that is the same float32. Whole numbers, such as counts, stay, and so do those out of its range. */
export function float32Digits(value: number): number {
  const float = Math.fround(value);
  if (Number.isInteger(value) || !Number.isFinite(float) || float === 0) return value;
  for (let digits = 1; ; digits++) {
    const short = Number(float.toPrecision(digits)); // nine are always enough
    if (Math.fround(short) === float) return short;
  }
}

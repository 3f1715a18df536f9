/** Three significant digits; two of what is tiny. */
export function figure(value: number): string {
  if (value > 0 && value < 1e-3) return value.toExponential(1);
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** A time with its unit. */
export function timeText(milliseconds: number): string {
  if (milliseconds >= 1) return `${figure(milliseconds)} ms`;
  return milliseconds >= 1e-3 ? `${figure(milliseconds * 1e3)} µs` : `${figure(milliseconds * 1e6)} ns`;
}

/** The geometric mean: by which ratios are averaged. NaN of nothing. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

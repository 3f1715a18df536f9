/** Steps of the integral. */
const STEPS = 8192;

/**
 * Quantiles of the larger one of λ and 1 - λ, λ of the distribution Beta(alpha, alpha): `count` of them, evenly from 0 to 1.
 *
 * The smaller one, x up to 1/2, has the density x^(alpha - 1) · (1 - x)^(alpha - 1), which is that of y = x^alpha without the
 * first factor, and so is finite. It is added up over y.
 */
export function largerShareQuantiles(alpha: number, count: number): Float32Array<ArrayBuffer> {
  const end = 0.5 ** alpha;
  const density = (y: number): number => (1 - y ** (1 / alpha)) ** (alpha - 1);
  const sums = new Float64Array(STEPS + 1);
  for (let i = 0; i < STEPS; i++) {
    const [from, to] = [(end * i) / STEPS, (end * (i + 1)) / STEPS];
    const inside = density(from) + 4 * density((from + to) / 2) + density(to);
    sums[i + 1] = (sums[i] ?? NaN) + ((to - from) * inside) / 6;
  }
  const total = sums[STEPS] ?? NaN;
  const quantiles = new Float32Array(count);
  let step = 0;
  for (let i = 0; i < count; i++) {
    const wanted = total * (1 - i / (count - 1)); // the larger share is 1 less the smaller one
    step = step === 0 && i === 0 ? STEPS - 1 : step;
    while (step > 0 && (sums[step] ?? NaN) > wanted) step--;
    const [low, high] = [sums[step] ?? NaN, sums[step + 1] ?? NaN];
    const y = (end * (step + (wanted - low) / (high - low))) / STEPS;
    quantiles[i] = 1 - y ** (1 / alpha);
  }
  return quantiles;
}

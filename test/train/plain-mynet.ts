/**
 * MyNet's training written out in loops, in float64 and without the library: the oracle of test/train/mynet.test.ts.
 *
 *   hidden = relu(x · W1ᵀ + b1)          x [B, I], W1 [H, I], b1 [H]
 *   kept   = hidden · mask / (1 - p)
 *   logits = kept · W2ᵀ + b2             W2 [C, H], b2 [C]
 *   loss   = mean of logsumexp(logits) - logits[label]
 *   v ← gradient in the first step, momentum · v + gradient after it;  parameter ← parameter - rate · v
 */
export interface PlainTraining {
  /** [N, I] */
  readonly inputs: Float64Array;
  readonly labels: Int32Array;
  /** W1, b1, W2, b2 at the start; they hold the trained ones at the end. */
  readonly parameters: PlainParameters;
  /** Row numbers of each step. */
  readonly batches: readonly Int32Array[];
  readonly rate: number;
  readonly momentum: number;
  readonly dropout: number;
  /** Whether an element of [B, H] is kept in a step; `index` counts them row by row. */
  readonly isKept: (step: number, index: number) => boolean;
}

export type PlainParameters = readonly [W1: Float64Array, b1: Float64Array, W2: Float64Array, b2: Float64Array];

/** The loss of each step before its update, and how many of its rows were predicted right. */
export function trainPlainly(training: PlainTraining): { losses: number[]; hits: number[] } {
  const { inputs, labels, parameters, batches, rate, momentum, dropout, isKept } = training;
  const [W1, b1, W2, b2] = parameters;
  const H = b1.length;
  const I = W1.length / H;
  const velocities = zerosLike(parameters);
  const losses: number[] = [];
  const hits: number[] = [];

  batches.forEach((rows, step) => {
    const B = rows.length;
    const gradients = zerosLike(parameters);
    const [dW1, db1, dW2, db2] = gradients;
    let loss = 0;
    let hit = 0;
    rows.forEach((row, n) => {
      const x = inputs.subarray(row * I, (row + 1) * I);
      const sums = Float64Array.from(b1, (bias, h) => bias + dot(x, W1.subarray(h * I, (h + 1) * I)));
      const scales = sums.map((total, h) => (total > 0 && isKept(step, n * H + h) ? 1 / (1 - dropout) : 0));
      const kept = sums.map((total, h) => total * (scales[h] ?? NaN));
      const logits = b2.map((bias, c) => bias + dot(kept, W2.subarray(c * H, (c + 1) * H)));

      const label = labels[row] ?? NaN;
      const largest = Math.max(...logits);
      const exponentials = logits.map((logit) => Math.exp(logit - largest));
      const total = exponentials.reduce((sum, e) => sum + e, 0);
      loss += Math.log(total) + largest - (logits[label] ?? NaN);
      if (logits.indexOf(largest) === label) hit++;

      const dLogits = exponentials.map((e, c) => (e / total - (c === label ? 1 : 0)) / B);
      const dKept = new Float64Array(H);
      dLogits.forEach((d, c) => {
        addScaled(dKept, d, W2.subarray(c * H, (c + 1) * H));
        addScaled(dW2.subarray(c * H, (c + 1) * H), d, kept);
      });
      addScaled(db2, 1, dLogits);
      const dSums = dKept.map((d, h) => d * (scales[h] ?? NaN));
      addScaled(db1, 1, dSums);
      dSums.forEach((d, h) => {
        if (d !== 0) addScaled(dW1.subarray(h * I, (h + 1) * I), d, x);
      });
    });
    losses.push(loss / B);
    hits.push(hit);
    for (const p of [0, 1, 2, 3] as const) {
      const velocity = velocities[p];
      velocity.forEach((v, i) => (velocity[i] = step === 0 ? 0 : momentum * v));
      addScaled(velocity, 1, gradients[p]);
      addScaled(parameters[p], -rate, velocity);
    }
  });
  return { losses, hits };
}

function zerosLike([W1, b1, W2, b2]: PlainParameters): PlainParameters {
  const zeros = ({ length }: Float64Array): Float64Array => new Float64Array(length);
  return [zeros(W1), zeros(b1), zeros(W2), zeros(b2)];
}

function dot(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += (a[i] ?? NaN) * (b[i] ?? NaN);
  return total;
}

/** to ← to + factor · values */
function addScaled(to: Float64Array, factor: number, values: Float64Array): void {
  for (let i = 0; i < to.length; i++) to[i] = (to[i] ?? NaN) + factor * (values[i] ?? NaN);
}

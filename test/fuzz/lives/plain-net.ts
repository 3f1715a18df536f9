import { batchIndices } from '../../../lib/index.js';
import { drawBits, keyOfSeed, streamOf } from '../../../lib/random.js';
import { COLUMNS, type NetSizes, ROWS, trainingData } from './net.js';

/** Numbers by name: parameters, or what a call gives. */
export type Numbers = ReadonlyMap<string, ArrayLike<number>>;

type Weights = Map<string, Float64Array>;

/** SGD with momentum as its definition has it, with its steps and velocities. */
export class PlainOptimizer {
  readonly learningRate: number;
  readonly momentum: number;
  steps = 0;
  readonly #velocities = new Map<Float64Array, Float64Array>();

  constructor(options: { readonly learningRate: number; readonly momentum: number }) {
    this.learningRate = options.learningRate;
    this.momentum = options.momentum;
  }

  descend(parameter: Float64Array, gradient: Float64Array): void {
    const velocity = this.#velocities.get(parameter) ?? new Float64Array(parameter.length);
    this.#velocities.set(parameter, velocity);
    for (let i = 0; i < parameter.length; i++) {
      velocity[i] = this.momentum * (velocity[i] ?? NaN) + (gradient[i] ?? NaN);
      parameter[i] = (parameter[i] ?? NaN) - this.learningRate * (velocity[i] ?? NaN);
    }
  }
}

/** How a net is trained. */
export interface PlainFit {
  readonly epochs: number;
  readonly batchSize: number;
  readonly seed: number;
}

const { inputs, labels } = trainingData();

/** {@link Net} in plain loops, in float64 and without the library: what it must do in a life, one thing after the other. */
export class PlainNet {
  readonly #sizes: NetSizes;
  readonly #seed: number;
  readonly #weights: Weights;
  readonly #frozen = new Set<string>();
  /** How often masks have been drawn. */
  #draws = 0;
  /** What put the dropout layer into evaluation mode. */
  #heldBy: '' | 'body' | 'body.dropout' | undefined;
  readonly #disposed = new Set<string>();

  constructor(sizes: NetSizes, seed: number, weights: Numbers) {
    this.#sizes = sizes;
    this.#seed = seed;
    this.#weights = copyOf(weights);
  }

  /** The parameters as they are now. */
  get weights(): Numbers {
    return copyOf(this.#weights);
  }

  get isAllFrozen(): boolean {
    return [...this.#weights.keys()].every((name) => this.#frozen.has(name));
  }

  get isDisposed(): boolean {
    return this.#disposed.size > 0;
  }

  load(weights: Numbers): void {
    for (const [name, values] of weights) this.#weights.get(name)?.set(values);
  }

  setFrozen(path: string, isFrozen: boolean): void {
    for (const name of this.#within(path)) {
      if (isFrozen) this.#frozen.add(name);
      else this.#frozen.delete(name);
    }
  }

  /** A part that was switched on its own keeps its mode while the model is switched to evaluation. */
  setMode(path: '' | 'body' | 'body.dropout', isTraining: boolean): void {
    const depth = (part: string): number => part.split('.').length - (part === '' ? 1 : 0);
    if (isTraining) this.#heldBy = undefined;
    else if (this.#heldBy === undefined || depth(this.#heldBy) <= depth(path)) this.#heldBy = path;
  }

  dispose(path: string): void {
    for (const name of this.#within(path)) this.#disposed.add(name);
  }

  /** Another head, with the weights that the seed gives a head. */
  renewHead(initial: Numbers): void {
    for (const name of this.#within('head')) {
      this.#weights.set(name, Float64Array.from(initial.get(name) ?? []));
      this.#frozen.delete(name);
      this.#disposed.delete(name);
    }
  }

  /** The losses and hits of each epoch, and the weights before and behind each step. */
  fit(
    optimizer: PlainOptimizer,
    { epochs, batchSize, seed }: PlainFit,
  ): { readonly result: Numbers; readonly snapshots: readonly Numbers[] } {
    const size = Math.min(batchSize, ROWS);
    const first = Math.floor(optimizer.steps / Math.ceil(ROWS / size));
    const snapshots = [this.weights];
    const [losses, shares]: [number[], number[]] = [[], []];
    for (let epoch = first; epoch < first + epochs; epoch++) {
      let [loss, hits] = [0, 0];
      for (const rows of batchIndices(ROWS, size, { seed, epoch })) {
        const step = this.#step(optimizer, rows);
        loss += step.loss;
        hits += step.hits;
        snapshots.push(this.weights);
      }
      losses.push(loss / ROWS);
      shares.push(hits / ROWS);
    }
    return { result: new Map([['loss', losses], ['accuracy', shares]]), snapshots }; // prettier-ignore
  }

  #step(optimizer: PlainOptimizer, rows: Int32Array): { readonly loss: number; readonly hits: number } {
    const { hidden, dropout } = this.#sizes;
    const isDropping = (this.#heldBy === undefined || this.#heldBy === '') && dropout > 0;
    const state = [...keyOfSeed(this.#seed), this.#draws, 0];
    const bits = drawBits(state, streamOf('body.dropout.mask'), 0, rows.length * hidden);
    if (isDropping) this.#draws++;
    const scaleOf = (place: number): number =>
      !isDropping ? 1 : (bits[place] ?? 0) >>> 8 >= dropout * 2 ** 24 ? 1 / (1 - dropout) : 0;

    const gradients = new Map([...this.#weights].map(([name, { length }]) => [name, new Float64Array(length)]));
    let [loss, hits] = [0, 0];
    rows.forEach((row, n) => {
      const pass = forward(this.#weights, row, (h) => scaleOf(n * hidden + h));
      loss += pass.loss;
      hits += pass.hit;
      backward(this.#weights, pass, row, rows.length, gradients);
    });
    for (const [name, gradient] of gradients) {
      const weight = this.#weights.get(name);
      if (weight && !this.#frozen.has(name)) optimizer.descend(weight, gradient);
    }
    optimizer.steps++;
    return { loss, hits };
  }

  #within(path: string): string[] {
    return [...this.#weights.keys()].filter((name) => path === '' || name === path || name.startsWith(`${path}.`));
  }
}

/** Logits of the first rows of the data, by given weights. */
export function predictPlainly(weights: Numbers, rows: number): Numbers {
  const own = copyOf(weights);
  const outputs = Array.from({ length: rows }, (_, row) => forward(own, row, () => 1).logits);
  return new Map([['outputs', outputs.flat()]]);
}

/** Mean loss and share of hits over the data, by given weights. */
export function evaluatePlainly(weights: Numbers): Numbers {
  const own = copyOf(weights);
  let [loss, hits] = [0, 0];
  for (let row = 0; row < ROWS; row++) {
    const pass = forward(own, row, () => 1);
    loss += pass.loss;
    hits += pass.hit;
  }
  return new Map([['loss', [loss / ROWS]], ['accuracy', [hits / ROWS]]]); // prettier-ignore
}

interface Pass {
  /** relu(x · W1ᵀ + b1) · scale, and the slope of it. */
  readonly hidden: readonly number[];
  readonly slopes: readonly number[];
  readonly logits: readonly number[];
  readonly probabilities: readonly number[];
  readonly loss: number;
  readonly hit: number;
}

function forward(weights: Weights, row: number, scaleOf: (h: number) => number): Pass {
  const [W1, b1, W2, b2] = partsOf(weights);
  const x = inputs.subarray(row * COLUMNS, (row + 1) * COLUMNS);
  const sums = Array.from(b1, (bias, h) => bias + dot(x, W1.subarray(h * COLUMNS, (h + 1) * COLUMNS)));
  const slopes = sums.map((sum, h) => (sum > 0 ? scaleOf(h) : 0));
  const hidden = sums.map((sum, h) => sum * (slopes[h] ?? NaN));
  const H = hidden.length;
  const logits = Array.from(b2, (bias, c) => bias + dot(hidden, W2.subarray(c * H, (c + 1) * H)));
  const largest = Math.max(...logits);
  const exponentials = logits.map((logit) => Math.exp(logit - largest));
  const total = exponentials.reduce((sum, e) => sum + e, 0);
  const label = labels[row] ?? NaN;
  return {
    hidden,
    slopes,
    logits,
    probabilities: exponentials.map((e) => e / total),
    loss: Math.log(total) + largest - (logits[label] ?? NaN),
    hit: Number(logits.indexOf(largest) === label),
  };
}

/** Adds the gradients of the mean loss of `count` rows. */
function backward(weights: Weights, pass: Pass, row: number, count: number, gradients: Weights): void {
  const [, , W2] = partsOf(weights);
  const [dW1, db1, dW2, db2] = partsOf(gradients);
  const { hidden, slopes, probabilities } = pass;
  const H = hidden.length;
  const x = inputs.subarray(row * COLUMNS, (row + 1) * COLUMNS);
  const dHidden = new Float64Array(H);
  probabilities.forEach((probability, c) => {
    const d = (probability - Number(c === labels[row])) / count;
    addScaled(db2.subarray(c, c + 1), d, [1]);
    addScaled(dW2.subarray(c * H, (c + 1) * H), d, hidden);
    addScaled(dHidden, d, W2.subarray(c * H, (c + 1) * H));
  });
  slopes.forEach((slope, h) => {
    const d = (dHidden[h] ?? NaN) * slope;
    addScaled(db1.subarray(h, h + 1), d, [1]);
    addScaled(dW1.subarray(h * COLUMNS, (h + 1) * COLUMNS), d, x);
  });
}

const NAMES = ['body.fc.weight', 'body.fc.bias', 'head.weight', 'head.bias'] as const;

function partsOf(weights: Weights): [Float64Array, Float64Array, Float64Array, Float64Array] {
  const [W1, b1, W2, b2] = NAMES.map((name) => weights.get(name));
  if (!W1 || !b1 || !W2 || !b2) throw new Error(`a net has ${NAMES.join(', ')}`);
  return [W1, b1, W2, b2];
}

function copyOf(weights: Numbers): Weights {
  return new Map([...weights].map(([name, values]) => [name, Float64Array.from(values)]));
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += (a[i] ?? NaN) * (b[i] ?? NaN);
  return total;
}

function addScaled(to: Float64Array, factor: number, values: ArrayLike<number>): void {
  for (let i = 0; i < to.length; i++) to[i] = (to[i] ?? NaN) + factor * (values[i] ?? NaN);
}

import { uniformNumbers } from '../step/workload.js';

/** Which of its three tensors a convolution computes from the other two. */
export const PASSES = ['forward', 'inputGradient', 'weightGradient'] as const;

/** One of {@link PASSES}. */
export type Pass = (typeof PASSES)[number];

/**
 * A convolution by name, with the shapes of its tensors: picture [N, height, width, channels], output alike. The weight is
 * [out, height, width, in], or [height, width, channels] where each channel has a window of its own.
 */
export interface Convolution {
  readonly name: string;
  readonly isDepthwise: boolean;
  readonly picture: readonly number[];
  readonly weight: readonly number[];
  readonly output: readonly number[];
  readonly stride: readonly [height: number, width: number];
  /** Top, bottom, left, right. */
  readonly padding: readonly [top: number, bottom: number, left: number, right: number];
}

/** Its tensors' values, row-major. */
export interface ConvolutionValues {
  readonly picture: Float32Array;
  readonly weight: Float32Array;
  readonly output: Float32Array;
}

/** A product and a sum for each pair of elements that meet, padding included. */
export function flopOf({ output, weight, isDepthwise }: Convolution): number {
  const [window, channels] = isDepthwise ? [weight.slice(0, 2), 1] : [weight.slice(1, 3), weight[3] ?? NaN];
  return 2 * product(output) * product(window) * channels;
}

/** The same numbers for every library: uniform in [-1, 1), the output's as a gradient that comes back. */
export function convolutionValues({ picture, weight, output }: Convolution): ConvolutionValues {
  const make = (shape: readonly number[], seed: number): Float32Array => {
    const random = uniformNumbers(seed);
    return Float32Array.from({ length: product(shape) }, () => 2 * random() - 1);
  };
  return { picture: make(picture, 1), weight: make(weight, 2), output: make(output, 3) };
}

/** The shape of what a pass computes. */
export function shapeOfPass({ picture, weight, output }: Convolution, pass: Pass): readonly number[] {
  return { forward: output, inputGradient: picture, weightGradient: weight }[pass];
}

/** An element of what a pass computes, and how many terms it sums. */
export interface ExactElement {
  readonly value: number;
  readonly terms: number;
}

/** Elements of what a pass computes, in float64. */
export function exactElements(convolution: Convolution, pass: Pass, places: readonly number[]): ExactElement[] {
  const sums = new Sums(convolution);
  return places.map((place) => sums[pass](indexOf(shapeOfPass(convolution, pass), place)));
}

/** T = Σ picture · weight · output over all that meet; each pass is its derivative by one of them. */
class Sums {
  readonly #convolution: Convolution;
  readonly #values: ConvolutionValues;

  constructor(convolution: Convolution) {
    this.#convolution = convolution;
    this.#values = convolutionValues(convolution);
  }

  forward([n = NaN, p = NaN, q = NaN, o = NaN]: readonly number[]): ExactElement {
    const { R, S } = this.#window;
    const terms = range(R).flatMap((r) =>
      range(S).flatMap((s) => this.#inputsOf(o).map((c) => this.#picture(n, p, q, r, s, c) * this.#weight(o, r, s, c))),
    );
    return total(terms);
  }

  inputGradient([n = NaN, h = NaN, w = NaN, c = NaN]: readonly number[]): ExactElement {
    const { R, S } = this.#window;
    const [strideHeight, strideWidth] = this.#convolution.stride;
    const [top, , left] = this.#convolution.padding;
    const [, P = 0, Q = 0] = this.#convolution.output;
    const terms: number[] = [];
    for (const r of range(R)) {
      for (const s of range(S)) {
        const [p, q] = [(h + top - r) / strideHeight, (w + left - s) / strideWidth];
        if (!Number.isInteger(p) || !Number.isInteger(q) || p < 0 || q < 0 || p >= P || q >= Q) continue;
        terms.push(...this.#outputsOf(c).map((o) => this.#output(n, p, q, o) * this.#weight(o, r, s, c)));
      }
    }
    return total(terms);
  }

  weightGradient(index: readonly number[]): ExactElement {
    const [N = 0, P = 0, Q = 0] = this.#convolution.output;
    const { isDepthwise } = this.#convolution;
    const [o = NaN, r = NaN, s = NaN, c = NaN] = isDepthwise ? [index[2], index[0], index[1], index[2]] : index;
    const terms = range(N).flatMap((n) =>
      range(P).flatMap((p) => range(Q).map((q) => this.#picture(n, p, q, r, s, c) * this.#output(n, p, q, o))),
    );
    return total(terms);
  }

  get #window(): { R: number; S: number } {
    const { weight, isDepthwise } = this.#convolution;
    const [R = 0, S = 0] = isDepthwise ? weight : weight.slice(1);
    return { R, S };
  }

  #inputsOf(o: number): readonly number[] {
    return this.#convolution.isDepthwise ? [o] : range(this.#convolution.picture[3] ?? 0);
  }

  #outputsOf(c: number): readonly number[] {
    return this.#convolution.isDepthwise ? [c] : range(this.#convolution.output[3] ?? 0);
  }

  /** What stands in a window's place: 0 around the picture. */
  #picture(n: number, p: number, q: number, r: number, s: number, c: number): number {
    const [, H = 0, W = 0, C = 0] = this.#convolution.picture;
    const [strideHeight, strideWidth] = this.#convolution.stride;
    const [top, , left] = this.#convolution.padding;
    const [h, w] = [p * strideHeight + r - top, q * strideWidth + s - left];
    if (h < 0 || w < 0 || h >= H || w >= W) return 0;
    return this.#values.picture[((n * H + h) * W + w) * C + c] ?? NaN;
  }

  #weight(o: number, r: number, s: number, c: number): number {
    const { R, S } = this.#window;
    const [, , , C = 0] = this.#convolution.picture;
    const place = this.#convolution.isDepthwise ? (r * S + s) * C + c : ((o * R + r) * S + s) * C + c;
    return this.#values.weight[place] ?? NaN;
  }

  #output(n: number, p: number, q: number, o: number): number {
    const [, P = 0, Q = 0, O = 0] = this.#convolution.output;
    return this.#values.output[((n * P + p) * Q + q) * O + o] ?? NaN;
  }
}

function total(terms: readonly number[]): ExactElement {
  return { value: terms.reduce((sum, term) => sum + term, 0), terms: terms.length };
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

function indexOf(shape: readonly number[], place: number): number[] {
  const index: number[] = [];
  let rest = place;
  for (const size of [...shape].reverse()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return index;
}

function product(shape: readonly number[]): number {
  return shape.reduce((all, size) => all * size, 1);
}

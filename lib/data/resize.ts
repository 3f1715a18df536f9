import { allocate } from '../allocate.js';
import { DataError, ShapeError } from '../errors.js';
import { checkArgument, type OptionRule, show } from '../options.js';

/** Width and height of a picture, in pixels. */
export interface PictureSize {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
}

/** Size of an array of pixels: height x width x channels, row by row, the channels of a pixel side by side. */
export interface PixelLayout extends PictureSize {
  /** Numbers in a pixel: 1 for grey, 3 for RGB, 4 for RGBA. */
  readonly channels: number;
}

/** Fraction bits of a weight: 8 bits of pixel and 2 to spare for sums fit beside them in 32 (Pillow: PRECISION_BITS). */
const WEIGHT_BITS = 32 - 8 - 2;

/**
 * Resizes a picture with an antialiased bilinear filter. For each axis, with scale = old size / new size,
 *
 *     width of the filter  w = max(scale, 1)
 *     centre of pixel x    c = (x + 0.5) · scale
 *     out[x] = Σ_i k(i) · in[i],   k(i) ∝ max(0, 1 − |i + 0.5 − c| / w),   Σ_i k(i) = 1
 *
 * So a smaller picture averages over all the pixels that it stands for, and a larger one interpolates between two. Rows
 * are resized first, then columns; an axis that keeps its size is left alone. Weights are rounded to 22 fraction bits
 * and the result of each of the two passes to 8 bits, as Pillow does it (src/libImaging/Resample.c,
 * `Image.resize(size, Image.BILINEAR)`): the result is the same, bit for bit.
 *
 * @param pixels u8 [height, width, channels]
 * @param layout the size of `pixels`
 * @param target the size wanted
 * @returns u8 [target.height, target.width, channels], a new array
 * @throws ShapeError where a size is not a whole number from 1 on, or `layout` does not fit `pixels`
 * @throws DataError where the pixels are no bytes, or the result does not fit into memory
 */
export function resizeBilinear(
  pixels: Uint8Array | Uint8ClampedArray,
  layout: PixelLayout,
  target: PictureSize,
): Uint8Array {
  if (!(pixels instanceof Uint8Array || pixels instanceof Uint8ClampedArray)) {
    throw new DataError(`resizeBilinear: the pixels are ${show(pixels)}; expected bytes, in a Uint8Array`);
  }
  checkArgument('resizeBilinear', 'the layout', layout, LAYOUT);
  checkArgument('resizeBilinear', 'the target', target, LAYOUT);
  const { width, height, channels } = layout;
  checkSizes({ width, height, channels }, 'The picture');
  checkSizes({ width: target.width, height: target.height }, 'The target');
  if (pixels.length !== height * width * channels) {
    throw new ShapeError(
      `A picture of [${height}, ${width}, ${channels}] (height, width, channels) has ${height * width * channels} ` +
        `numbers, but ${pixels.length} were given`,
    );
  }
  // Seen from one axis, the picture is [before, size, after] with the numbers of `after` side by side.
  const rows = resizeAxis(pixels, height, width, channels, target.width); // [height, target.width, channels]
  return resizeAxis(rows, 1, height, target.width * channels, target.height); // [target.height, target.width, channels]
}

const LAYOUT: OptionRule = {
  expected: 'an object of sizes, such as { width: 28, height: 28 }',
  accepts: (value) => typeof value === 'object' && value !== null,
};

/** Resizes the middle axis: [before, size, after] to [before, newSize, after]. */
function resizeAxis(
  input: Uint8Array | Uint8ClampedArray,
  before: number,
  size: number,
  after: number,
  newSize: number,
): Uint8Array {
  if (newSize === size) return new Uint8Array(input);
  const output = allocate(Uint8Array, before * newSize * after, 'resizeBilinear');
  const filters = Array.from({ length: newSize }, (_, x) => filterWeights(x, size, newSize));
  let to = 0;
  for (let b = 0; b < before; b++) {
    for (const { first, weights } of filters) {
      const from = (b * size + first) * after;
      if (after === 3) weighColours(input, from, weights, output, to);
      else weigh(input, from, weights, after, output, to);
      to += after;
    }
  }
  return output;
}

/** One half, so that the shift rounds. */
const HALF = 1 << (WEIGHT_BITS - 1);

/** `after` weighted sums, side by side. */
function weigh(
  input: Uint8Array | Uint8ClampedArray,
  from: number,
  weights: Int32Array,
  after: number,
  output: Uint8Array,
  to: number,
): void {
  for (let a = 0; a < after; a++) {
    let sum = HALF;
    for (let i = 0; i < weights.length; i++) sum += (weights[i] ?? 0) * (input[from + i * after + a] ?? 0);
    output[to + a] = Math.min(sum >> WEIGHT_BITS, 255);
  }
}

/** The same of the three colours of pixels in a row, in one go: half the time. */
function weighColours(
  input: Uint8Array | Uint8ClampedArray,
  from: number,
  weights: Int32Array,
  output: Uint8Array,
  to: number,
): void {
  let [red, green, blue] = [HALF, HALF, HALF];
  for (let i = 0, at = from; i < weights.length; i++, at += 3) {
    const weight = weights[i] ?? 0;
    red += weight * (input[at] ?? 0);
    green += weight * (input[at + 1] ?? 0);
    blue += weight * (input[at + 2] ?? 0);
  }
  output[to] = Math.min(red >> WEIGHT_BITS, 255);
  output[to + 1] = Math.min(green >> WEIGHT_BITS, 255);
  output[to + 2] = Math.min(blue >> WEIGHT_BITS, 255);
}

/** The pixels that pixel `x` of the new axis is made of: weights of `first`, `first` + 1, …, in units of 2^-22. */
function filterWeights(x: number, size: number, newSize: number): { first: number; weights: Int32Array } {
  const scale = size / newSize;
  const support = Math.max(scale, 1);
  const centre = (x + 0.5) * scale;
  const first = Math.max(Math.trunc(centre - support + 0.5), 0);
  const end = Math.min(Math.trunc(centre + support + 0.5), size);

  // NOTE: the order of these float64 operations is Pillow's; another order rounds some weights differently.
  const perPixel = 1 / support;
  const triangle = Array.from({ length: end - first }, (_, i) =>
    Math.max(0, 1 - Math.abs((i + first - centre + 0.5) * perPixel)),
  );
  let total = 0;
  for (const weight of triangle) total += weight;
  return {
    first,
    weights: Int32Array.from(triangle, (weight) => Math.trunc((weight / total) * 2 ** WEIGHT_BITS + 0.5)),
  };
}

function checkSizes(sizes: Readonly<Record<string, number>>, what: string): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new ShapeError(`${what} has the ${name} ${show(size)}; expected a whole number from 1 on`);
    }
  }
}

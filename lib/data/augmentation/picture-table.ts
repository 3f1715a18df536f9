import { DataError } from '../../errors.js';
import { printable } from '../../printable.js';
import type { ExampleData } from '../training-data.js';
import type { Normalization } from '../normalization.js';
import type { PictureShape } from './picture-shape.js';

type Numbers = Float32Array | Uint8Array;

/** A value may be so far beyond black and white: pictures may have been made smaller with a kernel that overshoots. */
const BEYOND = 0.1;

/** Inputs as the device holds them, the channels of a pixel side by side. */
export function channelsLast(inputs: Numbers, { height, width, channels, layout }: PictureShape): Numbers {
  if (layout !== 'channels-first' || channels === 1) return inputs;
  const plane = height * width;
  const size = plane * channels;
  const table = inputs instanceof Uint8Array ? new Uint8Array(inputs.length) : new Float32Array(inputs.length);
  for (let start = 0; start < inputs.length; start += size) {
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < plane; i++) table[start + i * channels + c] = inputs[start + c * plane + i] ?? NaN;
    }
  }
  return table;
}

/** The mean number of each channel of each picture of a table with channels last, [N, channels]. */
export function meansOf(
  table: Numbers,
  scale: number,
  { height, width, channels }: PictureShape,
): Float32Array<ArrayBuffer> {
  const plane = height * width;
  const count = table.length / (plane * channels);
  const means = new Float32Array(count * channels);
  const sums = new Float64Array(channels);
  for (let n = 0; n < count; n++) {
    sums.fill(0);
    const end = (n + 1) * plane * channels;
    for (let i = n * plane * channels; i < end; i += channels) {
      for (let c = 0; c < channels; c++) sums[c] = (sums[c] ?? NaN) + (table[i + c] ?? NaN);
    }
    sums.forEach((sum, c) => {
      means[n * channels + c] = (sum * scale) / plane;
    });
  }
  return means;
}

/** Throws DataError, naming the picture, unless all values are from 0, black, to 1, white. */
export function checkValues(
  table: Numbers,
  { scale, files }: { readonly scale: number; readonly files: ExampleData['files'] },
  { height, width, channels }: PictureShape,
  { mean, deviation }: Normalization,
): void {
  const size = height * width * channels;
  for (let i = 0; i < table.length; i++) {
    const c = i % channels;
    const value = (table[i] ?? NaN) * scale * (deviation[c] ?? NaN) + (mean[c] ?? NaN);
    if (value >= -BEYOND && value <= 1 + BEYOND) continue;
    const row = Math.floor(i / size);
    const file = files?.[row];
    throw new DataError(
      `augmentation changes colours, which go from 0, black, to 1, white: picture ${row}` +
        `${file === undefined ? '' : ` (${printable(file)})`} has ${Number(value.toPrecision(6))}. ` +
        'Scale the pictures, or say with the option normalization how their numbers were made of such values',
    );
  }
}

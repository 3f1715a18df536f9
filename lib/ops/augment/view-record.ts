import { ceilDivide } from '../../graph/launch.js';

/**
 * What `drawViews` leaves of a view for `sampleViews`, f32. The first 16 numbers are
 *
 *     0 … 8    the homography, by rows: pixel (x, y) of the view lies at (h0 x + h1 y + h2, h3 x + h4 y + h5) / (h6 x + h7 y + h8)
 *              of the picture, both in pixels, whose middles are whole numbers
 *     9, 10    the first column and row of the square that is cut out
 *     11       of 24 random bits, what is below makes a pixel noise
 *     12, 13   the key of the noise, two numbers of 16 bits
 *
 * and behind them come, for each four channels, vectors of four: {@link VECTORS}. They are numbers as pictures hold them.
 */
export const HEAD = 16;

/** Places in the head. */
export const CUT_PLACE = 9;
export const NOISE_PLACE = 11;
export const NOISE_KEY_PLACE = 12;

/**
 * What stands outside the picture and in the square that is cut out, black and white, what is added to a colour, and what
 * it is multiplied by: a vector, or the three columns of a matrix.
 */
export const VECTORS = ['fill', 'cutFill', 'low', 'high', 'offset', 'gain'] as const;

/** Numbers between four channels and the next four. */
const STRIDE = 4 * VECTORS.length;

/** Numbers of a record. @param mixes whether colours are multiplied by a matrix, of three channels */
export function recordSize(channels: number, mixes: boolean): number {
  return HEAD + STRIDE * ceilDivide(channels, 4) + (mixes ? 8 : 0);
}

/** The place of a channel's number in a record; of a matrix, `gain` is the first of three columns. */
export function placeIn(vector: (typeof VECTORS)[number], channel: number, column = 0): number {
  const quad = Math.floor(channel / 4);
  return HEAD + STRIDE * quad + 4 * (VECTORS.indexOf(vector) + column) + (channel - 4 * quad);
}

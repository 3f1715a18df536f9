import { createHash } from 'node:crypto';
import { type PictureSize, resizeBilinear } from '../../data/resize.js';
import type { DecodedPicture } from '../pictures/decoded-picture.js';

/** What two pictures are compared by. */
export interface Fingerprint {
  /** Equal for pictures of the same size and pixels, whatever their files are. */
  readonly digest: string;
  /** The difference hash, 32 bits each. */
  readonly hash: readonly [high: number, low: number];
  /** u8 [16, 16, 3] */
  readonly thumbnail: Uint8Array;
}

/** What hash and thumbnail are made of. */
const REDUCED = { width: 32, height: 32 };
const THUMBNAIL = { width: 16, height: 16 };
/** Pixels of the picture that the difference hash is made of: 8 differences in a row. */
const HASHED = { width: 9, height: 8 };

/** The fingerprint of a picture. */
export function fingerprintOf({ width, height, pixels }: DecodedPicture): Fingerprint {
  const digest = createHash('sha256').update(`${width} x ${height} `).update(pixels).digest('base64');
  const reduced = resizeBilinear(pixels, { width, height, channels: 3 }, REDUCED);
  const reducedTo = (size: PictureSize): Uint8Array => resizeBilinear(reduced, { ...REDUCED, channels: 3 }, size);
  return { digest, hash: differenceHash(reducedTo(HASHED)), thumbnail: reducedTo(THUMBNAIL) };
}

/**
 * Of 8 rows of 9 grey pixels, whether each is darker than its neighbour on the right: 64 bits that stay nearly the same when a
 * picture is scaled, compressed, or made brighter (Krawetz 2013, "Kind of like that", hackerfactor.com: dHash).
 */
function differenceHash(small: Uint8Array): [number, number] {
  const luma = Array.from({ length: HASHED.width * HASHED.height }, (_, i) => {
    const [red = 0, green = 0, blue = 0] = small.subarray(3 * i, 3 * i + 3);
    return 299 * red + 587 * green + 114 * blue;
  });
  const words: [number, number] = [0, 0];
  for (let bit = 0; bit < 64; bit++) {
    const at = Math.floor(bit / 8) * HASHED.width + (bit % 8);
    if ((luma[at] ?? 0) < (luma[at + 1] ?? 0)) words[bit < 32 ? 0 : 1] |= 1 << (bit % 32);
  }
  return words;
}

/** How many bits of a word are 1. */
export function bitCount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Below this standard deviation, in levels of 0 to 255, a thumbnail is one colour. */
const FLAT = 1;

/**
 * How alike two thumbnails are, as their correlation over all numbers: 1 where one is the other made brighter or given more
 * contrast. Where one is of a single colour, 1 or 0, by whether they differ by less than 4 levels.
 */
export function likeness(one: Uint8Array, other: Uint8Array): number {
  let [sum, otherSum, squares, otherSquares, products, difference] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < one.length; i++) {
    const [a, b] = [one[i] ?? 0, other[i] ?? 0];
    sum += a;
    otherSum += b;
    squares += a * a;
    otherSquares += b * b;
    products += a * b;
    difference += Math.abs(a - b);
  }
  const count = one.length;
  const variance = squares / count - (sum / count) ** 2;
  const otherVariance = otherSquares / count - (otherSum / count) ** 2;
  if (Math.min(variance, otherVariance) < FLAT ** 2) return difference / count < 4 ? 1 : 0;
  return (products / count - (sum / count) * (otherSum / count)) / Math.sqrt(variance * otherVariance);
}

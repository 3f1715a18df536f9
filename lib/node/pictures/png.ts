import { inflateSync } from 'node:zlib';
import { PNG } from 'pngjs';
import { DataError } from '../../errors.js';
import {
  bytes as bytesRule,
  checkArgument,
  checkOptions,
  type OptionRule,
  type OptionRules,
  text,
  wholeNumber,
} from '../../options.js';
import { printable } from '../../printable.js';
import { type DecodedPicture, MAX_PIXELS, type WholePicture } from './decoded-picture.js';
import { checkPngChunks, readBeginning, type PngHeader } from './png-chunks.js';

/** A colour: red, green and blue, each from 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** Options of {@link decodePng}. */
export interface DecodePngOptions {
  /** The colour behind pixels that are not opaque; white by default. */
  readonly background?: Rgb;
  /** What error messages call the file, such as its path. */
  readonly source?: string;
  /**
   * Larger pictures are refused by what their header says: a file of some 100 KB can hold gigabytes. Default 2^26 (8,192 x 8,192); of
   * so many, decoding takes 0.6 to 2.4 GB, most for 16 bits with opacity.
   */
  readonly maxPixels?: number;
}

const WHITE: Rgb = [255, 255, 255];

/** @internal A colour as an option. */
export const rgb: OptionRule = {
  expected: 'three whole numbers from 0 to 255',
  accepts: (value) =>
    Array.isArray(value) &&
    value.length === 3 &&
    value.every((part) => Number.isInteger(part) && part >= 0 && part <= 255),
};

const RULES: OptionRules<DecodePngOptions> = { background: rgb, source: text, maxPixels: wholeNumber({ min: 1 }) };

/**
 * Decodes a PNG file of any kind that the format has (grey, grey with alpha, palette, RGB, RGBA; 1 to 16 bits; one
 * transparent colour; interlaced) to 8-bit RGB. Grey becomes three equal channels; d bits become round(255 · v / (2^d − 1)); a pixel of opacity
 * a (0 to 255) in front of the background b becomes round((a · c + (255 − a) · b) / 255). Gamma and colour profiles are
 * not applied.
 *
 * A file is refused unless every chunk up to the end mark is there with its right checksum and the picture's data have
 * exactly the size that its header says: a file cut off anywhere never gives a picture that is partly black. Bytes behind
 * the end mark are ignored.
 *
 * @param bytes the whole file
 * @param options see {@link DecodePngOptions}
 * @throws DataError naming the source and what is wrong
 * @throws OptionError for an unknown option, or one out of its range
 */
export function decodePng(bytes: Uint8Array, options: DecodePngOptions = {}): DecodedPicture {
  checkArgument('decodePng', 'bytes', bytes, bytesRule);
  checkOptions('decodePng', options, RULES);
  const { width, height, pixels } = readPng(bytes, options);
  return { width, height, pixels };
}

/** @internal {@link decodePng} of options that are checked, with what its result leaves out. */
export function readPng(bytes: Uint8Array, options: DecodePngOptions): WholePicture {
  const { background = WHITE, maxPixels = MAX_PIXELS } = options;
  const source = printable(options.source ?? 'PNG data');
  const { header, imageData, end, isAnimated } = checkPngChunks(bytes, source, maxPixels);
  checkImageData(imageData, expectedBytes(header), source);
  try {
    const file = Buffer.from(bytes.buffer, bytes.byteOffset, end);
    const { width, height, data } = PNG.sync.read(file, { checkCRC: false }); // checked already
    return { width, height, ...composed(data, background), isAnimated };
  } catch (error) {
    throw new DataError(`${source}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What a file may have beside its picture: texts, colour profiles, thumbnails. */
const OTHER_BYTES = 2 ** 26;

/** @internal Throws DataError where a file of `fileBytes` that begins so is not worth reading. */
export function checkBeginning(beginning: Uint8Array, fileBytes: number, source: string, maxPixels: number): void {
  const header = readBeginning(beginning, source, maxPixels);
  if (header === undefined) return;
  const most = Math.ceil(1.125 * expectedBytes(header)) + OTHER_BYTES; // deflate makes nothing longer than by a thousandth
  if (fileBytes <= most) return;
  throw new DataError(
    `${source}: the file has ${fileBytes} bytes; a picture of ${header.width} x ${header.height} pixels has less than ${most}`,
  );
}

/** Puts RGBA pixels in front of a colour. */
function composed(rgba: Uint8Array, [red, green, blue]: Rgb): Pick<WholePicture, 'pixels' | 'isTransparent'> {
  const pixels = new Uint8Array((rgba.length / 4) * 3);
  let isTransparent = false;
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    const alpha = rgba[from + 3] ?? 0;
    isTransparent ||= alpha < 255;
    pixels[to] = inFront(rgba[from] ?? 0, alpha, red);
    pixels[to + 1] = inFront(rgba[from + 1] ?? 0, alpha, green);
    pixels[to + 2] = inFront(rgba[from + 2] ?? 0, alpha, blue);
  }
  return { pixels, isTransparent };
}

function inFront(value: number, alpha: number, behind: number): number {
  return Math.round((alpha * value + (255 - alpha) * behind) / 255);
}

/** First column and row, and the steps between columns and rows, of the seven pictures that an interlaced one is split in. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Bytes of the picture's data when inflated: each row has one byte for its filter, and its pixels packed to bytes. */
function expectedBytes({ width, height, bitsPerPixel, interlaced }: PngHeader): number {
  const bytesOf = (columns: number, rows: number): number =>
    columns === 0 ? 0 : rows * (1 + Math.ceil((columns * bitsPerPixel) / 8));
  if (!interlaced) return bytesOf(width, height);
  return ADAM7.map(([x, y, dx, dy]) => bytesOf(Math.ceil((width - x) / dx), Math.ceil((height - y) / dy))).reduce(
    (sum, part) => sum + part,
  );
}

/** NOTE: pngjs reads a deflate stream of any size, so it is inflated here once before, within bounds. */
function checkImageData(deflated: readonly Uint8Array[], expected: number, source: string): void {
  let size: number;
  try {
    size = inflateSync(Buffer.concat(deflated), { maxOutputLength: expected }).length;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      throw new DataError(`${source}: its image data are longer than its size says, ${expected} bytes`);
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(`${source}: its image data are damaged (${reason})`);
  }
  if (size !== expected) throw new DataError(`${source}: its image data end after ${size} of ${expected} bytes`);
}

import { inflateSync } from 'node:zlib';
import { PNG } from 'pngjs';
import { DataError } from '../errors.js';
import { checkPngChunks, type PngHeader } from './png-chunks.js';

/** A colour: red, green and blue, each from 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** Options of {@link decodePng}. */
export interface DecodePngOptions {
  /** The colour behind pixels that are not opaque; white by default. */
  readonly background?: Rgb;
  /** What error messages call the file, such as its path. */
  readonly source?: string;
}

/** A picture without transparency. */
export interface DecodedPng {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** u8 [height, width, 3]: red, green, blue. */
  readonly pixels: Uint8Array;
}

const WHITE: Rgb = [255, 255, 255];

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
 */
export function decodePng(bytes: Uint8Array, options: DecodePngOptions = {}): DecodedPng {
  const { background = WHITE, source = 'PNG data' } = options;
  const { header, imageData, end } = checkPngChunks(bytes, source);
  checkImageData(imageData, expectedBytes(header), source);
  try {
    const file = Buffer.from(bytes.buffer, bytes.byteOffset, end);
    const { width, height, data } = PNG.sync.read(file, { checkCRC: false }); // checked already
    return { width, height, pixels: composed(data, background) };
  } catch (error) {
    throw new DataError(`${source}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Puts RGBA pixels in front of a colour. */
function composed(rgba: Uint8Array, background: Rgb): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    const alpha = rgba[from + 3] ?? 0;
    for (const [channel, behind] of background.entries()) {
      rgb[to + channel] = Math.round((alpha * (rgba[from + channel] ?? 0) + (255 - alpha) * behind) / 255);
    }
  }
  return rgb;
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

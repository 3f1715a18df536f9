import { type PictureSize, resizeBilinear } from '../../data/resize.js';
import { DataError, OptionError } from '../../errors.js';
import {
  bytes as bytesRule,
  checkArgument,
  checkOptions,
  type OptionRule,
  type OptionRules,
  required,
  text,
  wholeNumber,
} from '../../options.js';
import { printable } from '../../printable.js';
import { withFile } from '../read-file.js';
import { reasonOf } from '../reasons.js';
import { type DecodedPicture, MAX_PIXELS, type WholePicture } from './decoded-picture.js';
import { isJpeg, isPng, kindOf } from './file-kind.js';
import { decodeJpeg } from './jpeg.js';
import { BEGINNING_BYTES } from './png-chunks.js';
import { checkBeginning, readPng, rgb, type Rgb } from './png.js';

/** How pictures are read. */
export interface PictureOptions {
  /** The size that a picture is resized to (`resizeBilinear`); without it, it keeps its own. */
  readonly size?: PictureSize;
  /** The colour behind pixels that are not opaque; white by default. */
  readonly background?: Rgb;
  /**
   * Larger pictures are refused by what their header says, before they are decoded: a file of some 100 KB can hold gigabytes.
   * Default 2^26 (8,192 x 8,192), which 48 and 64 megapixels are below. Of so many, decoding takes about 0.6 GB, of a PNG
   * file with 16 bits and opacity 2.4.
   */
  readonly maxPixels?: number;
}

/** Options of {@link decodePicture}. */
export interface DecodePictureOptions extends PictureOptions {
  /** What error messages call the file, such as its path. */
  readonly source?: string;
}

const EDGE = required(wholeNumber({ min: 1 }));
const SIZE_RULES: OptionRules<PictureSize> = { width: EDGE, height: EDGE };
const size: OptionRule = {
  expected: 'an object with width and height',
  accepts: (value) => typeof value === 'object' && value !== null,
};

/** @internal */
export const PICTURE_RULES: OptionRules<PictureOptions> = { size, background: rgb, maxPixels: wholeNumber({ min: 1 }) };

/** @internal Throws OptionError, naming the function, where a size is none, or larger than what is read. */
export function checkSize(caller: string, { size, maxPixels = MAX_PIXELS }: PictureOptions): void {
  if (!size) return;
  checkOptions(`${caller}: size`, size, SIZE_RULES);
  const { width, height } = size;
  if (width * height <= maxPixels) return;
  throw new OptionError(`${caller}: size ${width} x ${height} has more pixels than maxPixels, ${maxPixels}`);
}

/**
 * Decodes a PNG or JPEG file to 8-bit RGB; which of them it is, its first bytes say. PNG as {@link decodePng} does it. JPEG
 * by the package sharp where it is installed, else by @jsquash/jpeg, WebAssembly, which takes about four times as long:
 * grey, colours and CMYK (this one with sharp only), baseline and progressive, turned as the EXIF orientation says, with
 * the same pixels from both. Colour profiles are not applied, except to CMYK. A file that is cut off, or in which libjpeg
 * finds damage, is refused.
 *
 * @param bytes the whole file
 * @param options see {@link DecodePictureOptions}
 * @throws DataError naming the source and what is wrong
 * @throws OptionError for an unknown option, or one out of its range
 */
export async function decodePicture(bytes: Uint8Array, options: DecodePictureOptions = {}): Promise<DecodedPicture> {
  checkArgument('decodePicture', 'bytes', bytes, bytesRule);
  checkOptions('decodePicture', options, { ...PICTURE_RULES, source: text });
  checkSize('decodePicture', options);
  return resized(await decoded(bytes, printable(options.source ?? 'picture data'), options), options);
}

/**
 * Reads a picture from a file; see {@link decodePicture}. What is no regular file, or no PNG or JPEG file by its first bytes, or far
 * larger than a picture of `maxPixels` can be, is refused before it is read.
 *
 * @throws DataError naming the path and what is wrong
 * @throws OptionError for an unknown option, or one out of its range
 */
export async function readPicture(path: string, options: PictureOptions = {}): Promise<DecodedPicture> {
  checkArgument('readPicture', 'path', path, text);
  checkOptions('readPicture', options, PICTURE_RULES);
  checkSize('readPicture', options);
  return resized(await readWhole(path, printable(path), options), options);
}

/**
 * {@link readPicture} of options that are checked, before the picture is resized.
 *
 * @internal
 * @param source what messages call the file
 */
export async function readWhole(path: string, source: string, options: PictureOptions): Promise<WholePicture> {
  let bytes: Uint8Array;
  try {
    bytes = await withFile(path, async ({ size, read }) => {
      checkBeginningOf(await read(0, BEGINNING_BYTES), size, source, options.maxPixels ?? MAX_PIXELS);
      return read();
    });
  } catch (error) {
    throw error instanceof DataError ? error : new DataError(`${source}: ${reasonOf(error)}`);
  }
  return decoded(bytes, source, options);
}

/** What a JPEG file may have beside its picture: texts, colour profiles, thumbnails, a second picture or a film behind it. */
const OTHER_BYTES = 2 ** 27;

/** Throws DataError where a file that begins so is not worth reading. */
function checkBeginningOf(beginning: Uint8Array, fileBytes: number, source: string, maxPixels: number): void {
  if (beginning.length === 0) throw new DataError(`${source}: the file is empty`);
  if (isPng(beginning)) {
    checkBeginning(beginning, fileBytes, source, maxPixels);
  } else if (isJpeg(beginning)) {
    const most = 4 * maxPixels + OTHER_BYTES; // at the best quality noise takes some 3 bytes a pixel
    if (fileBytes <= most) return;
    throw new DataError(
      `${source}: the file has ${fileBytes} bytes; a picture of ${maxPixels} pixels has less than ${most}`,
    );
  } else {
    refuse(beginning, source);
  }
}

async function decoded(
  bytes: Uint8Array,
  source: string,
  { background, maxPixels = MAX_PIXELS }: PictureOptions,
): Promise<WholePicture> {
  if (bytes.length === 0) throw new DataError(`${source}: it is empty`);
  if (isPng(bytes)) return readPng(bytes, { source, maxPixels, ...(background && { background }) });
  if (isJpeg(bytes)) {
    return { ...(await decodeJpeg(bytes, source, maxPixels)), isTransparent: false, isAnimated: false };
  }
  return refuse(bytes, source);
}

function refuse(beginning: Uint8Array, source: string): never {
  const kind = kindOf(beginning);
  throw new DataError(
    `${source}: it is ${kind === undefined ? 'no picture that is known' : kind}; PNG and JPEG are read: convert it`,
  );
}

/** @internal The picture in the size that is asked for. */
export function resized({ width, height, pixels }: DecodedPicture, { size }: PictureOptions): DecodedPicture {
  if (size === undefined) return { width, height, pixels };
  return { ...size, pixels: resizeBilinear(pixels, { width, height, channels: 3 }, size) };
}

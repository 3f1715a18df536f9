import type sharpModule from 'sharp';
import { DataError } from '../../errors.js';
import type { DecodedPicture } from './decoded-picture.js';
import { type JpegHeader, readJpegHeader } from './jpeg-header.js';
import { jpegReason } from './jpeg-messages.js';
import { decodeWithMozjpeg } from './mozjpeg-decoder.js';
import { decodeWithSharp } from './sharp-decoder.js';

/** A library that decodes JPEG files. */
export interface JpegDecoder {
  readonly name: 'sharp' | 'mozjpeg';
  /** Decodes a whole file to RGB. Throws an Error with what the library says. */
  readonly decode: (bytes: Uint8Array, header: JpegHeader) => Promise<DecodedPicture>;
}

let chosen: Promise<JpegDecoder> | undefined;

/**
 * Decodes a JPEG file (grey, colours, CMYK; baseline and progressive) to 8-bit RGB, turned as its EXIF orientation says.
 * A file is refused where it ends too early or libjpeg finds damage in it.
 *
 * @param decoder left out: sharp, where it is installed, else WebAssembly. Their pixels are the same.
 * @throws DataError naming the source and what is wrong
 */
export async function decodeJpeg(
  bytes: Uint8Array,
  source: string,
  maxPixels: number,
  decoder?: JpegDecoder,
): Promise<DecodedPicture> {
  const header = readJpegHeader(bytes, source, maxPixels);
  chosen ??= chooseDecoder();
  const { name, decode } = decoder ?? (await chosen);
  if (header.components === 4 && name !== 'sharp') {
    throw new DataError(
      `${source}: its colours are CMYK, which the package sharp reads: install it, or convert the file`,
    );
  }
  try {
    return await decode(bytes, header);
  } catch (error) {
    throw new DataError(`${source}: ${jpegReason(error, bytes.length)}`);
  }
}

/** sharp where it can be had; it may be there and not run on this machine. */
export async function chooseDecoder(
  importSharp: () => Promise<{ readonly default: typeof sharpModule }> = () => import('sharp'),
): Promise<JpegDecoder> {
  try {
    const { default: sharp } = await importSharp();
    return { name: 'sharp', decode: (bytes, header) => decodeWithSharp(sharp, bytes, header) };
  } catch {
    return { name: 'mozjpeg', decode: decodeWithMozjpeg };
  }
}

import type sharpModule from 'sharp';
import type { DecodedPicture } from './decoded-picture.js';
import type { JpegHeader } from './jpeg-header.js';
import { isHarmless } from './jpeg-messages.js';

/** Pixels that are decoded at the same time, at most; a picture that has more is decoded alone. 6 to 9 bytes are held of each. */
const PIXELS_AT_ONCE = 2 ** 26;

let pixelsUnderWay = 0;
const waiting: (() => void)[] = [];

/**
 * Decodes a JPEG file, turned as its EXIF orientation says, by libvips in threads of its own. Colour profiles are left
 * aside, but for those of CMYK, without which there are no colours. Throws the Error of sharp, also for a warning of libjpeg
 * behind which the picture is not whole.
 */
export async function decodeWithSharp(
  sharp: typeof sharpModule,
  bytes: Uint8Array,
  header: JpegHeader,
): Promise<DecodedPicture> {
  const { width, height, components } = header;
  const decode = async (failOn: 'warning' | 'truncated'): Promise<DecodedPicture> => {
    const { data, info } = await sharp(bytes, { failOn, ignoreIcc: components !== 4, limitInputPixels: width * height })
      .autoOrient()
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, pixels: data };
  };
  return whileHolding(width * height, async () => {
    try {
      return await decode('warning');
    } catch (error) {
      if (!(error instanceof Error) || !isHarmless(error.message)) throw error;
      return await decode('truncated');
    }
  });
}

/** Waits until there is room for so many pixels more. */
async function whileHolding<T>(pixels: number, work: () => Promise<T>): Promise<T> {
  while (pixelsUnderWay > 0 && pixelsUnderWay + pixels > PIXELS_AT_ONCE) {
    await new Promise<void>((resolve) => waiting.push(resolve));
  }
  pixelsUnderWay += pixels;
  try {
    return await work();
  } finally {
    pixelsUnderWay -= pixels;
    for (const proceed of waiting.splice(0)) proceed();
  }
}

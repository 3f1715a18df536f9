import { DataError } from '../../errors.js';

/** A picture without transparency. */
export interface DecodedPicture {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** u8 [height, width, 3]: red, green, blue. */
  readonly pixels: Uint8Array;
}

/** @internal A picture as its file has it, with what is lost when it is decoded. */
export interface WholePicture extends DecodedPicture {
  /** Whether some of its pixels were not opaque. */
  readonly isTransparent: boolean;
  /** Whether its file has more pictures than this one, the first. */
  readonly isAnimated: boolean;
}

/**
 * What `maxPixels` is where it is not given: 8,192 x 8,192, more than the 48 and 64 megapixels of large photos.
 *
 * @internal
 */
export const MAX_PIXELS = 2 ** 26;

/** @internal Throws DataError where a picture has more pixels than are to be read. */
export function checkPixels(width: number, height: number, source: string, maxPixels: number): void {
  if (width * height <= maxPixels) return;
  throw new DataError(
    `${source}: a picture of ${width} x ${height} pixels; at most ${maxPixels} are read (the option maxPixels)`,
  );
}

import { DataError } from '../../errors.js';
import { checkPixels } from './decoded-picture.js';

/** What the frame header of a JPEG file says. */
export interface JpegHeader {
  /** Pixels in a row, and rows, as they are stored: before the picture is turned. */
  readonly width: number;
  readonly height: number;
  /** 1 of grey pictures, 3 of colours, 4 of CMYK. */
  readonly components: number;
}

/** The second byte of a marker; the first one is 0xff (ITU-T T.81, table B.1). */
const START_OF_IMAGE = 0xd8;
const END_OF_IMAGE = 0xd9;
const START_OF_SCAN = 0xda;
/** SOF0 to SOF15, each a kind of coding, without the tables (DHT, DAC) and the reserved one (JPG) that stand among them. */
const FRAMES = [0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf];

/** Bytes behind a frame's length that are looked at: precision, height and width of two each, and the number of components. */
const FRAME_BYTES = 6;

/**
 * Walks through the segments of a JPEG file up to the one with its size:
 *
 *     0xff | marker (1 byte) | length (2 bytes, big-endian, its own included) | data
 *
 * @throws DataError where there is none, or it says more than `maxPixels` pixels
 */
export function readJpegHeader(bytes: Uint8Array, source: string, maxPixels: number): JpegHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cutOff = (): DataError => new DataError(`${source}: it is cut off: ${bytes.length} bytes, before its size`);
  let position = 0;
  while (position + 4 <= bytes.length) {
    if (view.getUint8(position) !== 0xff) throw new DataError(`${source}: no marker stands at byte ${position}`);
    const marker = view.getUint8(position + 1);
    if (marker === 0xff) {
      position += 1; // any number of them may stand before a marker
    } else if (marker === START_OF_IMAGE) {
      position += 2; // it has no data
    } else if (FRAMES.includes(marker)) {
      if (position + 4 + FRAME_BYTES > bytes.length) throw cutOff();
      const [height, width] = [view.getUint16(position + 5), view.getUint16(position + 7)];
      if (width === 0 || height === 0) throw new DataError(`${source}: a picture of ${width} x ${height} pixels`);
      checkPixels(width, height, source, maxPixels);
      return { width, height, components: view.getUint8(position + 9) };
    } else if (marker === END_OF_IMAGE || marker === START_OF_SCAN) {
      throw new DataError(`${source}: it has no header with its size`);
    } else {
      position += 2 + view.getUint16(position + 2);
    }
  }
  throw cutOff();
}

import { DataError } from '../../errors.js';
import { checkPixels } from './decoded-picture.js';
import { kindOf, letters } from './file-kind.js';

/** What the header chunk of a PNG file says. */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  readonly bitsPerPixel: number;
  readonly interlaced: boolean;
}

/** What the chunks of a PNG file hold. */
export interface PngContents {
  readonly header: PngHeader;
  /** The deflated image data, in pieces. */
  readonly imageData: readonly Uint8Array[];
  /** The position behind the end mark. */
  readonly end: number;
  /** Whether it has frames beside its picture (APNG). */
  readonly isAnimated: boolean;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] as const;

/** Channels and allowed bit depths of each colour type (PNG specification, section 11.2.1). */
const COLOUR_TYPES: ReadonlyMap<number, { channels: number; depths: readonly number[] }> = new Map([
  [0, { channels: 1, depths: [1, 2, 4, 8, 16] }], // grey
  [2, { channels: 3, depths: [8, 16] }], // RGB
  [3, { channels: 1, depths: [1, 2, 4, 8] }], // palette
  [4, { channels: 2, depths: [8, 16] }], // grey, alpha
  [6, { channels: 4, depths: [8, 16] }], // RGBA
]);
const PALETTE = 3;

/** Bytes of a file up to the end of its header chunk. */
export const BEGINNING_BYTES = SIGNATURE.length + 25;
const HEADER_BYTES = 13;

/** Chunks that a reader must understand; a file with another one in capitals cannot be read right. */
const CRITICAL = ['IHDR', 'PLTE', 'IDAT', 'IEND'];

/**
 * Walks through the chunks of a PNG file, from its signature to its end mark:
 *
 *     length (4 bytes, big-endian) | type (4 letters) | data | CRC-32 of type and data (4 bytes)
 *
 * @throws DataError unless all chunks are there, whole and in order
 */
export function checkPngChunks(bytes: Uint8Array, source: string, maxPixels: number): PngContents {
  checkSignature(bytes, source);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const imageData: Uint8Array[] = [];
  const seen = new Set<string>();
  let header: PngHeader | undefined;
  let paletteEntries = 0;
  let colourType = 0;
  for (let position = SIGNATURE.length; ;) {
    if (position + 12 > bytes.length) {
      throw new DataError(`${source}: it is cut off: ${bytes.length} bytes, without the end mark IEND`);
    }
    const length = view.getUint32(position);
    const type = letters(bytes, position + 4, position + 8);
    if (!/^[A-Za-z]{4}$/.test(type)) throw new DataError(`${source}: no chunk begins at byte ${position}`);
    const start = position + 8;
    const end = start + length;
    if (end + 4 > bytes.length) {
      throw new DataError(
        `${source}: it is cut off: chunk ${type} at byte ${position} goes on to ${end + 4} of ${bytes.length} bytes`,
      );
    }
    if (view.getUint32(end) !== crc32(bytes.subarray(position + 4, end))) {
      throw new DataError(`${source}: chunk ${type} at byte ${position} has a wrong checksum`);
    }
    const data = bytes.subarray(start, end);
    position = end + 4;

    const first = seen.size === 0;
    if (first !== (type === 'IHDR'))
      throw new DataError(`${source}: ${first ? 'it does not begin with' : 'a second'} chunk IHDR`);
    if (seen.has(type) && (type === 'PLTE' || type === 'tRNS'))
      throw new DataError(`${source}: a second chunk ${type}`);
    seen.add(type);
    if (type === 'IHDR') {
      header = readHeader(data, source, maxPixels);
      colourType = data[9] ?? 0;
    } else if (type === 'PLTE') {
      paletteEntries = length / 3;
      if (!Number.isInteger(paletteEntries) || paletteEntries < 1 || paletteEntries > 256) {
        throw new DataError(`${source}: a palette of ${length} bytes; expected 3 for each of 1 to 256 colours`);
      }
    } else if (type === 'tRNS') {
      checkTransparency(length, colourType, paletteEntries, source);
    } else if (type === 'IDAT') {
      if (colourType === PALETTE && paletteEntries === 0) throw new DataError(`${source}: its palette is missing`);
      imageData.push(data);
    } else if (type === 'IEND') {
      if (header === undefined || imageData.length === 0) throw new DataError(`${source}: it has no image data`);
      return { header, imageData, end: position, isAnimated: seen.has('acTL') };
    } else if (/^[A-Z]/.test(type) && !CRITICAL.includes(type)) {
      throw new DataError(`${source}: chunk ${type} is unknown, and the picture cannot be read without it`);
    }
  }
}

/**
 * The header, from the first bytes of a file; undefined where they end before it does.
 *
 * @throws DataError where a file that begins so is no PNG file, or has more than `maxPixels` pixels
 */
export function readBeginning(beginning: Uint8Array, source: string, maxPixels: number): PngHeader | undefined {
  checkSignature(beginning, source);
  if (beginning.length < BEGINNING_BYTES) return undefined;
  const [length, type] = [
    new DataView(beginning.buffer, beginning.byteOffset).getUint32(8),
    letters(beginning, 12, 16),
  ];
  if (type !== 'IHDR') throw new DataError(`${source}: it does not begin with chunk IHDR`);
  return readHeader(beginning.subarray(16, 16 + length), source, maxPixels);
}

function readHeader(data: Uint8Array, source: string, maxPixels: number): PngHeader {
  if (data.length !== HEADER_BYTES)
    throw new DataError(`${source}: a header of ${data.length} bytes; expected ${HEADER_BYTES}`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, colourType] = [view.getUint8(8), view.getUint8(9)];
  const [compression, filter, interlace] = [view.getUint8(10), view.getUint8(11), view.getUint8(12)];
  if (width === 0 || height === 0) throw new DataError(`${source}: a picture of ${width} x ${height} pixels`);
  checkPixels(width, height, source, maxPixels);
  const kind = COLOUR_TYPES.get(colourType);
  if (kind === undefined || !kind.depths.includes(depth)) {
    throw new DataError(`${source}: colour type ${colourType} with ${depth} bits is not a PNG format`);
  }
  if (compression !== 0 || filter !== 0 || interlace > 1) {
    throw new DataError(`${source}: unknown compression ${compression}, filter ${filter} or interlacing ${interlace}`);
  }
  return { width, height, bitsPerPixel: kind.channels * depth, interlaced: interlace === 1 };
}

function checkTransparency(length: number, colourType: number, paletteEntries: number, source: string): void {
  const fits = colourType === PALETTE ? length <= paletteEntries : length === (colourType === 2 ? 6 : 2);
  if (!fits || (colourType !== 0 && colourType !== 2 && colourType !== PALETTE)) {
    throw new DataError(`${source}: a transparency chunk of ${length} bytes does not fit the picture's colours`);
  }
}

function checkSignature(bytes: Uint8Array, source: string): void {
  if (bytes.length === 0) throw new DataError(`${source}: the file is empty`);
  const matching = SIGNATURE.findIndex((byte, i) => bytes[i] !== byte);
  if (matching === -1) return;
  if (matching === bytes.length) throw new DataError(`${source}: it is cut off after ${bytes.length} bytes`);
  const kind = kindOf(bytes);
  throw new DataError(`${source}: it is not a PNG file${kind === undefined ? '' : ` but ${kind}`}`);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

/** CRC-32 with the polynomial 0xedb88320, as in PNG and zip (node:zlib has it from Node 20.15 on only). */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

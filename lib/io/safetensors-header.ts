import { DataError } from '../errors.js';
import { jsonExcess } from './json-bounds.js';
import { repeatedName } from './json-names.js';
import { BITS, elementCount, type FileDtype, isFileDtype, isRecord, isSize, quote } from './safetensors-types.js';

/** Bytes of the header's length, with which a file begins. */
export const LENGTH_BYTES = 8;
/** The reference's limit on the header: a longer one is taken for a broken file. */
const MAX_HEADER_BYTES = 100_000_000;
/** An object of objects of lists, with about eight values a tensor: a quarter of a million tensors. */
const HEADER_BOUNDS = { depth: 3, values: 2 ** 21 };

/** One tensor of the header, checked: `begin` and `end` are bytes counted from the end of the header. */
export interface Entry {
  readonly name: string;
  readonly dtype: FileDtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** Where the header of a file ends; the first bytes of the file say it. */
export function headerEnd(beginning: Uint8Array, fileBytes: number, source: string): number {
  if (fileBytes < LENGTH_BYTES || beginning.length < LENGTH_BYTES) {
    throw new DataError(
      `${source}: not a safetensors file: ${fileBytes} bytes, the length alone takes ${LENGTH_BYTES}`,
    );
  }
  const length = new DataView(beginning.buffer, beginning.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw new DataError(`${source}: a header of ${length} bytes; ${MAX_HEADER_BYTES} are allowed`);
  }
  const end = LENGTH_BYTES + Number(length);
  if (end > fileBytes) {
    throw new DataError(`${source}: the header needs ${length} bytes, but only ${fileBytes - LENGTH_BYTES} follow`);
  }
  return end;
}

/** Why a header cannot be read whatever it says: it is too long, too deep, or holds too much. */
export function headerExcess(header: Uint8Array): string | undefined {
  if (header.length > MAX_HEADER_BYTES) return `has ${header.length} bytes; ${MAX_HEADER_BYTES} are allowed`;
  return jsonExcess(header, HEADER_BOUNDS);
}

/** What the header says, checked: the tensors in the order of their data, and the free text. */
export function readHeader(bytes: Uint8Array, dataBytes: number, source: string) {
  const entries: Entry[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(parsed(bytes, source))) {
    if (name === '__metadata__') metadata = readMetadata(value, source);
    else entries.push(readEntry(name, value, dataBytes, source));
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCoverage(entries, dataBytes, source);
  return { entries, metadata };
}

function parsed(bytes: Uint8Array, source: string): Record<string, unknown> {
  const excess = headerExcess(bytes);
  if (excess !== undefined) throw new DataError(`${source}: the header ${excess}`);
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch {
    throw new DataError(`${source}: the header is not JSON in UTF-8`);
  }
  if (!text.startsWith('{') || !isRecord(header)) throw new DataError(`${source}: the header is not a JSON object`);
  const repeated = repeatedName(text);
  if (repeated !== undefined) throw new DataError(`${source}: the header has the name ${quote(repeated)} twice`);
  return header;
}

function readMetadata(value: unknown, source: string): Record<string, string> {
  if (!isRecord(value)) throw new DataError(`${source}: __metadata__ is not an object of texts`);
  const texts: [string, string][] = Object.entries(value).map(([key, text]) => {
    if (typeof text !== 'string') throw new DataError(`${source}: __metadata__ entry ${quote(key)} is not a text`);
    return [key, text];
  });
  return Object.fromEntries(texts);
}

function readEntry(name: string, value: unknown, dataBytes: number, source: string): Entry {
  const at = `${source}: tensor ${quote(name)}`;
  if (!isRecord(value)) throw new DataError(`${at} is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !isFileDtype(dtype)) {
    throw new DataError(`${at} has the type ${quote(dtype)}; known are ${Object.keys(BITS).join(', ')}`);
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) {
    throw new DataError(`${at} has the shape ${quote(shape)}; expected whole numbers from 0 on`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw new DataError(`${at} has the data_offsets ${quote(offsets)}; expected [begin, end]`);
  }
  const [begin = 0, end = 0] = offsets;
  if (begin > end || end > dataBytes) {
    throw new DataError(`${at} lies at bytes ${begin} to ${end}, outside of the ${dataBytes} bytes of data`);
  }
  const needed = (elementCount(shape) * BITS[dtype]) / 8;
  if (needed !== end - begin) {
    throw new DataError(`${at}: ${dtype} of shape ${quote(shape)} needs ${needed} bytes, but it has ${end - begin}`);
  }
  return { name, dtype, shape, begin, end };
}

/** Throws DataError unless the tensors, in the order of their data, cover these without gap or overlap. */
function checkCoverage(entries: readonly Entry[], dataBytes: number, source: string): void {
  let covered = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== covered) {
      const fault = begin < covered ? 'overlap those of another tensor' : `leave a gap after byte ${covered}`;
      throw new DataError(`${source}: the data of tensor ${quote(name)}, bytes ${begin} to ${end}, ${fault}`);
    }
    covered = end;
  }
  if (covered !== dataBytes) {
    throw new DataError(`${source}: the tensors end at byte ${covered} of the data, but there are ${dataBytes} bytes`);
  }
}

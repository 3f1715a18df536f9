import { DataError, ShapeError } from '../errors.js';
import { compareCodePoints } from './code-points.js';
import { widenBfloat16, widenFloat16 } from '../float16.js';
import { repeatedName } from './json-names.js';

/** The typed array that holds the numbers of each type which can be written. */
export interface SafetensorsArrays {
  /** 64-bit signed integers. */
  I64: BigInt64Array;
  /** 64-bit floats. */
  F64: Float64Array;
  /** 32-bit floats. */
  F32: Float32Array;
  /** 32-bit unsigned integers. */
  U32: Uint32Array;
  /** 32-bit signed integers. */
  I32: Int32Array;
  /** Bytes. */
  U8: Uint8Array;
}

/** The types that can be written, named as in the file. */
export type SafetensorsDtype = keyof SafetensorsArrays;

/** One tensor: its type, its shape (a scalar has the shape `[]`) and its numbers in row-major order. */
export type SafetensorsTensor = {
  [D in SafetensorsDtype]: {
    /** Type, named as in the file. */
    readonly dtype: D;
    /** Sizes of the axes, outermost first. */
    readonly shape: readonly number[];
    /** The numbers, row-major. */
    readonly data: SafetensorsArrays[D];
  };
}[SafetensorsDtype];

/** The contents of a safetensors file. */
export interface Safetensors {
  /** The tensors by name, in the order of their data. */
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
  /** The free text of the entry `__metadata__`; empty where there is none. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Bytes of one number. Tensors are written in the order of the keys (the reference's), so each one is aligned. */
const ITEM_BYTES = { I64: 8, F64: 8, F32: 4, U32: 4, I32: 4, BF16: 2, F16: 2, U8: 1 } as const;
type ReadableDtype = keyof typeof ITEM_BYTES;
const WRITING_ORDER = Object.keys(ITEM_BYTES);

/** The reference's limit on the header: a longer one is taken for a broken file. */
const MAX_HEADER_BYTES = 100_000_000;

/**
 * Writes tensors in the safetensors format:
 *
 *     length of the header (8 bytes, little-endian) | header: JSON, padded with spaces to a multiple of 8 | numbers
 *
 * The numbers are little-endian and row-major, in order of decreasing item size, then by name, without gaps: the bytes
 * are those which the reference (huggingface/safetensors, `serialize`) writes, so each tensor is aligned to its item
 * size. The result of the same tensors is the same, whatever the order in which they are given.
 *
 * @param tensors the tensors by name; a record or a map
 * @param metadata free text for the entry `__metadata__`; none by default
 * @returns the whole file
 * @throws ShapeError where a shape does not fit its numbers
 * @throws DataError for the name `__metadata__`, an unknown type, or numbers in an array of another type
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, SafetensorsTensor> | Readonly<Record<string, SafetensorsTensor>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const entries: [string, SafetensorsTensor][] = isMap(tensors) ? [...tensors] : Object.entries(tensors);
  for (const [name, tensor] of entries) checkForWriting(name, tensor);
  entries.sort(
    ([nameA, a], [nameB, b]) =>
      WRITING_ORDER.indexOf(a.dtype) - WRITING_ORDER.indexOf(b.dtype) || compareCodePoints(nameA, nameB),
  );

  const fields: string[] = [];
  if (metadata !== undefined) fields.push(`"__metadata__":${JSON.stringify(metadata)}`);
  let end = 0;
  for (const [name, { dtype, shape, data }] of entries) {
    const begin = end;
    end += data.byteLength;
    fields.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`);
  }
  const header = new TextEncoder().encode(`{${fields.join(',')}}`);
  const headerBytes = Math.ceil(header.length / 8) * 8;

  const file = new Uint8Array(8 + headerBytes + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.set(header, 8);
  file.fill(0x20, 8 + header.length, 8 + headerBytes);
  let position = 8 + headerBytes;
  for (const [, { data }] of entries) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position);
    position += data.byteLength;
  }
  return file;
}

/**
 * Reads the safetensors format, believing nothing: the header must lie inside the file and be JSON without a repeated
 * name; every tensor must have a known type and whole sizes, and its offsets must span exactly its numbers; together
 * the tensors must cover the data without gap or overlap. Anything else is refused before an array is made.
 *
 * Types F64, F32, I32, U32 and U8 are given as they are, I64 as a `BigInt64Array`; F16 and BF16 are widened to F32
 * (exactly). An array is a view of `bytes` where its offset is a multiple of its item size, otherwise a copy.
 *
 * @param bytes the whole file
 * @param source what error messages call it, such as its path
 * @throws DataError naming the source, the tensor, and what is wrong
 */
export function decodeSafetensors(bytes: Uint8Array, source = 'safetensors data'): Safetensors {
  // A Node Buffer's slice() does not copy; a plain Uint8Array's does.
  const file = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { header, data } = splitFile(file, source);
  let metadata: Record<string, string> = {};
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') metadata = readMetadata(value, source);
    else entries.push(readEntry(name, value, data.length, source));
  }

  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== covered) {
      const fault = begin < covered ? 'overlap those of another tensor' : `leave a gap after byte ${covered}`;
      throw new DataError(`${source}: the data of tensor ${quote(name)}, bytes ${begin} to ${end}, ${fault}`);
    }
    covered = end;
  }
  if (covered !== data.length) {
    throw new DataError(
      `${source}: the tensors end at byte ${covered} of the data, but there are ${data.length} bytes`,
    );
  }
  return { tensors: new Map(entries.map((entry) => [entry.name, readTensor(entry, data)])), metadata };
}

/** One tensor of the header, checked: `begin` and `end` are bytes counted from the end of the header. */
interface Entry {
  readonly name: string;
  readonly dtype: ReadableDtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function splitFile(file: Uint8Array, source: string): { header: Record<string, unknown>; data: Uint8Array } {
  if (file.length < 8) {
    throw new DataError(`${source}: not a safetensors file: ${file.length} bytes, the length alone takes 8`);
  }
  const length = new DataView(file.buffer, file.byteOffset, 8).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw new DataError(`${source}: a header of ${length} bytes; ${MAX_HEADER_BYTES} are allowed`);
  }
  const end = 8 + Number(length);
  if (end > file.length) {
    throw new DataError(`${source}: the header needs ${length} bytes, but only ${file.length - 8} follow`);
  }
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file.subarray(8, end));
    header = JSON.parse(text);
  } catch {
    throw new DataError(`${source}: the header is not JSON in UTF-8`);
  }
  if (!text.startsWith('{') || !isRecord(header)) throw new DataError(`${source}: the header is not a JSON object`);
  const repeated = repeatedName(text);
  if (repeated !== undefined) throw new DataError(`${source}: the header has the name ${quote(repeated)} twice`);
  return { header, data: file.subarray(end) };
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
  if (typeof dtype !== 'string' || !isReadable(dtype)) {
    throw new DataError(`${at} has the type ${quote(dtype)}; read are ${WRITING_ORDER.join(', ')}`);
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
  const needed = elementCount(shape) * ITEM_BYTES[dtype];
  if (needed !== end - begin) {
    throw new DataError(`${at}: ${dtype} of shape ${quote(shape)} needs ${needed} bytes, but it has ${end - begin}`);
  }
  return { name, dtype, shape, begin, end };
}

function readTensor({ dtype, shape, begin, end }: Entry, data: Uint8Array): SafetensorsTensor {
  const section = data.subarray(begin, end);
  const { buffer, byteOffset } = section.byteOffset % ITEM_BYTES[dtype] === 0 ? section : section.slice();
  const count = (end - begin) / ITEM_BYTES[dtype];
  switch (dtype) {
    case 'I64':
      return { dtype, shape, data: new BigInt64Array(buffer, byteOffset, count) };
    case 'F64':
      return { dtype, shape, data: new Float64Array(buffer, byteOffset, count) };
    case 'F32':
      return { dtype, shape, data: new Float32Array(buffer, byteOffset, count) };
    case 'U32':
      return { dtype, shape, data: new Uint32Array(buffer, byteOffset, count) };
    case 'I32':
      return { dtype, shape, data: new Int32Array(buffer, byteOffset, count) };
    case 'U8':
      return { dtype, shape, data: new Uint8Array(buffer, byteOffset, count) };
    case 'F16':
      return { dtype: 'F32', shape, data: widenFloat16(new Uint16Array(buffer, byteOffset, count)) };
    case 'BF16':
      return { dtype: 'F32', shape, data: widenBfloat16(new Uint16Array(buffer, byteOffset, count)) };
  }
}

function checkForWriting(name: string, { dtype, shape, data }: SafetensorsTensor): void {
  if (name === '__metadata__') throw new DataError('A tensor cannot be called __metadata__ in a safetensors file');
  const arrays: Record<SafetensorsDtype, (array: unknown) => boolean> = {
    I64: (array) => array instanceof BigInt64Array,
    F64: (array) => array instanceof Float64Array,
    F32: (array) => array instanceof Float32Array,
    U32: (array) => array instanceof Uint32Array,
    I32: (array) => array instanceof Int32Array,
    U8: (array) => array instanceof Uint8Array,
  };
  if (!Object.hasOwn(arrays, dtype)) {
    throw new DataError(
      `Tensor ${quote(name)} has the type ${quote(dtype)}; written are ${Object.keys(arrays).join(', ')}`,
    );
  }
  if (!arrays[dtype](data)) throw new DataError(`Tensor ${quote(name)}: the numbers are not in an array for ${dtype}`);
  if (!shape.every(isSize) || elementCount(shape) !== data.length) {
    throw new ShapeError(`Tensor ${quote(name)}: shape ${quote(shape)} does not fit its ${data.length} numbers`);
  }
}

/** The product of the sizes; NaN where it or a part of it is beyond 2^53, which no file can hold. */
function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) count = Number.isSafeInteger(count * size) ? count * size : NaN;
  return count;
}

function isMap<T>(tensors: ReadonlyMap<string, T> | Readonly<Record<string, T>>): tensors is ReadonlyMap<string, T> {
  return tensors instanceof Map;
}

function isReadable(dtype: string): dtype is ReadableDtype {
  return Object.hasOwn(ITEM_BYTES, dtype);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** A value for a message, shortened: what a broken file holds can be long, or nested too deep for JSON.stringify. */
function quote(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value) && !value.every((item) => typeof item !== 'object')) return 'a nested list';
  if (isRecord(value)) return 'an object';
  const text = JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

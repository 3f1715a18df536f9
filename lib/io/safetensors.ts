import { DataError, ShapeError } from '../errors.js';
import { widenBfloat16, widenFloat16 } from '../float16.js';
import { bytes as bytesRule, checkArgument, show } from '../options.js';
import { printable } from '../printable.js';
import { compareCodePoints } from './code-points.js';
import { type Entry, headerEnd, headerExcess, LENGTH_BYTES, readHeader } from './safetensors-header.js';
import {
  BITS,
  elementCount,
  isReadDtype,
  isRecord,
  isSize,
  ListedTensor,
  quote,
  type SafetensorsArrays,
  type SafetensorsTensor,
} from './safetensors-types.js';

/** The contents of a safetensors file. */
export interface Safetensors {
  /** The tensors by name, in the order of their data. */
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
  /** The free text of the entry `__metadata__`; empty where there is none. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The array of each type that is written; in this order, the reference's, each tensor is aligned to its item size. */
const WRITTEN = {
  I64: BigInt64Array,
  F64: Float64Array,
  F32: Float32Array,
  U32: Uint32Array,
  I32: Int32Array,
  U8: Uint8Array,
} as const satisfies Record<keyof SafetensorsArrays, unknown>;
const WRITING_ORDER = Object.keys(WRITTEN);

/** A tensor that can be written. */
type WritableTensor = Exclude<SafetensorsTensor, ListedTensor>;

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
 * @throws DataError for the name `__metadata__`, a type that is not written, numbers in an array of another type,
 *   metadata that are no texts, names or metadata with half a surrogate pair (they have no UTF-8), and a header beyond
 *   what {@link decodeSafetensors} reads
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, SafetensorsTensor> | Readonly<Record<string, SafetensorsTensor>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const parts = safetensorsParts(tensors, metadata);
  const file = allocated(parts.reduce((total, { length }) => total + length, 0));
  let position = 0;
  for (const part of parts) {
    file.set(part, position);
    position += part.length;
  }
  return file;
}

/** @internal The file that {@link encodeSafetensors} gives in parts, of which all but the first one are views of the tensors' numbers. */
export function safetensorsParts(
  tensors: ReadonlyMap<string, SafetensorsTensor> | Readonly<Record<string, SafetensorsTensor>>,
  metadata: Readonly<Record<string, string>> | undefined,
): Uint8Array[] {
  if (!isRecord(tensors)) throw new DataError(`The tensors are ${show(tensors)}; expected an object or a Map`);
  const entries = (isMap(tensors) ? [...tensors] : Object.entries(tensors)).map(
    ([name, tensor]): [string, WritableTensor] => [name, writable(name, tensor)],
  );
  entries.sort(
    ([nameA, a], [nameB, b]) =>
      WRITING_ORDER.indexOf(a.dtype) - WRITING_ORDER.indexOf(b.dtype) || compareCodePoints(nameA, nameB),
  );

  const fields: string[] = [];
  if (metadata !== undefined) {
    checkMetadata(metadata);
    fields.push(`"__metadata__":${JSON.stringify(metadata)}`);
  }
  let end = 0;
  for (const [name, { dtype, shape, data }] of entries) {
    const begin = end;
    end += data.byteLength;
    fields.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`);
  }
  const header = new TextEncoder().encode(`{${fields.join(',')}}`);
  const headerBytes = Math.ceil(header.length / 8) * 8;
  const excess = headerExcess(header);
  if (excess !== undefined) throw new DataError(`The header of ${entries.length} tensor(s) ${excess}`);

  const start = new Uint8Array(LENGTH_BYTES + headerBytes).fill(0x20);
  new DataView(start.buffer).setBigUint64(0, BigInt(headerBytes), true);
  start.set(header, LENGTH_BYTES);
  return [start, ...entries.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))];
}

/**
 * Reads the safetensors format, believing nothing: the header must lie inside the file and be JSON without a repeated
 * name, no deeper than the format is and with two million values at most; every tensor must have a known type and whole
 * sizes, and its offsets must span exactly its numbers; together the tensors must cover the data without gap or
 * overlap. Anything else is refused before an array is made.
 *
 * Types F64, F32, I32, U32 and U8 are given as they are, I64 as a `BigInt64Array`; F16 and BF16 are widened to F32
 * (exactly). An array is a view of `bytes` where its offset is a multiple of its item size, otherwise a copy. Tensors
 * of the other types (BOOL, I8, I16, U16, U64, C64, and the ones of 8 bits and less, {@link ListedDtype}) are listed
 * with type and shape; asking one for its `data` throws DataError.
 *
 * @param bytes the whole file
 * @param source what error messages call it, such as its path
 * @throws DataError naming the source, the tensor, and what is wrong
 */
export function decodeSafetensors(bytes: Uint8Array, source = 'safetensors data'): Safetensors {
  checkArgument('decodeSafetensors', 'bytes', bytes, bytesRule);
  const shown = printable(source);
  // A Node Buffer's slice() does not copy; a plain Uint8Array's does.
  const file = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = headerEnd(file, file.length, shown);
  const data = file.subarray(end);
  const { entries, metadata } = readHeader(file.subarray(LENGTH_BYTES, end), data.length, shown);
  return { tensors: new Map(entries.map((entry) => [entry.name, readTensor(entry, data, shown)])), metadata };
}

function readTensor({ name, dtype, shape, begin, end }: Entry, data: Uint8Array, source: string): SafetensorsTensor {
  if (!isReadDtype(dtype)) return new ListedTensor(dtype, shape, `${source}: tensor ${quote(name)}`);
  const itemBytes = BITS[dtype] / 8;
  const section = data.subarray(begin, end);
  const { buffer, byteOffset } = section.byteOffset % itemBytes === 0 ? section : section.slice();
  const count = (end - begin) / itemBytes;
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

/** The tensor, if it can be written. */
function writable(name: string, tensor: SafetensorsTensor): WritableTensor {
  const at = `Tensor ${quote(name)}`;
  if (name === '__metadata__') throw new DataError('A tensor cannot be called __metadata__ in a safetensors file');
  checkText(name, at);
  if (!isRecord(tensor)) throw new DataError(`${at} is ${show(tensor)}; expected dtype, shape and data`);
  const { dtype, shape } = tensor;
  if (tensor instanceof ListedTensor || !Object.hasOwn(WRITTEN, dtype)) {
    throw new DataError(`${at} has the type ${show(dtype)}; written are ${WRITING_ORDER.join(', ')}`);
  }
  if (!(tensor.data instanceof WRITTEN[tensor.dtype])) {
    throw new DataError(`${at}: the numbers are not in an array for ${dtype}`);
  }
  if (!Array.isArray(shape) || !shape.every(isSize) || elementCount(shape) !== tensor.data.length) {
    throw new ShapeError(
      `${at}: shape ${Array.isArray(shape) ? quote(shape) : show(shape)} does not fit its ${tensor.data.length} numbers`,
    );
  }
  return tensor;
}

function checkMetadata(metadata: unknown): void {
  if (!isRecord(metadata) || metadata instanceof Map) {
    throw new DataError(`The metadata of a safetensors file are ${show(metadata)}; expected an object of texts`);
  }
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') {
      throw new DataError(`The metadata entry ${quote(key)} is ${show(value)}; expected a text: use JSON.stringify`);
    }
    checkText(key, `The metadata entry ${quote(key)}`);
    checkText(value, `The metadata entry ${quote(key)}`);
  }
}

function checkText(text: string, at: string): void {
  if (/\p{Surrogate}/u.test(text)) throw new DataError(`${at} holds half a surrogate pair, which has no UTF-8`);
}

function allocated(bytes: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch {
    throw new DataError(`A safetensors file of ${bytes} bytes does not fit into memory`);
  }
}

function isMap<T>(tensors: ReadonlyMap<string, T> | Readonly<Record<string, T>>): tensors is ReadonlyMap<string, T> {
  return tensors instanceof Map;
}

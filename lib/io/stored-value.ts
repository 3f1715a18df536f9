import { DataError } from '../errors.js';
import { show } from '../options.js';
import { printable } from '../printable.js';
import type { Safetensors } from './safetensors.js';
import { isRecord, ListedTensor, type SafetensorsArrays, type SafetensorsTensor } from './safetensors-types.js';

/** A tensor whose numbers are there. */
export type StoredTensor = Exclude<SafetensorsTensor, ListedTensor>;

/**
 * What a file of tensors and texts can hold: values of JSON, any number (also NaN, ±Infinity and -0), typed arrays, tensors,
 * and lists and objects of them, whose fields may be undefined and are left out then.
 */
export type StoredValue =
  | null
  | boolean
  | number
  | string
  | SafetensorsArrays[keyof SafetensorsArrays]
  | StoredTensor
  | readonly StoredValue[]
  | { readonly [name: string]: StoredValue | undefined };

/*
 * JSON has no text for some numbers, and numbers of tensors belong into tensors. These stand as an object of one field:
 * { "$number": "NaN" }, { "$array": NAME }, { "$tensor": NAME }. A name of a field that begins with $ gets one more.
 */
const ARRAYS = [
  ['F32', Float32Array],
  ['F64', Float64Array],
  ['I32', Int32Array],
  ['U32', Uint32Array],
  ['U8', Uint8Array],
  ['I64', BigInt64Array],
] as const;

/**
 * A value as a JSON text, with its numbers in `tensors`, named by where they stand in it: `optimizer.fc1.weight.exp_avg`. The
 * arrays are those of the value, not copies. Throws DataError for what cannot be stored, naming its place.
 */
export function packValue(value: StoredValue): { readonly text: string; readonly tensors: Map<string, StoredTensor> } {
  const tensors = new Map<string, StoredTensor>();
  const keep = (path: string, tensor: StoredTensor): string => {
    let name = path;
    for (let i = 2; tensors.has(name); i++) name = `${path}#${i}`;
    tensors.set(name, tensor);
    return name;
  };
  const packed = (own: unknown, path: string): unknown => {
    if (own === null || typeof own === 'boolean' || typeof own === 'string') return own;
    if (typeof own === 'number') {
      return Number.isFinite(own) && !Object.is(own, -0) ? own : { $number: Object.is(own, -0) ? '-0' : String(own) };
    }
    if (Array.isArray(own)) return own.map((each, i) => packed(each, joined(path, String(i))));
    const array = tensorOf(own);
    if (array) return { $array: keep(path, array) };
    if (isStoredTensor(own)) return { $tensor: keep(path, own) };
    if (!isPlain(own))
      throw new DataError(`${path === '' ? 'the value' : path} is ${show(own)}, which cannot be stored`);
    const fields = Object.entries(own).filter(([, each]) => each !== undefined);
    return Object.fromEntries(fields.map(([name, each]) => [escaped(name), packed(each, joined(path, name))]));
  };
  return { text: JSON.stringify(packed(value, '')), tensors };
}

/** The value that {@link packValue} was given. Throws DataError, naming `source`, for a text or tensors that it did not give. */
export function unpackValue(text: string, tensors: Safetensors['tensors'], source: string): StoredValue {
  const tensorAt = (name: unknown): StoredTensor => {
    const found = typeof name === 'string' ? tensors.get(name) : undefined;
    if (!found) throw new DataError(`${source}: the tensor ${show(name)} is missing`);
    if (found instanceof ListedTensor) return found.data; // which says what is wrong
    return found;
  };
  const unpacked = (own: unknown): StoredValue => {
    if (Array.isArray(own)) return own.map(unpacked);
    if (own === null || typeof own === 'boolean' || typeof own === 'string' || typeof own === 'number') return own;
    if (!isRecord(own)) throw new DataError(`${source} holds ${show(own)}`);
    if ('$number' in own) return Number(own['$number']);
    if ('$array' in own) return tensorAt(own['$array']).data;
    if ('$tensor' in own) return tensorAt(own['$tensor']);
    return Object.fromEntries(
      Object.entries(own).map(([name, each]) => [name.startsWith('$') ? name.slice(1) : name, unpacked(each)]),
    );
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? printable(error.message) : '';
    throw new DataError(`${source} holds a text that is no JSON: ${reason}`, { cause: error });
  }
  return unpacked(parsed);
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function escaped(name: string): string {
  return name.startsWith('$') ? `$${name}` : name;
}

/** A typed array as a tensor of one axis. */
function tensorOf(value: unknown): StoredTensor | undefined {
  for (const [dtype, type] of ARRAYS) {
    if (value instanceof type) return { dtype, shape: [value.length], data: value } as StoredTensor;
  }
  return undefined;
}

function isStoredTensor(value: unknown): value is StoredTensor {
  return isRecord(value) && 'dtype' in value && Array.isArray(value['shape']) && tensorOf(value['data']) !== undefined;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isRecord(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

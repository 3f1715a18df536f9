import { DataError } from '../errors.js';
import type { OptionRule } from '../options.js';
import { printable } from '../printable.js';

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

/** Bits of one number, for every type of the format (huggingface/safetensors, `Dtype`). */
export const BITS = {
  ...{ I64: 64, U64: 64, F64: 64, C64: 64 },
  ...{ I32: 32, U32: 32, F32: 32 },
  ...{ I16: 16, U16: 16, F16: 16, BF16: 16 },
  ...{ I8: 8, U8: 8, BOOL: 8, F8_E4M3: 8, F8_E5M2: 8, F8_E8M0: 8, F8_E4M3FNUZ: 8, F8_E5M2FNUZ: 8 },
  ...{ F6_E2M3: 6, F6_E3M2: 6, F4: 4 },
} as const;

/** The types of the format. */
export type FileDtype = keyof typeof BITS;

/** The types whose numbers are read; those that are not written are widened to F32. */
const READ = ['I64', 'F64', 'F32', 'U32', 'I32', 'BF16', 'F16', 'U8'] as const;
/** Types whose numbers are read. */
export type ReadDtype = (typeof READ)[number];

/** The types of which only the size is known: their tensors are listed, their numbers are not read. */
export type ListedDtype = Exclude<FileDtype, ReadDtype>;

/** One tensor: its type, its shape (a scalar has the shape `[]`) and its numbers in row-major order. */
export type SafetensorsTensor =
  | {
      [D in SafetensorsDtype]: {
        /** Type, named as in the file. */
        readonly dtype: D;
        /** Sizes of the axes, outermost first. */
        readonly shape: readonly number[];
        /** The numbers, row-major. */
        readonly data: SafetensorsArrays[D];
      };
    }[SafetensorsDtype]
  | ListedTensor;

/** A tensor of a file whose numbers are not read, because of its type. */
export class ListedTensor {
  /** Type, named as in the file. */
  readonly dtype: ListedDtype;
  /** Sizes of the axes, outermost first. */
  readonly shape: readonly number[];
  readonly #place: string;

  /** @internal */
  constructor(dtype: ListedDtype, shape: readonly number[], place: string) {
    this.dtype = dtype;
    this.shape = shape;
    this.#place = place;
  }

  /** Throws DataError: there are none. */
  get data(): never {
    throw new DataError(`${this.#place} has the type ${this.dtype}, whose numbers are not read; ${READABLE}`);
  }
}

/** @internal What a state is loaded from. */
export const stateRule: OptionRule = {
  expected: 'an object with a Map of tensors, as readSafetensors gives it, such as { tensors: await stateOf(model) }',
  accepts: (state) =>
    isRecord(state) && state['tensors'] instanceof Map && [...state['tensors'].values()].every(isTensor),
};

function isTensor(value: unknown): boolean {
  if (value instanceof ListedTensor) return true;
  return isRecord(value) && Array.isArray(value['shape']) && ArrayBuffer.isView(value['data']);
}

const READABLE = `read are ${READ.join(', ')}`;

/** @internal 64-bit integers as the numbers next to them. */
export function asDoubles(integers: BigInt64Array): Float64Array {
  const doubles = new Float64Array(integers.length);
  for (let i = 0; i < doubles.length; i++) doubles[i] = Number(integers[i]);
  return doubles;
}

/** @internal */
export function isFileDtype(dtype: string): dtype is FileDtype {
  return Object.hasOwn(BITS, dtype);
}

/** @internal */
export function isReadDtype(dtype: FileDtype): dtype is ReadDtype {
  return READ.some((known) => known === dtype);
}

/** @internal The product of the sizes; NaN where it or a part of it is beyond 2^53, which no file can hold. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) count = Number.isSafeInteger(count * size) ? count * size : NaN;
  return count;
}

/** @internal */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @internal */
export function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** @internal A value for a message, shortened: what a broken file holds can be long. */
export function quote(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value) && !value.every((item) => typeof item !== 'object')) return 'a nested list';
  if (isRecord(value)) return 'an object';
  const text = printable(JSON.stringify(value));
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

import { DataError } from '../errors.js';
import { rowsFrom } from '../ops/state/batch-rows.js';
import { printable } from '../printable.js';
import { keyOfSeed } from '../random.js';
import { formatShape, sizeOf } from '../shape.js';
import type { StreamedData } from './streamed-data.js';
import { outcomesOf } from './training-data.js';

/** Inputs that are read ahead where the data do not say. */
const PREFETCH = 64;

/** Inputs of some rows. */
export interface StreamedBatch {
  /** [room, ...inputShape], of which those of the rows are filled in */
  readonly inputs: Float32Array | Uint8Array;
  readonly rows: readonly number[];
}

/** Zeros in place of so many inputs. */
export function inputsOf({ inputShape, dtype }: StreamedData, rows: number): Float32Array | Uint8Array {
  const length = rows * sizeOf(inputShape);
  return dtype === 'u8' ? new Uint8Array(length) : new Float32Array(length);
}

/** The inputs of streamed data in the order of an endless stream of epochs: that of a data loader, from any place on. */
export class InputStream {
  readonly #data: StreamedData;
  readonly #count: number;
  readonly #order: { readonly seed: number; readonly shuffle: boolean };
  /** What is being read, from the place at hand on. */
  #reading: { readonly row: number; readonly input: Promise<Float32Array | Uint8Array> }[] = [];
  #epoch = 0;
  #position = 0;

  constructor(data: StreamedData, order: { readonly seed: number; readonly shuffle: boolean }) {
    this.#data = data;
    this.#count = outcomesOf(data).count;
    this.#order = order;
  }

  /** Goes to a place in the stream. */
  seek(epoch: number, position: number): void {
    this.#epoch = epoch;
    this.#position = position;
    this.#reading = [];
  }

  /**
   * The next inputs, with room for so many. Rejects with what reading one of them did; the next call begins with the same ones.
   */
  async take(count: number, room: number): Promise<StreamedBatch> {
    const { inputShape } = this.#data;
    this.#readAhead(count);
    const size = sizeOf(inputShape);
    const values = inputsOf(this.#data, room);
    const taken = this.#reading.slice(0, count);
    try {
      const inputs = await Promise.all(taken.map(({ input }) => input));
      for (const [i, input] of inputs.entries()) values.set(input, i * size);
    } catch (error) {
      this.#reading = [];
      throw error;
    }
    this.#reading = this.#reading.slice(count);
    const place = this.#position + count;
    this.#epoch += Math.floor(place / this.#count);
    this.#position = place % this.#count;
    this.#readAhead(0);
    return { inputs: values, rows: taken.map(({ row }) => row) };
  }

  #readAhead(count: number): void {
    const { prefetch = PREFETCH } = this.#data;
    const { seed, shuffle } = this.#order;
    const ahead = this.#reading.length;
    const missing = Math.max(count + prefetch - ahead, 0);
    const state = [...keyOfSeed(seed), this.#epoch, this.#position];
    for (const row of rowsFrom(state, ahead, missing, { count: this.#count, shuffle })) {
      const input = this.#read(row);
      input.catch(() => undefined); // it is told where the input is wanted
      this.#reading.push({ row, input });
    }
  }

  async #read(row: number): Promise<Float32Array | Uint8Array> {
    const { inputShape, dtype, files, read } = this.#data;
    const input = await read(row);
    const isRight = dtype === 'u8' ? input instanceof Uint8Array : input instanceof Float32Array;
    if (isRight && input.length === sizeOf(inputShape) && (dtype === 'u8' || input.every(Number.isFinite)))
      return input;
    throw new DataError(
      `input ${row}${files ? ` (${printable(files[row] ?? '')})` : ''} was read as ${input.length} numbers; expected ${formatShape(inputShape)} of ${dtype}, all finite`,
    );
  }
}

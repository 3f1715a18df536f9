import { DataError } from '../errors.js';
import { sizeOf } from '../shape.js';
import type { TrainingData } from './training-data.js';

/**
 * The examples at these rows, in this order, copied, with all that belongs to them (PyTorch: `Subset`). A row may come more
 * than once. Throws DataError for a row that does not exist.
 */
export function selectExamples<Data extends TrainingData>(data: Data, rows: ArrayLike<number>): Data;
export function selectExamples(data: TrainingData, rows: ArrayLike<number>): TrainingData {
  const count = 'targets' in data ? data.targets.length / sizeOf(data.targetShape) : data.labels.length;
  const chosen = Array.from(rows);
  const missing = chosen.find((row) => !Number.isInteger(row) || row < 0 || row >= count);
  if (missing !== undefined) throw new DataError(`selectExamples: there is no row ${missing} among ${count} examples`);
  const examples = {
    inputs: selected(data.inputs, chosen, sizeOf(data.inputShape)),
    ...(data.files && { files: chosen.map((row) => data.files?.[row] ?? '') }),
    ...(data.weights && { weights: selected(data.weights, chosen, 1) }),
  };
  if ('targets' in data) {
    return { ...data, ...examples, targets: selected(data.targets, chosen, sizeOf(data.targetShape)) };
  }
  return { ...data, ...examples, labels: selected(data.labels, chosen, 1) };
}

/** Rows of so many numbers each. */
function selected<Numbers extends Float32Array | Int32Array | Uint8Array>(
  numbers: Numbers,
  rows: readonly number[],
  columns: number,
): Numbers;
function selected(
  numbers: Float32Array | Int32Array | Uint8Array,
  rows: readonly number[],
  columns: number,
): Float32Array | Int32Array | Uint8Array {
  const chosen = emptyLike(numbers, rows.length * columns);
  for (const [to, from] of rows.entries()) {
    chosen.set(numbers.subarray(from * columns, (from + 1) * columns), to * columns);
  }
  return chosen;
}

function emptyLike(numbers: Float32Array | Int32Array | Uint8Array, length: number) {
  if (numbers instanceof Uint8Array) return new Uint8Array(length);
  return numbers instanceof Int32Array ? new Int32Array(length) : new Float32Array(length);
}

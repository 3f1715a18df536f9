import type { Augment } from '../data/augment.js';
import { selectExamples } from '../data/select.js';
import { isStreamed, type StreamedData } from '../data/streamed-data.js';
import { outcomesOf, type TrainingData } from '../data/training-data.js';
import { sizeOf } from '../shape.js';

/**
 * So many of the examples, taken at equal distances, so that data in the order of their classes give some of each; and what
 * goes with a training that is to learn them by heart.
 */
export function overfitted(data: TrainingData | StreamedData, size: number, augment: Augment | undefined) {
  const { count } = outcomesOf(data);
  const taken = Math.min(size, count);
  const rows = Array.from({ length: taken }, (_, i) => Math.floor((i * count) / taken));
  const examples = isStreamed(data) ? streamedRows(data, rows) : selectExamples(data, rows);
  return { data: examples, validation: examples, augment: augment?.plainFor(data.inputShape), dropout: false };
}

function streamedRows(data: StreamedData, rows: readonly number[]): StreamedData {
  const { files, weights } = data;
  const examples = {
    ...(files && { files: rows.map((row) => files[row] ?? '') }),
    ...(weights && { weights: Float32Array.from(rows, (row) => weights[row] ?? NaN) }),
    read: (row: number) => data.read(rows[row] ?? NaN),
  };
  if (!('targets' in data)) {
    return { ...data, ...examples, labels: Int32Array.from(rows, (row) => data.labels[row] ?? NaN) };
  }
  const size = sizeOf(data.targetShape);
  const targets = rows.flatMap((row) => Array.from(data.targets.subarray(row * size, (row + 1) * size)));
  return { ...data, ...examples, targets: Float32Array.from(targets) };
}

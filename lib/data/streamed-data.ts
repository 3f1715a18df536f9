import type { ExampleData, LabelledData, TargetData } from './training-data.js';

/** What the two kinds of {@link StreamedData} have in common. */
export interface StreamedExamples extends Omit<ExampleData, 'inputs'> {
  /** What inputs are read as: 'f32', a Float32Array, or 'u8', a Uint8Array, whose bytes are multiplied by `scale`. */
  readonly dtype: 'f32' | 'u8';
  /** Reads one input: as many numbers as `inputShape` has. What it rejects with ends the training. */
  readonly read: (row: number) => Promise<Float32Array | Uint8Array>;
  /** Inputs that are read ahead of the step at hand, at most: they are held in memory beside its own. Default 64. */
  readonly prefetch?: number;
}

/** Examples with one class each, whose inputs are read when a batch of them is wanted. `imageStream` gives such data. */
export interface StreamedLabelledData extends StreamedExamples, Omit<LabelledData, 'inputs'> {}

/** Examples with numbers to be predicted, whose inputs are read when a batch of them is wanted. */
export interface StreamedTargetData extends StreamedExamples, Omit<TargetData, 'inputs'> {}

/**
 * Examples whose inputs are read when a batch of them is wanted, for sets that do not fit into memory: what {@link fit},
 * {@link evaluate}, {@link findLearningRate} and {@link DataLoader} take in place of {@link TrainingData}. What is to be predicted of
 * them is in memory.
 */
export type StreamedData = StreamedLabelledData | StreamedTargetData;

/** @internal Whether data are read while they are used. */
export function isStreamed(data: unknown): data is StreamedData {
  return typeof data === 'object' && data !== null && 'read' in data && typeof data.read === 'function';
}

import type { LabelledData } from './training-data.js';

/**
 * Examples whose inputs are read when a batch of them is wanted, for sets that do not fit into memory: what {@link fit},
 * {@link evaluate} and {@link DataLoader} take in place of {@link LabelledData}. `imageStream` gives one.
 */
export interface StreamedData extends Omit<LabelledData, 'inputs'> {
  /** What inputs are read as: 'f32', a Float32Array, or 'u8', a Uint8Array, whose bytes are multiplied by `scale`. */
  readonly dtype: 'f32' | 'u8';
  /** Reads one input: as many numbers as `inputShape` has. What it rejects with ends the training. */
  readonly read: (row: number) => Promise<Float32Array | Uint8Array>;
  /** Inputs that are read ahead of the step at hand, at most: they are held in memory beside its own. Default 64. */
  readonly prefetch?: number;
}

/** @internal Whether data are read while they are used. */
export function isStreamed(data: unknown): data is StreamedData {
  return typeof data === 'object' && data !== null && 'read' in data && typeof data.read === 'function';
}

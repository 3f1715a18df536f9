import { DataError } from '../errors.js';
import { show } from '../options.js';
import { isStreamed } from './streamed-data.js';

/** @internal Throws DataError, with what it found, unless the value is what `fromArrays` gives, but for its numbers. */
export function checkTrainingData(what: string, data: unknown): void {
  if (isStreamed(data) && isShape(data.inputShape) && hasOutcomes(data)) return;
  if (isExampleData(data)) {
    const { weights } = data;
    if (weights !== undefined && !(weights instanceof Float32Array)) {
      throw new DataError(
        `${what} has weights that are ${show(weights)}: expected a Float32Array, a number an example`,
      );
    }
    if (hasOutcomes(data)) return;
  }
  throw new DataError(
    `${what} must be inputs (Float32Array or Uint8Array, and inputShape) with labels (Int32Array) or targets (Float32Array, ` +
      `and targetShape), as fromArrays gives them: found ${partsText(data)}`,
  );
}

/** @internal The same of inputs alone. */
export function checkExampleData(what: string, data: unknown): void {
  if (isExampleData(data)) return;
  throw new DataError(
    `${what} must be a tensor, or inputs (Float32Array or Uint8Array) with inputShape: found ${partsText(data)}`,
  );
}

function hasOutcomes(data: { readonly [Name in 'labels' | 'targets' | 'targetShape']?: unknown }): boolean {
  return data.targets instanceof Float32Array ? isShape(data.targetShape) : data.labels instanceof Int32Array;
}

function isExampleData(data: unknown): data is Readonly<Record<string, unknown>> {
  if (typeof data !== 'object' || data === null || !('inputs' in data) || !('inputShape' in data)) return false;
  const { inputs, inputShape } = data;
  return (inputs instanceof Float32Array || inputs instanceof Uint8Array) && isShape(inputShape);
}

function isShape(value: unknown): boolean {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function partsText(data: unknown): string {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return show(data);
  const parts = Object.entries(data).map(([name, value]) => `${name} ${show(value)}`);
  return parts.length === 0 ? show(data) : `{ ${parts.join(', ')} }`;
}

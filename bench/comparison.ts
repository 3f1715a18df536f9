import { DataError } from '../lib/errors.js';

/** What a comparison needs to know of a result of `npm run bench -- --json`. */
export interface Measured {
  readonly device: string;
  readonly operation: string;
  readonly shape: string;
  readonly variant: string;
  readonly medianMilliseconds: number;
  /** Interquartile range of the runs, in milliseconds. */
  readonly spread: number;
}

/** A benchmark that was measured twice. */
export interface Change {
  readonly old: Measured;
  readonly new: Measured;
  /** Median of the new over that of the old: over 1 is slower. */
  readonly ratio: number;
  readonly verdict: 'slower' | 'faster' | 'same';
}

export interface Comparison {
  readonly changes: readonly Change[];
  readonly onlyOld: readonly Measured[];
  readonly onlyNew: readonly Measured[];
}

/** A change of the median by less than this is none, however small the spreads are. */
export const LEAST_CHANGE = 0.05;

/**
 * Pairs results by device, operation, shape and variant. A median has changed where the two differ by more than the sum
 * of both spreads, and by more than {@link LEAST_CHANGE} of the old one.
 */
export function compareResults(old: readonly Measured[], now: readonly Measured[]): Comparison {
  const [oldByKey, nowByKey] = [byKey(old), byKey(now)];
  const changes = Array.from(nowByKey, ([key, result]) => changeOf(oldByKey.get(key), result)).filter(
    (change) => change !== undefined,
  );
  return {
    changes,
    onlyOld: Array.from(oldByKey.values()).filter((result) => !nowByKey.has(keyOf(result))),
    onlyNew: Array.from(nowByKey.values()).filter((result) => !oldByKey.has(keyOf(result))),
  };
}

/** The name of a benchmark in words: `matmul cube512 on webgpu (tiled)`. */
export function nameOf({ device, operation, shape, variant }: Measured): string {
  return `${operation} ${shape} on ${device}${variant === 'default' ? '' : ` (${variant})`}`;
}

/** The results in the text of a report. Throws DataError naming the file and what is wrong with it. */
export function readResults(file: string, text: string): Measured[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new DataError(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const results: unknown = isRecord(parsed) ? parsed['results'] : undefined;
  if (!Array.isArray(results))
    throw new DataError(`${file} has no list 'results': expected what npm run bench --json writes`);
  return results.map((result: unknown, i) => {
    if (isMeasured(result)) return result;
    throw new DataError(`${file}: result ${i} ${problemOf(result) ?? ''}: expected what npm run bench --json writes`);
  });
}

function changeOf(old: Measured | undefined, now: Measured): Change | undefined {
  if (!old) return undefined;
  const difference = now.medianMilliseconds - old.medianMilliseconds;
  const threshold = Math.max(old.spread + now.spread, LEAST_CHANGE * old.medianMilliseconds);
  const verdict = difference > threshold ? 'slower' : -difference > threshold ? 'faster' : 'same';
  return { old, new: now, ratio: now.medianMilliseconds / old.medianMilliseconds, verdict };
}

function byKey(results: readonly Measured[]): Map<string, Measured> {
  return new Map(results.map((result) => [keyOf(result), result]));
}

function keyOf({ device, operation, shape, variant }: Measured): string {
  return JSON.stringify([device, operation, shape, variant]);
}

const TEXTS = ['device', 'operation', 'shape', 'variant'] as const;
const NUMBERS = ['medianMilliseconds', 'spread'] as const;

function problemOf(result: unknown): string | undefined {
  if (!isRecord(result)) return 'is no object';
  const noText = TEXTS.find((name) => typeof result[name] !== 'string');
  if (noText !== undefined) return `has no text '${noText}'`;
  const noNumber = NUMBERS.find((name) => typeof result[name] !== 'number' || !(result[name] >= 0));
  return noNumber === undefined ? undefined : `has no number '${noNumber}' of 0 or more`;
}

function isMeasured(result: unknown): result is Measured {
  return problemOf(result) === undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

import { formatCount, formatNumber, formatTable } from '../step/report.js';
import type { Summary } from '../step/rounds.js';
import { CALL_NAMES, type CallCounts } from './call-counts.js';
import type { Way } from './ways.js';

/** The host's share of one way to run a step, as it is stored. */
export interface HostResult extends CallCounts {
  readonly library: string;
  readonly name: string;
  readonly device: 'webgpu';
  readonly millisecondsPerStep: number;
  readonly smallest: number;
  readonly largest: number;
}

/** What was counted and timed, together. */
export function hostResults(
  ways: readonly Omit<Way, 'round'>[],
  times: ReadonlyMap<string, Summary>,
): readonly HostResult[] {
  return ways.map(({ library, name, counts }) => {
    const time = times.get(name);
    if (!time) throw new Error(`${name} was not timed`);
    const { median, smallest, largest } = time;
    return { library, name, device: 'webgpu', millisecondsPerStep: median, smallest, largest, ...counts };
  });
}

/** A row a way, its time and its calls. */
export function hostTable(results: readonly HostResult[]): string {
  const header = ['a step', 'ms (median)', 'smallest', 'largest', ...CALL_NAMES];
  const rows = results.map((result) => [
    result.name,
    ...[result.millisecondsPerStep, result.smallest, result.largest].map(formatNumber),
    ...CALL_NAMES.map((name) => formatCount(result[name])),
  ]);
  return formatTable(header, rows);
}

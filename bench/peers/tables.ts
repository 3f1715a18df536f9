import { formatNumber, formatTable } from '../step/report.js';
import type { Summary } from '../step/rounds.js';
import type { Peer } from './peer.js';

/** What was measured of a library. */
export function timeOf(times: ReadonlyMap<string, Summary>, name: string): Summary {
  const time = times.get(name);
  if (!time) throw new Error(`${name} was not timed`);
  return time;
}

/** What is kept of a library's training step. */
export function stepResult({ id, name, description }: Peer, times: ReadonlyMap<string, Summary>) {
  const { median, smallest, largest } = timeOf(times, name);
  const { library, device, threads } = id;
  return { library, device, description, threads, millisecondsPerStep: median, smallest, largest };
}

/**
 * A row a library: its value, its spread, and how many times as fast ours are: on the CPU, on as many threads where there
 * are rounds of such, and on the same adapter.
 */
export function tableOfTimes(
  peers: readonly Peer[],
  times: ReadonlyMap<string, Summary>,
  unit: string,
  value: (milliseconds: number) => number,
): string {
  const ratio = (theirs: Peer, device: 'cpu' | 'webgpu'): string => {
    const candidates = peers.filter(
      ({ id, adapter }) =>
        id.library === 'kernelwright' && id.device === device && (device === 'cpu' || adapter === theirs.adapter),
    );
    const ours = candidates.find(({ id }) => id.threads === theirs.id.threads) ?? candidates[0];
    return ours ? formatNumber(timeOf(times, theirs.name).median / timeOf(times, ours.name).median) : '';
  };
  const rows = peers.map((peer) => {
    const { median, smallest, largest } = timeOf(times, peer.name);
    const numbers = [median, smallest, largest].map((milliseconds) => formatNumber(value(milliseconds)));
    return [peer.name, ...numbers, ratio(peer, 'cpu'), peer.id.device === 'webgpu' ? ratio(peer, 'webgpu') : ''];
  });
  const header = ['library', unit, 'best round', 'worst round', 'our cpu is … times as fast', 'our webgpu is …'];
  return formatTable(header, rows);
}

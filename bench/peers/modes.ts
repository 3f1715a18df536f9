import { FitEpochs } from '../host/fit-epochs.js';
import { hostResults, hostTable } from '../host/host-table.js';
import { prepareWays, type Way } from '../host/ways.js';
import { CHECKED_STEPS, checkLosses } from '../step/check-losses.js';
import { formatNumber, formatTable } from '../step/report.js';
import { type Summary, timeInTurn } from '../step/rounds.js';
import { DROPOUT } from '../step/workload.js';
import { exactProduct } from './matrices.js';
import type { Peer } from './peer.js';
import type { ContestantId } from './protocol.js';

/** What a mode found: for `--json`, and for people. */
export interface Outcome {
  readonly results: readonly object[];
  readonly table: string;
}

/** The loss is read once in so many steps. */
const READ_EVERY = 10;

/** For `readEvery`: messages between processes cannot hold Infinity. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** Steps that calls are counted over. */
const COUNTED_STEPS = 20;

/** Sizes of matrices. */
const SIZES = [512, 1024, 2048];

/** Plain JavaScript takes seconds for larger ones, and nobody would use it. */
const LARGEST_IN_PLAIN_JAVASCRIPT = 512;

/** Software adapters take seconds for larger ones: the products here are about the CPU. */
const LARGEST_ON_ADAPTER = 1024;

/** MyNet's training step with dropout, the loss read now and then, on the adapter and on the CPU. */
export async function runStep(peers: readonly Peer[], rounds: number): Promise<Outcome> {
  const losses = new Map<string, readonly number[]>();
  for (const peer of peers) {
    await peer.ask({ ask: 'prepare', dropout: 0 });
    losses.set(peer.id.name, await peer.ask({ ask: 'losses', steps: CHECKED_STEPS }));
    await peer.ask({ ask: 'prepare', dropout: DROPOUT });
  }
  checkLosses(peers[0]?.id.name ?? '', losses);
  const contestants = peers.map((peer) => ({
    name: peer.id.name,
    round: (steps: number) => peer.ask({ ask: 'train', steps, readEvery: READ_EVERY }),
  }));
  const times = await timeInTurn(contestants, { rounds, milliseconds: 600, multipleOf: READ_EVERY });
  const results = peers.map((peer) => ({ ...stepResult(peer, times), firstLoss: losses.get(peer.id.name)?.[0] }));
  return { results, table: tableOfTimes(peers, times, 'ms a step', (milliseconds) => milliseconds) };
}

/** Milliseconds and calls of a step on Dawn's null backend, beside ours and bare loops in this process; no loss is read. */
export async function runHost(peers: readonly Peer[], rounds: number): Promise<Outcome> {
  const ways: Way[] = [...(await prepareWays())];
  for (const peer of peers) {
    ways.push({
      library: peer.id.library,
      name: peer.id.library,
      counts: await countSteps(peer),
      round: (steps) => peer.ask({ ask: 'train', steps, readEvery: NEVER }),
    });
  }
  const times = await timeInTurn(ways, { rounds, milliseconds: 300, multipleOf: FitEpochs.STEPS });
  const results = hostResults(ways, times);
  return { results, table: hostTable(results) };
}

/** Products of square matrices. */
export async function runMatmul(peers: readonly Peer[], rounds: number): Promise<Outcome> {
  const results: object[] = [];
  const tables: string[] = [];
  for (const size of SIZES) {
    const able = peers.filter(({ id }) => size <= largestOf(id));
    await checkProducts(able, size);
    const contestants = able.map((peer) => ({
      name: peer.id.name,
      round: (times: number) => peer.ask({ ask: 'multiply', size, times }),
    }));
    const times = await timeInTurn(contestants, { rounds, milliseconds: 400 });
    const gflops = (milliseconds: number): number => (2 * size ** 3) / milliseconds / 1e6;
    for (const { id } of able) {
      const { library, device, threads } = id;
      results.push({ library, device, threads, size, gflops: gflops(timeOf(times, id.name).median) });
    }
    tables.push(tableOfTimes(able, times, `GFLOP/s at ${size}`, gflops));
  }
  return { results, table: tables.join('\n\n') };
}

function largestOf({ name, device }: ContestantId): number {
  if (name === 'tfjs-cpu') return LARGEST_IN_PLAIN_JAVASCRIPT;
  return device === 'webgpu' ? LARGEST_ON_ADAPTER : Infinity;
}

function stepResult({ id, description }: Peer, times: ReadonlyMap<string, Summary>) {
  const { median, smallest, largest } = timeOf(times, id.name);
  const { library, device } = id;
  return { library, device, description, millisecondsPerStep: median, smallest, largest };
}

async function countSteps(peer: Peer) {
  await peer.ask({ ask: 'prepare', dropout: DROPOUT });
  await peer.ask({ ask: 'train', steps: COUNTED_STEPS, readEvery: NEVER });
  return peer.ask({ ask: 'count', steps: COUNTED_STEPS });
}

/** Throws where an element of a product is not what float32 allows for. */
async function checkProducts(peers: readonly Peer[], size: number): Promise<void> {
  const [row, column] = [size - 3, 7];
  const expected = exactProduct(size, row, column);
  for (const peer of peers) {
    const found = await peer.ask({ ask: 'product', size, row, column });
    if (Math.abs(found - expected) <= 1e-6 * size) continue;
    throw new Error(`${peer.id.name}: element (${row}, ${column}) of the product is ${found} for ${expected}`);
  }
}

function timeOf(times: ReadonlyMap<string, Summary>, name: string): Summary {
  const time = times.get(name);
  if (!time) throw new Error(`${name} was not timed`);
  return time;
}

/** A row a library: its value, its spread, and how many times as fast ours are on the CPU and on the same adapter. */
function tableOfTimes(
  peers: readonly Peer[],
  times: ReadonlyMap<string, Summary>,
  unit: string,
  value: (milliseconds: number) => number,
): string {
  const ratio = (ours: string, theirs: Peer): string => {
    const time = times.get(ours);
    return time ? formatNumber(timeOf(times, theirs.id.name).median / time.median) : '';
  };
  const rows = peers.map((peer) => {
    const { median, smallest, largest } = timeOf(times, peer.id.name);
    const numbers = [median, smallest, largest].map((milliseconds) => formatNumber(value(milliseconds)));
    const onAdapter = peer.id.device === 'webgpu' ? ratio('kernelwright webgpu', peer) : '';
    return [peer.id.name, ...numbers, ratio('kernelwright cpu', peer), onAdapter];
  });
  const header = ['library', unit, 'best round', 'worst round', 'our cpu is … times as fast', 'our webgpu is …'];
  return formatTable(header, rows);
}

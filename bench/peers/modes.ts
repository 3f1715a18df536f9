import { FitEpochs } from '../host/fit-epochs.js';
import { hostResults, hostTable } from '../host/host-table.js';
import { prepareWays, type Way } from '../host/ways.js';
import { CHECKED_STEPS, checkLosses } from '../step/check-losses.js';
import { timeInTurn } from '../step/rounds.js';
import { timeText } from '../figures.js';
import { DROPOUT } from '../step/workload.js';
import { exactProduct } from './matrices.js';
import type { Peer } from './peer.js';
import type { Computation } from './protocol.js';
import { stepResult, tableOfTimes, timeOf } from './tables.js';

/** What a mode found: for `--json`, and for people, in Markdown. */
export interface Outcome {
  readonly results: readonly object[];
  readonly markdown: string;
}

/** The loss is read once in so many steps. */
const READ_EVERY = 10;

/** For `readEvery`: messages between processes cannot hold Infinity. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** Steps that calls are counted over. */
const COUNTED_STEPS = 20;

/** Sizes of matrices. */
const SIZES = [512, 1024, 2048];

/** A library whose product of a size is expected to take longer is left out there. */
const LONGEST_PRODUCT_MILLISECONDS = 3000;

/** MyNet's training step with dropout, the loss read now and then, on the adapter and on the CPU. */
export async function runStep(peers: readonly Peer[], rounds: number): Promise<Outcome> {
  const losses = new Map<string, readonly number[]>();
  for (const peer of peers) {
    await peer.ask({ ask: 'prepare', training: { dropout: 0 } });
    losses.set(peer.name, await peer.ask({ ask: 'losses', steps: CHECKED_STEPS }));
    await peer.ask({ ask: 'prepare', training: { dropout: DROPOUT } });
  }
  checkLosses(peers[0]?.name ?? '', losses);
  const contestants = peers.map((peer) => ({
    name: peer.name,
    round: (steps: number) => peer.ask({ ask: 'train', steps, readEvery: READ_EVERY }),
  }));
  const times = await timeInTurn(contestants, { rounds, milliseconds: 600, multipleOf: READ_EVERY });
  const results = peers.map((peer) => ({ ...stepResult(peer, times), firstLoss: losses.get(peer.name)?.[0] }));
  return { results, markdown: tableOfTimes(peers, times, 'ms a step', (milliseconds) => milliseconds) };
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
  return { results, markdown: hostTable(results) };
}

/** Products of square matrices. */
export async function runMatmul(peers: readonly Peer[], rounds: number): Promise<Outcome> {
  const results: object[] = [];
  const paragraphs: string[] = [];
  /** What a multiplication and an addition took each library at the size before. */
  const millisecondsPerFlop = new Map<Peer, number>();
  for (const size of SIZES) {
    const flop = 2 * size ** 3;
    const expected = (peer: Peer): number => (millisecondsPerFlop.get(peer) ?? 0) * flop;
    const able = peers.filter((peer) => expected(peer) <= LONGEST_PRODUCT_MILLISECONDS);
    await checkProducts(able, size);
    const contestants = able.map((peer) => ({
      name: peer.name,
      round: (times: number) => peer.ask({ ask: 'compute', computation: { compute: 'product', size }, times }),
    }));
    const times = await timeInTurn(contestants, { rounds, milliseconds: 400 });
    const gflops = (milliseconds: number): number => flop / milliseconds / 1e6;
    for (const peer of able) {
      const { median, smallest } = timeOf(times, peer.name);
      millisecondsPerFlop.set(peer, smallest / flop);
      const { library, device, threads } = peer.id;
      results.push({ library, device, description: peer.description, threads, size, gflops: gflops(median) });
    }
    paragraphs.push(tableOfTimes(able, times, `GFLOP/s at ${size}`, gflops));
    const leftOut = peers.filter((peer) => !able.includes(peer));
    const reasons = leftOut.map((peer) => `${peer.name} (${timeText(expected(peer))})`);
    if (reasons.length > 0)
      paragraphs.push(`Left out at ${size}, for what a product would take: ${reasons.join(', ')}.`);
  }
  return { results, markdown: paragraphs.join('\n\n') };
}

async function countSteps(peer: Peer) {
  await peer.ask({ ask: 'prepare', training: { dropout: DROPOUT } });
  await peer.ask({ ask: 'train', steps: COUNTED_STEPS, readEvery: NEVER });
  return peer.ask({ ask: 'count', steps: COUNTED_STEPS });
}

/** Throws where an element of a product is not what float32 allows for. */
async function checkProducts(peers: readonly Peer[], size: number): Promise<void> {
  const [row, column] = [size - 3, 7];
  const expected = exactProduct(size, row, column);
  for (const peer of peers) {
    const computation: Computation = { compute: 'product', size };
    const [found = NaN] = await peer.ask({ ask: 'elements', computation, places: [row * size + column] });
    if (Math.abs(found - expected) <= 1e-6 * size) continue;
    throw new Error(`${peer.name}: element (${row}, ${column}) of the product is ${found} for ${expected}`);
  }
}

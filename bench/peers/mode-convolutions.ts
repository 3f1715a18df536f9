import { geometricMean } from '../figures.js';
import { formatNumber, formatTable } from '../step/report.js';
import { timeInTurn } from '../step/rounds.js';
import { type Convolution, exactElements, flopOf, type Pass, PASSES, shapeOfPass } from './convolutions.js';
import type { Outcome } from './modes.js';
import { NAMED_CONVOLUTIONS, SAMPLE } from './named-convolutions.js';
import type { Peer } from './peer.js';
import { timeOf } from './tables.js';

/** A library that is expected to take longer is left out, of the sample at the first and of the others at the second. */
const LONGEST_MILLISECONDS = { sample: 2500, others: 200 };

/** Elements of a result that are compared with their exact values. */
const CHECKED_ELEMENTS = 12;

/** About so long is a round. */
const ROUND_MILLISECONDS = 40;

const TITLES: Readonly<Record<Pass, string>> = {
  forward: 'Forwards',
  inputGradient: 'With respect to the picture',
  weightGradient: 'With respect to the weight',
};

/** Small ones of the sample come first: they tell how long the others will take. */
const SAMPLE_FIRST = [...NAMED_CONVOLUTIONS].sort(
  (a, b) => Number(SAMPLE.has(b.name)) - Number(SAMPLE.has(a.name)) || flopOf(a) - flopOf(b),
);

/** Of one convolution: GFLOP/s by library. */
interface Row {
  readonly convolution: Convolution;
  readonly gflops: ReadonlyMap<Peer, number>;
}

/** Convolutions of ResNet-50 and MobileNetV2, one picture of 224 × 224, forwards and both gradients. */
export async function runConvolutions(peers: readonly Peer[], rounds: number): Promise<Outcome> {
  const results: object[] = [];
  const paragraphs: string[] = [];
  const reasons = new Set<string>();
  for (const pass of PASSES) {
    const rates = new Rates();
    const rows: Row[] = [];
    for (const convolution of SAMPLE_FIRST) {
      const able: Peer[] = [];
      for (const peer of peers) {
        if (rates.expected(peer, convolution) > longest(convolution)) continue;
        const reason = await whyNot(peer, convolution, pass);
        if (reason === undefined) able.push(peer);
        else reasons.add(`${peer.name}: ${reason}`);
      }
      const contestants = able.map((peer) => ({
        name: peer.name,
        round: (times: number) =>
          peer.ask({ ask: 'compute', computation: { compute: 'convolution', convolution, pass }, times }),
      }));
      const times = await timeInTurn(contestants, { rounds, milliseconds: ROUND_MILLISECONDS });
      const gflops = new Map<Peer, number>();
      for (const peer of able) {
        const { median, smallest } = timeOf(times, peer.name);
        rates.note(peer, convolution, smallest);
        gflops.set(peer, flopOf(convolution) / median / 1e6);
        const { library, device, threads } = peer.id;
        const { name } = convolution;
        const rate = flopOf(convolution) / median / 1e6;
        results.push({
          library,
          device,
          description: peer.description,
          threads,
          convolution: name,
          pass,
          gflops: rate,
        });
      }
      rows.push({ convolution, gflops });
    }
    rows.sort((a, b) => NAMED_CONVOLUTIONS.indexOf(a.convolution) - NAMED_CONVOLUTIONS.indexOf(b.convolution));
    paragraphs.push(`### ${TITLES[pass]}`, tableOf(peers, rows), ratiosOf(peers, rows));
  }
  paragraphs.push(...Array.from(reasons, (reason) => `Left out: ${reason}.`));
  return { results, markdown: paragraphs.join('\n\n') };
}

function longest({ name }: Convolution): number {
  return SAMPLE.has(name) ? LONGEST_MILLISECONDS.sample : LONGEST_MILLISECONDS.others;
}

/** What a flop took each library so far: at the best, where channels are summed and where they are not. */
class Rates {
  readonly #millisecondsPerFlop = new Map<string, number>();

  expected(peer: Peer, convolution: Convolution): number {
    return (this.#millisecondsPerFlop.get(keyOf(peer, convolution)) ?? 0) * flopOf(convolution);
  }

  note(peer: Peer, convolution: Convolution, milliseconds: number): void {
    const key = keyOf(peer, convolution);
    const before = this.#millisecondsPerFlop.get(key) ?? Infinity;
    this.#millisecondsPerFlop.set(key, Math.min(before, milliseconds / flopOf(convolution)));
  }
}

function keyOf({ name }: Peer, { isDepthwise }: Convolution): string {
  return `${name} ${isDepthwise}`;
}

/** Why a library cannot be timed: what it said, or that it computes something else. Ours must be right. */
async function whyNot(peer: Peer, convolution: Convolution, pass: Pass): Promise<string | undefined> {
  const size = shapeOfPass(convolution, pass).reduce((all, axis) => all * axis, 1);
  const places = Array.from({ length: CHECKED_ELEMENTS }, (_, i) => Math.floor(((i + 0.5) / CHECKED_ELEMENTS) * size));
  const isOurs = peer.id.library === 'kernelwright';
  let found: readonly number[];
  try {
    found = await peer.ask({ ask: 'elements', computation: { compute: 'convolution', convolution, pass }, places });
  } catch (error) {
    if (isOurs || !(error instanceof Error)) throw error;
    return error.message.replace(`${peer.name}: `, '');
  }
  const wrong = exactElements(convolution, pass, places).findIndex(
    ({ value, terms }, i) => !(Math.abs((found[i] ?? NaN) - value) <= 1e-6 * (terms + 1)),
  );
  if (wrong < 0) return undefined;
  const reason = `${convolution.name}, ${pass}: it computes another element ${places[wrong]} than the formula`;
  if (isOurs) throw new Error(`${peer.name}, ${reason}`);
  return reason;
}

/** A row a convolution, a column a library. */
function tableOf(peers: readonly Peer[], rows: readonly Row[]): string {
  const header = ['GFLOP/s', 'MFLOP', ...peers.map(({ name }) => name)];
  return formatTable(
    header,
    rows.map(({ convolution, gflops }) => [
      convolution.name,
      formatNumber(flopOf(convolution) / 1e6),
      ...peers.map((peer) => formatNumber(gflops.get(peer) ?? NaN)),
    ]),
  );
}

/** How many times as fast ours is as each of the others: on the same adapter, or on the CPU on as many threads. */
function ratiosOf(peers: readonly Peer[], rows: readonly Row[]): string {
  const header = ['ours beside', 'convolutions', 'times as fast (geometric mean)', 'least', 'most'];
  const lines = peers.flatMap((peer) => {
    const ours = counterpartOf(peer, peers);
    if (!ours) return [];
    const ratios = rows.flatMap(({ gflops }) => {
      const [mine, theirs] = [gflops.get(ours), gflops.get(peer)];
      return mine === undefined || theirs === undefined ? [] : [mine / theirs];
    });
    if (ratios.length === 0) return [];
    const numbers = [geometricMean(ratios), Math.min(...ratios), Math.max(...ratios)].map(formatNumber);
    return [[`${ours.name} / ${peer.name}`, String(ratios.length), ...numbers]];
  });
  return formatTable(header, lines);
}

function counterpartOf(peer: Peer, peers: readonly Peer[]): Peer | undefined {
  if (peer.id.library === 'kernelwright') return undefined;
  const { device, threads } = peer.id;
  return peers.find(
    ({ id, adapter }) =>
      id.library === 'kernelwright' &&
      (device === 'webgpu' ? adapter === peer.adapter : id.device === 'cpu') &&
      id.threads === threads,
  );
}

import { netDescription, type NetName } from '../nets/description.js';
import { timeText } from '../figures.js';
import { checkLosses } from '../step/check-losses.js';
import { timeInTurn } from '../step/rounds.js';
import type { Outcome } from './modes.js';
import type { Peer } from './peer.js';
import { stepResult, tableOfTimes } from './tables.js';

/** How far losses may lie apart, relative to their size: rounding errors grow from layer to layer and from step to step. */
const TOLERANCE = 1e-3;

/** A library that takes longer for a step is left out. */
const LONGEST_STEP_MILLISECONDS = 30_000;

/** The training step of a convolutional net, on the adapter and on the CPU. */
export function runNet(name: NetName): (peers: readonly Peer[], rounds: number) => Promise<Outcome> {
  const net = netDescription(name);
  return async (peers, rounds) => {
    const losses = new Map<string, readonly number[]>();
    const able: Peer[] = [];
    const reasons: string[] = [];
    for (const peer of peers) {
      try {
        await peer.ask({ ask: 'prepare', training: { net } });
        // The second step is timed: the first one also compiles kernels.
        const first = await peer.ask({ ask: 'losses', steps: 1 });
        const milliseconds = await peer.ask({ ask: 'train', steps: 1, readEvery: 1 });
        if (milliseconds > LONGEST_STEP_MILLISECONDS) {
          reasons.push(`Left out: ${peer.name}, whose step takes ${timeText(milliseconds)}.`);
          continue;
        }
        losses.set(peer.name, [...first, ...(await peer.ask({ ask: 'losses', steps: 2 }))]);
        able.push(peer);
      } catch (error) {
        if (peer.id.library === 'kernelwright' || !(error instanceof Error)) throw error;
        reasons.push(`Left out: ${error.message}.`);
      }
    }
    checkLosses(able[0]?.name ?? '', losses, TOLERANCE);
    const contestants = able.map((peer) => ({
      name: peer.name,
      round: (steps: number) => peer.ask({ ask: 'train', steps, readEvery: 1 }),
    }));
    const times = await timeInTurn(contestants, { rounds, milliseconds: 600 });
    const results = able.map((peer) => ({ ...stepResult(peer, times), net: name, losses: losses.get(peer.name) }));
    return { results, markdown: [tableOfTimes(able, times, 'ms a step', (ms) => ms), ...reasons].join('\n\n') };
  };
}

import type { KernelVariant, Launch } from '../../../graph/launch.js';
import { KernelwrightError } from '../../../errors.js';
import type { Operation } from '../../../graph/operation.js';
import type { TuningTrial } from '../../tuning-report.js';
import { firstWorkgroups, type LaunchJob } from '../launch-job.js';
import { verdictOn } from './check.js';
import type { Expected, Trials } from './trials.js';

/**
 * Nothing that would take longer is executed whole: systems end what keeps a GPU busy for seconds, and a screen that waits for
 * it stands still. Its first workgroups stand for all.
 */
const LONGEST_MILLISECONDS = 100;
/** A part is so large that it takes at least so long. */
const LONG_ENOUGH_MILLISECONDS = 20;
/** At least so much of a run is counted as work: what is left beside the time of an empty one may be less than its noise. */
const LEAST_SHARE_OF_WORK = 0.1;
const PROBES = 3;
/** A timed run takes at least so long: clocks and queues are coarse. */
const SHORTEST_RUN_MILLISECONDS = 5;
const MOST_REPEATS = 4096;
const ROUNDS = 3;
/** A variant that is slower than the best one by this factor is not timed again: by one run, and by rounds. */
const HOPELESS = { atFirst: 3, inRounds: 1.5 };

/** A variant that is right, while it is timed. */
interface Contestant {
  readonly job: LaunchJob;
  /** How much of it is executed. */
  readonly part: number;
  readonly repeats: number;
  /** Milliseconds of one whole execution, of each run. */
  readonly times: number[];
}

/** How a contest of variants went. */
export interface Outcome {
  /** What became of each, in order. At most one is taken: none where all of them are wrong. */
  readonly trials: Readonly<Record<string, TuningTrial>>;
  /** What is wrong, in words, with those that are wrong or refused. */
  readonly faults: Readonly<Record<string, string>>;
}

/**
 * Finds the fastest of the variants that compute what the reference does. Those that have a chance are timed in rounds, one
 * after the other in each, so that what else the machine does meanwhile slows all of them.
 */
export async function contest(
  source: Trials,
  variants: readonly KernelVariant[],
  tolerance: Operation['tolerance'],
): Promise<Outcome> {
  const entries: [name: string, entry: Contestant | Rejection][] = [];
  const contestants = (): Contestant[] => entries.flatMap(([, entry]) => ('job' in entry ? [entry] : []));
  try {
    const expected = source.expected();
    for (const variant of variants) {
      const entry = await enter(source, variant, expected, tolerance, bestOf(contestants()));
      entries.push([variant.name, entry]);
    }
    for (let round = 0; round < ROUNDS; round++) {
      const chance = bestOf(contestants()) * (round === 0 ? HOPELESS.atFirst : HOPELESS.inRounds);
      for (const { job, part, repeats, times } of contestants()) {
        if (fastest(times) <= chance) times.push((await job.run(repeats, part)) / repeats / part);
      }
    }
    const best = bestOf(contestants());
    const winner = contestants().find(({ times }) => fastest(times) === best);
    return {
      trials: Object.fromEntries(entries.map(([name, entry]) => [name, trialOf(entry, winner)])),
      faults: Object.fromEntries(entries.flatMap(([name, entry]) => ('fault' in entry ? [[name, entry.fault]] : []))),
    };
  } finally {
    for (const { job } of contestants()) job.dispose();
  }
}

function trialOf(entry: Contestant | Rejection, winner: Contestant | undefined): TuningTrial {
  const { part } = entry;
  if (!('job' in entry)) return { outcome: entry.outcome, runs: 0, part };
  const { times } = entry;
  const outcome = entry === winner ? 'taken' : 'slower';
  return { outcome, milliseconds: fastest(times), slowest: Math.max(...times), runs: times.length, part };
}

/** Why a variant is not timed. */
interface Rejection {
  readonly outcome: 'wrong' | 'refused' | 'unchecked';
  /** What is wrong with it, in words. */
  readonly fault?: string;
  readonly part: number;
}

/** Checks a variant and times it once. */
async function enter(
  source: Trials,
  variant: KernelVariant,
  expected: Expected,
  tolerance: Operation['tolerance'],
  best: number,
): Promise<Contestant | Rejection> {
  let job: LaunchJob;
  try {
    job = await source.open(variant);
  } catch (error) {
    if (error instanceof KernelwrightError) return { outcome: 'refused', fault: error.message, part: 1 };
    throw error;
  }
  let isEntered = false;
  try {
    source.fill();
    const part = await partOf(job, variant.launches);
    const isPart = part < 1;
    // What one launch leaves for the next is not there where the first was not executed whole.
    const unchecked: Rejection = { outcome: 'unchecked', part };
    if (isPart && variant.launches.length > 1) return unchecked;
    source.fill();
    await job.run(1, part);
    const { wrong, compared } = verdictOn(await job.outputs(), expected, tolerance, isPart);
    if (wrong !== undefined) return { outcome: 'wrong', fault: wrong, part };
    if (compared === 0) return unchecked;
    const { repeats, time } = await repeatsOf(job, part, best);
    isEntered = true;
    return { job, part, repeats, times: [time] };
  } finally {
    if (!isEntered) job.dispose();
  }
}

/**
 * How much of a variant can be executed at once: all of it, or what takes long enough to be timed. It begins with one
 * workgroup, and goes on with as many as cannot take too long by what those before have taken.
 */
async function partOf(job: LaunchJob, launches: readonly Launch[]): Promise<number> {
  const [most] = launches.map(({ workgroups }) => workgroups).sort((a, b) => countOf(b) - countOf(a));
  if (!most) return 1;
  const share = (wanted: number): number => countOf(firstWorkgroups(most, wanted)) / countOf(most);
  let part = share(0);
  await job.run(1, part); // the first time it may still be compiled
  if (part === 1) return 1;
  const nothing = await shortestOf(() => job.run(0));
  for (;;) {
    const time = await shortestOf(() => job.run(1, part));
    const work = Math.max(time - nothing, LEAST_SHARE_OF_WORK * time);
    if (work / part <= LONGEST_MILLISECONDS) return 1;
    if (work >= LONG_ENOUGH_MILLISECONDS) return part;
    part = share(4 * part);
  }
}

/** The fastest of a few runs: what else the machine does meanwhile makes the others longer. */
async function shortestOf(run: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  while (times.length < PROBES) times.push(await run());
  return fastest(times);
}

/** How often a variant is executed in one run, so that this takes long enough; less often where it has no chance. */
async function repeatsOf(job: LaunchJob, part: number, best: number): Promise<{ repeats: number; time: number }> {
  let repeats = 1;
  let time = await job.run(repeats, part);
  const isHopeless = (): boolean => repeats > 1 && time / repeats / part > HOPELESS.atFirst * best;
  while (time < SHORTEST_RUN_MILLISECONDS && repeats < MOST_REPEATS && !isHopeless()) {
    const wanted = Math.ceil((repeats * SHORTEST_RUN_MILLISECONDS) / (time + 0.01));
    repeats = Math.min(MOST_REPEATS, Math.max(2 * repeats, wanted));
    time = await job.run(repeats, part);
  }
  return { repeats, time: time / repeats / part };
}

function countOf([x, y, z]: Launch['workgroups']): number {
  return x * y * z;
}

function fastest(times: readonly number[]): number {
  return Math.min(...times);
}

function bestOf(contestants: readonly Contestant[]): number {
  return Math.min(...contestants.map(({ times }) => fastest(times)));
}

import * as statistics from 'd3-array';

/** Runs a piece of work `repeats` times in a row; resolves with the milliseconds that they took together. */
export type Timed = (repeats: number) => Promise<number>;

/** Time of one execution, over several runs of many executions each. */
export interface Timing {
  /** Median over the runs. */
  readonly medianMilliseconds: number;
  /** The fastest run's. */
  readonly fastestMilliseconds: number;
  /** Interquartile range over the runs, in milliseconds: the middle half of the runs lies within so much. */
  readonly spread: number;
  /** How many runs there were. */
  readonly runs: number;
  /** Executions in each run. */
  readonly repeats: number;
}

/** A run shorter than this is mostly the clock's and the queue's own time. */
const SHORTEST_RUN_MILLISECONDS = 10;
const FEWEST_RUNS = 3;
const MOST_RUNS = 9;
/** Time that a run may take on average without there being fewer of them. */
const USUAL_RUN_MILLISECONDS = 45;
/** What takes so long is not tried twice. */
const LONG_MILLISECONDS = 100;
/** Not more repeats than this, however short they are. */
const MOST_REPEATS = 1_000_000;

/**
 * Finds out how many repeats a run needs, and makes the runs. What is short is tried twice each time, and the quicker
 * try counts: the first may warm up, and one that something else held up would make the runs too short.
 *
 * @param mostRuns fewer are made of what takes long, three at least
 */
export async function measure(work: Timed, mostRuns = MOST_RUNS): Promise<Timing> {
  const tryTwice = async (count: number): Promise<number> => {
    const first = await work(count);
    return first < LONG_MILLISECONDS ? Math.min(first, await work(count)) : first;
  };
  let repeats = 1;
  let milliseconds = await tryTwice(repeats);
  while (milliseconds < SHORTEST_RUN_MILLISECONDS && repeats < MOST_REPEATS) {
    const wanted = (repeats * 1.2 * SHORTEST_RUN_MILLISECONDS) / Math.max(milliseconds, 0.001);
    repeats = Math.min(Math.ceil(Math.min(wanted, 10 * repeats)), MOST_REPEATS);
    milliseconds = await tryTwice(repeats);
  }
  const affordable = Math.floor((mostRuns * USUAL_RUN_MILLISECONDS) / milliseconds);
  const runs = Math.min(Math.max(affordable, FEWEST_RUNS), mostRuns);
  const times = [milliseconds / repeats];
  while (times.length < runs) times.push((await work(repeats)) / repeats);
  return {
    medianMilliseconds: median(times),
    fastestMilliseconds: Math.min(...times),
    spread: interquartileRange(times),
    runs,
    repeats,
  };
}

/** The middle value, or the mean of the two in the middle. NaN of nothing. */
export function median(values: readonly number[]): number {
  return statistics.median(values) ?? NaN;
}

/** The distance from the first quartile to the third, linear between neighbours as in NumPy. NaN of nothing. */
export function interquartileRange(values: readonly number[]): number {
  const [first = NaN, third = NaN] = [0.25, 0.75].map((p) => statistics.quantile(values, p));
  return third - first;
}

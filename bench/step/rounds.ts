import { median } from '../measure.js';

/** The middle of some timings and how far they lie apart. */
export interface Summary {
  readonly median: number;
  readonly smallest: number;
  readonly largest: number;
}

/** Something that is timed in rounds. */
export interface Contestant {
  readonly name: string;
  /** Does so many units of work to their end, and returns how many milliseconds all of them took. */
  readonly round: (units: number) => Promise<number>;
}

/** How rounds are run. */
export interface RoundOptions {
  /** Rounds a contestant, the one for warming up not counted. */
  readonly rounds: number;
  /** About so many milliseconds a round. */
  readonly milliseconds: number;
  /** A round is a whole number of these. Default 1. */
  readonly multipleOf?: number;
  /** At most so many units a round. Default: no limit. */
  readonly most?: number;
}

/** The statistics of some numbers. */
export function summarize(values: readonly number[]): Summary {
  if (values.length === 0) throw new Error('there are no values to summarize');
  return { median: median(values), smallest: Math.min(...values), largest: Math.max(...values) };
}

/**
 * Times contestants in turn, so that what else the machine does meets all of them alike: a round of the first, a round
 * of the second and so on, then all of them again. Each is warmed up first, which also decides the size of its rounds.
 *
 * @returns for each contestant by name, milliseconds a unit
 */
export async function timeInTurn(
  contestants: readonly Contestant[],
  { rounds, milliseconds, multipleOf = 1, most = Infinity }: RoundOptions,
): Promise<Map<string, Summary>> {
  const sizes = new Map<Contestant, number>();
  for (const contestant of contestants) {
    await contestant.round(multipleOf);
    // A second look: the first round also compiled kernels.
    let units = multipleOf;
    let taken = await contestant.round(units);
    if (taken < milliseconds / 4) {
      units = wholeMultiple(Math.min((units * milliseconds) / 4 / taken, most), multipleOf);
      taken = await contestant.round(units);
    }
    sizes.set(contestant, wholeMultiple(Math.min((units * milliseconds) / taken, most), multipleOf));
  }
  const timings = new Map(contestants.map((contestant) => [contestant, [] as number[]]));
  for (let i = 0; i < rounds; i++) {
    for (const [contestant, values] of timings) {
      const units = sizes.get(contestant) ?? multipleOf;
      values.push((await contestant.round(units)) / units);
    }
  }
  return new Map([...timings].map(([{ name }, values]) => [name, summarize(values)]));
}

/** Milliseconds that `work` takes. */
export async function millisecondsOf(work: () => void | Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function wholeMultiple(value: number, of: number): number {
  return Math.max(Math.round(value / of), 1) * of;
}

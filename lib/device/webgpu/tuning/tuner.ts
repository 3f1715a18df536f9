import { KernelwrightError } from '../../../errors.js';
import type { KernelTarget, KernelVariant, Launch } from '../../../graph/launch.js';
import type { NumericArray } from '../../../graph/operation.js';
import type { Step } from '../../../graph/program.js';
import { formatShape, sizeOf } from '../../../shape.js';
import type { TuningChoice, TuningReport } from '../../tuning-report.js';
import type { LaunchJob } from '../launch-job.js';
import { choiceKey } from './key.js';
import { choicesText, parseChoices, type TuningStore } from './store.js';
import type { Trials } from './trials.js';

/** What a tuner needs of its device. */
export interface TunerOptions {
  readonly target: KernelTarget;
  /** The adapter's part of the keys. */
  readonly adapter: string;
  /** Keeps the choices from run to run; left out, they end with the process. */
  readonly store?: TuningStore | undefined;
  readonly trialsOf: (step: Step) => Trials;
}

/** A timed run takes at least so long: clocks and queues are coarse. */
const SHORTEST_RUN_MILLISECONDS = 5;
const RUNS = 3;
/** A variant that is slower than the best one so far by this factor is not timed again. */
const HOPELESS = 1.5;
const MOST_REPEATS = 4096;

/**
 * Finds the fastest variant for the steps of programs. Each is checked against the operation's reference before it is
 * timed, and what was found is remembered by adapter, operation, sizes and kernels.
 */
export class Tuner {
  readonly #options: TunerOptions;
  readonly #choices = new Map<string, string>();
  readonly #report = new Map<string, TuningChoice>();
  readonly #warnings = new Set<string>();
  #loaded: Promise<void> | undefined;
  #queue: Promise<void> = Promise.resolve();

  constructor(options: TunerOptions) {
    this.#options = options;
  }

  get report(): TuningReport {
    return { choices: [...this.#report.values()], warnings: [...this.#warnings] };
  }

  /** Tunes the steps that are not known yet, one program after the other, and writes what is new to the store. */
  prepare(steps: readonly Step[]): Promise<void> {
    const prepared = this.#queue.then(() => this.#prepare(steps));
    this.#queue = prepared.catch(() => undefined);
    return prepared;
  }

  /** The launches chosen for a step; undefined where it has one variant only, or was not prepared. */
  launchesOf(step: Step): readonly Launch[] | undefined {
    const variants = this.#variantsOf(step);
    const chosen = this.#choices.get(choiceKey(this.#options.adapter, step, variants));
    return variants.find(({ name }) => name === chosen)?.launches;
  }

  async #prepare(steps: readonly Step[]): Promise<void> {
    await (this.#loaded ??= this.#load());
    let isChanged = false;
    for (const step of steps) {
      const variants = this.#variantsOf(step);
      if (variants.length < 2) continue;
      const key = choiceKey(this.#options.adapter, step, variants);
      if (this.#report.has(key)) continue;
      const remembered = variants.find(({ name }) => name === this.#choices.get(key));
      const milliseconds = remembered ? {} : await this.#time(step, variants);
      const variant = remembered?.name ?? fastestOf(milliseconds) ?? variants[0]?.name ?? '';
      this.#choices.set(key, variant);
      this.#report.set(key, {
        operation: step.operation.name,
        shapes: step.inputs.map(({ shape }) => shape),
        variant,
        source: remembered ? 'remembered' : 'measured',
        milliseconds,
      });
      isChanged ||= !remembered;
    }
    if (isChanged) await this.#save();
  }

  #variantsOf(step: Step): readonly KernelVariant[] {
    if (step.outputs.every(({ shape }) => sizeOf(shape) === 0)) return [];
    return step.operation.variants?.(step, this.#options.target) ?? [];
  }

  /** Milliseconds of the variants that compute what the reference does. */
  async #time(step: Step, variants: readonly KernelVariant[]): Promise<Record<string, number>> {
    const trials = this.#options.trialsOf(step);
    try {
      const expected = trials.expected();
      const times: Record<string, number> = {};
      let best = Infinity;
      for (const variant of variants) {
        const fault = await tryVariant(trials, variant, async (job) => {
          await job.run(1);
          const wrong = differs(await job.outputs(), expected, step.operation.tolerance);
          if (wrong !== undefined) return wrong;
          const time = await timeOf(job, best);
          times[variant.name] = time;
          best = Math.min(best, time);
          return undefined;
        });
        if (fault !== undefined) {
          const shapes = step.inputs.map(({ shape }) => formatShape(shape)).join(' ');
          this.#warnings.add(`${step.operation.name} ${shapes}: variant ${variant.name} is not used: ${fault}`);
        }
      }
      return times;
    } finally {
      trials.dispose();
    }
  }

  async #load(): Promise<void> {
    for (const [key, variant] of parseChoices(await this.#options.store?.read())) this.#choices.set(key, variant);
  }

  /** Adds the choices to what is in the store by now: other processes tune as well. */
  async #save(): Promise<void> {
    const { store } = this.#options;
    if (!store) return;
    try {
      await store.write(choicesText(new Map([...parseChoices(await store.read()), ...this.#choices])));
    } catch (error) {
      this.#warnings.add(`the choices could not be kept: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Opens a variant and looks at it; what is wrong with it in words. A GPU that refuses it is such a fault. */
async function tryVariant(
  trials: Trials,
  variant: KernelVariant,
  look: (job: LaunchJob) => Promise<string | undefined>,
): Promise<string | undefined> {
  let job: LaunchJob;
  try {
    job = await trials.open(variant);
  } catch (error) {
    if (error instanceof KernelwrightError) return error.message;
    throw error;
  }
  try {
    return await look(job);
  } finally {
    job.dispose();
  }
}

/** Milliseconds of one execution: the best of a few runs that are long enough; of fewer where they are hopeless. */
async function timeOf(job: LaunchJob, best: number): Promise<number> {
  let repeats = 1;
  let time = await job.run(repeats);
  while (time < SHORTEST_RUN_MILLISECONDS && repeats < MOST_REPEATS) {
    if (repeats > 1 && time / repeats > HOPELESS * best) break;
    repeats = Math.min(
      MOST_REPEATS,
      Math.max(2 * repeats, Math.ceil((repeats * SHORTEST_RUN_MILLISECONDS) / (time + 0.01))),
    );
    time = await job.run(repeats);
  }
  let fastest = time / repeats;
  for (let run = 1; run < RUNS && fastest <= HOPELESS * best; run++) {
    fastest = Math.min(fastest, (await job.run(repeats)) / repeats);
  }
  return fastest;
}

function fastestOf(times: Readonly<Record<string, number>>): string | undefined {
  return Object.entries(times).sort(([, a], [, b]) => a - b)[0]?.[0];
}

/** What differs from the reference; the tolerance is meant for outputs of size 1 and grows with their root mean square. */
function differs(
  got: readonly NumericArray[],
  expected: readonly NumericArray[],
  tolerance: { readonly absolute: number; readonly relative: number },
): string | undefined {
  for (const [output, values] of expected.entries()) {
    let squares = 0;
    for (const value of values) squares += Number.isFinite(value) ? value * value : 0;
    const scale = Math.max(1, Math.sqrt(squares / Math.max(1, values.length)));
    for (const [i, value] of values.entries()) {
      const found = got[output]?.[i] ?? NaN;
      if (Object.is(found, value)) continue;
      if (!(Math.abs(found - value) <= tolerance.absolute * scale + tolerance.relative * Math.abs(value))) {
        return `element ${i} of output ${output} is ${found}, expected ${value}`;
      }
    }
  }
  return undefined;
}

import type { KernelTarget, KernelVariant, Launch } from '../../../graph/launch.js';
import type { Step } from '../../../graph/program.js';
import { formatShape, sizeOf } from '../../../shape.js';
import type { TuningChoice, TuningReport, TuningTrial } from '../../tuning-report.js';
import { contest } from './contest.js';
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
      const [first] = variants;
      if (!first || variants.length < 2) continue;
      const key = choiceKey(this.#options.adapter, step, variants);
      if (this.#report.has(key)) continue;
      const remembered = variants.find(({ name }) => name === this.#choices.get(key));
      const trials = remembered ? {} : await this.#try(step, variants);
      const taken = Object.entries(trials).find(([, { outcome }]) => outcome === 'taken');
      const variant = remembered?.name ?? taken?.[0] ?? first.name;
      this.#choices.set(key, variant);
      this.#report.set(key, {
        operation: step.operation.name,
        shapes: step.inputs.map(({ shape }) => shape),
        variant,
        source: remembered ? 'remembered' : 'measured',
        trials,
      });
      isChanged ||= !remembered;
    }
    if (isChanged) await this.#save();
  }

  #variantsOf(step: Step): readonly KernelVariant[] {
    if (step.outputs.every(({ shape }) => sizeOf(shape) === 0)) return [];
    return step.operation.variants?.(step, this.#options.target) ?? [];
  }

  /** What becomes of each variant. */
  async #try(step: Step, variants: readonly KernelVariant[]): Promise<Readonly<Record<string, TuningTrial>>> {
    const source = this.#options.trialsOf(step);
    try {
      const { trials, faults } = await contest(source, variants, step.operation.tolerance);
      const shapes = step.inputs.map(({ shape }) => formatShape(shape)).join(' ');
      for (const [name, fault] of Object.entries(faults))
        this.#warnings.add(`${step.operation.name} ${shapes}: variant ${name} is not used: ${fault}`);
      return trials;
    } finally {
      source.dispose();
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

import { moveOnceAtEnd } from './counters.js';
import { requireTrace } from './graph/trace.js';
import { checkArgument, seed as seedRule, wholeNumber } from './options.js';
import { keyOfSeed, STEP_WORD } from './random.js';
import type { Tensor } from './tensor.js';
import { Variable } from './variable.js';

/**
 * A source of random numbers for kernels: a seed and a step that lives on the device (compare `torch.Generator`).
 * Each replay of a plan that draws from it moves the step on by one, after all drawing, so that every replay draws
 * other numbers, and the backward pass of a replay the same as its forward pass.
 */
export class Generator {
  /** Seed low, seed high, step, one unused (u32). */
  readonly state: Variable;
  /** As given to the constructor. */
  readonly seed: number;
  // The host counts along, so that a model whose device was lost goes on with fresh numbers.
  readonly #counted = { step: 0 };
  readonly #countSteps: (replays: number) => void;

  /** @param seed a whole number of 0 or more. Throws OptionError for any other. */
  constructor(seed: number) {
    this.seed = checkSeed(seed);
    const [key, counted] = [keyOfSeed(seed), this.#counted];
    const stateNow = (): Uint32Array => Uint32Array.of(...key, counted.step, 0);
    this.state = new Variable('generator', stateNow());
    this.state.storage.recoverBy(stateNow);
    this.#countSteps = (replays) => {
      counted.step += replays;
    };
  }

  /**
   * How many replays have drawn from it: with the seed, all that it is. Setting it has it go on from there, as another
   * generator of this seed would (compare `torch.Generator.set_state`). Throws OptionError unless it is a whole number of 0 or more.
   */
  get step(): number {
    return this.#counted.step;
  }

  /** Has it go on from there. */
  set step(step: number) {
    checkArgument('Generator', 'step', step, wholeNumber({ min: 0 }));
    this.#counted.step = step;
    this.state.set(Uint32Array.of(...keyOfSeed(this.seed), step, 0));
  }

  /** @internal The state that an operation draws from, and how often `stream` has been drawn from in this trace. */
  draw(stream: string): { readonly state: Tensor; readonly use: number } {
    const trace = requireTrace('drawing random numbers');
    trace.beforeReplay(this.#countSteps);
    moveOnceAtEnd({ state: this.state, word: STEP_WORD });
    return { state: this.state.value, use: trace.nextUse(stream) };
  }

  /** Frees the state's buffer. */
  dispose(): void {
    this.state.dispose();
  }
}

/** @internal Throws OptionError unless the seed is a whole number from 0 to 2^53 - 1. */
function checkSeed(seed: number): number {
  checkArgument('Generator', 'seed', seed, seedRule);
  return seed;
}

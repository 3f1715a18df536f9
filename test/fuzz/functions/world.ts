import { Generator, Parameter, SGD, Variable } from '../../../lib/index.js';
import { formatShape, type Shape, sizeOf } from '../../../lib/shape.js';
import { integers, numbers } from '../data.js';

/** What of a random function outlives its calls, and how a program makes it. Each thing has a name of its own. */
export class World {
  readonly #made = new Map<string, { readonly thing: Lasting; readonly code: string }>();
  readonly #names = new Map<unknown, string>();
  readonly #visible = new Map<number, readonly string[]>();

  parameter(name: string, shape: Shape, seed: number): Parameter {
    const code = `new Parameter('${name}', numbers(${sizeOf(shape)}, ${seed}), ${formatShape(shape)})`;
    return this.#make(name, Parameter, code, () => new Parameter(name, numbers(sizeOf(shape), seed), shape));
  }

  /** Row numbers, or classes, up to `below`. */
  integers(name: string, count: number, below: number, seed: number): Variable {
    const code = `new Variable('${name}', integers(${count}, ${below}, ${seed}))`;
    return this.#make(name, Variable, code, () => new Variable(name, integers(count, below, seed)));
  }

  generator(seed: number): Generator {
    return this.#make(`generator${seed}`, Generator, `new Generator(${seed})`, () => new Generator(seed));
  }

  /** Rates and momenta are such that steps are exact as long as gradients are. */
  optimizer(kind: number): SGD {
    const options = OPTIMIZERS[kind % OPTIMIZERS.length] ?? OPTIMIZERS[0];
    const name = `optimizer${OPTIMIZERS.indexOf(options)}`;
    return this.#make(name, SGD, `new SGD(${JSON.stringify(options)})`, () => new SGD(options));
  }

  /** The name of a thing made here. */
  nameOf(thing: unknown): string | undefined {
    return this.#names.get(thing);
  }

  /** The variables that a function may use from the start: those that were there when it was first recorded. */
  visibleTo(caller: number): readonly Variable[] {
    const names = this.#visible.get(caller) ?? [...this.#made.keys()];
    this.#visible.set(caller, names);
    return names.map((name) => this.#made.get(name)?.thing).filter((thing) => thing instanceof Variable);
  }

  /** All state by name. */
  state(): Map<string, Variable> {
    const state = new Map<string, Variable>();
    for (const [name, { thing }] of this.#made) {
      if (thing instanceof Variable) state.set(name, thing);
      else if (thing instanceof Generator) state.set(name, thing.state);
      else for (const [slot, variable] of thing.namedVariables()) state.set(`${name} ${slot}`, variable);
    }
    return state;
  }

  code(): string[] {
    return [...this.#made].map(([name, { code }]) => `const ${name} = ${code};`);
  }

  dispose(): void {
    for (const { thing } of this.#made.values()) thing.dispose();
  }

  #make<T extends Lasting>(name: string, type: new (...args: never[]) => T, code: string, make: () => T): T {
    const known = this.#made.get(name)?.thing ?? make();
    if (!(known instanceof type)) throw new Error(`${name} is something else already`);
    this.#made.set(name, { thing: known, code });
    this.#names.set(known, name);
    return known;
  }
}

type Lasting = Variable | Generator | SGD;

const OPTIMIZERS = [
  { learningRate: 0.125 },
  { learningRate: 0.25, weightDecay: 0.5 },
  { learningRate: 0.125, momentum: 0.5 },
  { learningRate: 0.25, momentum: 0.5, dampening: 0.5, weightDecay: 0.25 },
  { learningRate: 0.125, momentum: 0.5, nesterov: true },
] as const;

import type { NumericArray } from '../../../lib/graph/operation.js';
import {
  Adagrad,
  Adam,
  AdamW,
  Generator,
  Meter,
  type MeterReading,
  Optimizer,
  Parameter,
  RMSprop,
  SGD,
  Variable,
} from '../../../lib/index.js';
import { formatShape, type Shape, sizeOf } from '../../../lib/shape.js';
import { integers, numbers } from '../data.js';

/** What of a random function outlives its calls, and how a program makes it. Each thing has a name of its own. */
export class World {
  readonly #made = new Map<string, { readonly thing: Lasting; readonly code: string }>();
  readonly #names = new Map<unknown, string>();
  readonly #visible = new Map<number, readonly string[]>();

  parameter(name: string, shape: Shape, seed: number): Parameter {
    const code = `new Parameter('${name}', numbers(${sizeOf(shape)}, ${seed}), ${formatShape(shape)})`;
    return this.#make(
      name,
      (thing) => thing instanceof Parameter,
      code,
      () => new Parameter(name, numbers(sizeOf(shape), seed), shape),
    );
  }

  /** Row numbers, or classes, up to `below`. */
  integers(name: string, count: number, below: number, seed: number): Variable {
    const code = `new Variable('${name}', integers(${count}, ${below}, ${seed}))`;
    return this.#make(
      name,
      (thing) => thing instanceof Variable,
      code,
      () => new Variable(name, integers(count, below, seed)),
    );
  }

  generator(seed: number): Generator {
    return this.#make(
      `generator${seed}`,
      (thing) => thing instanceof Generator,
      `new Generator(${seed})`,
      () => new Generator(seed),
    );
  }

  optimizer(kind: number): Optimizer {
    const place = kind % OPTIMIZERS.length;
    const { code, make } = OPTIMIZERS[place] ?? OPTIMIZERS[0];
    return this.#make(`optimizer${place}`, (thing) => thing instanceof Optimizer, code, make);
  }

  meter(kind: number): Meter {
    return this.#make(
      `meter${kind}`,
      (thing) => thing instanceof Meter,
      'new Meter()',
      () => new Meter(),
    );
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

  /** All things of a kind, with their names. */
  all<T extends Lasting>(is: (thing: Lasting) => thing is T): (readonly [string, T])[] {
    return [...this.#made].flatMap(([name, { thing }]) => (is(thing) ? [[name, thing] as const] : []));
  }

  /** All state: the values by what a program calls them. */
  async state(): Promise<Map<string, NumericArray>> {
    const state = new Map<string, NumericArray>();
    for (const [name, { thing }] of this.#made) {
      if (thing instanceof Variable) state.set(`await ${name}.data()`, await thing.data());
      else if (thing instanceof Generator) state.set(`await ${name}.state.data()`, await thing.state.data());
      else if (thing instanceof Meter) {
        state.set(`await ${name}.read()`, readingOf(await thing.read()));
      } else {
        for (const [slot, { data }] of await thing.state()) {
          if (data instanceof Float32Array) state.set(`(await ${name}.state()).get('${slot}').data`, data);
        }
      }
    }
    return state;
  }

  code(): string[] {
    return [...this.#made].map(([name, { code }]) => `const ${name} = ${code};`);
  }

  dispose(): void {
    for (const { thing } of this.#made.values()) thing.dispose();
  }

  #make<T extends Lasting>(name: string, is: (thing: Lasting) => thing is T, code: string, make: () => T): T {
    const known = this.#made.get(name)?.thing ?? make();
    if (!is(known)) throw new Error(`${name} is something else already`);
    this.#made.set(name, { thing: known, code });
    this.#names.set(known, name);
    return known;
  }
}

/** What a meter says, as numbers. */
export function readingOf({ mean, updates }: MeterReading): NumericArray {
  return Float32Array.of(updates > 0 ? mean : 0, updates);
}

export type Lasting = Variable | Generator | Meter | Optimizer;

/** An optimizer, and its code. */
interface OptimizerMaker {
  readonly code: string;
  readonly make: () => Optimizer;
}

function maker<O extends object>(type: new (options: O) => Optimizer, options: O): OptimizerMaker {
  const shown = Object.entries(options).map(([name, value]) => `${name}: ${String(value)}`);
  return { code: `new ${type.name}({ ${shown.join(', ')} })`, make: () => new type(options) };
}

/** Rates and momenta of SGD are such that steps are exact as long as gradients are; the others divide by no small number. */
const OPTIMIZERS: readonly [OptimizerMaker, ...OptimizerMaker[]] = [
  maker(SGD, { learningRate: 0.125 }),
  maker(SGD, { learningRate: 0.25, weightDecay: 0.5 }),
  maker(SGD, { learningRate: 0.125, momentum: 0.5 }),
  maker(Adam, { learningRate: 0.125, epsilon: 0.125 }),
  maker(SGD, { learningRate: 0.25, momentum: 0.5, dampening: 0.5, weightDecay: 0.25 }),
  maker(SGD, { learningRate: 0.125, momentum: 0.5, nesterov: true }),
  maker(AdamW, { learningRate: 0.125, epsilon: 0.125, weightDecay: 0.25 }),
  maker(Adam, { learningRate: 0.125, epsilon: 0.125, amsgrad: true, weightDecay: 0.25 }),
  maker(SGD, { learningRate: (step: number) => 0.25 / (1 + step), momentum: 0.5 }),
  maker(RMSprop, { learningRate: 0.125, epsilon: 0.125 }),
  maker(RMSprop, { learningRate: 0.125, epsilon: 0.125, momentum: 0.5, centered: true }),
  maker(Adagrad, { learningRate: 0.125, epsilon: 0.125, learningRateDecay: 0.25 }),
  maker(SGD, { learningRate: 0.125, clipGradNorm: 1 }),
  maker(Adam, { learningRate: 0.125, epsilon: 0.125, clipGradValue: 0.25 }),
];

import {
  gradient,
  type Optimizer,
  type Parameter,
  tensor,
  type Tensor,
  TraceError,
  Variable,
} from '../../../lib/index.js';
import { storageOf } from '../../../lib/graph/node.js';
import { formatShape, type Shape, sizeOf } from '../../../lib/shape.js';
import { bytes, integers, numbers } from '../data.js';
import { type Scale, SIZES } from './choice.js';
import type { World } from './world.js';

/** Larger tensors are not computed with: cases are to be quick. */
const MAX_ELEMENTS = { small: 2 ** 12, large: 2 ** 16 };

/** A tensor of the function that is being recorded, with its name in the printed program. */
export class Value {
  readonly name: string;
  readonly #source: Tensor | Variable;
  /** The variables whose values went into it. */
  readonly history: ReadonlySet<Variable>;
  /** A variable in its history has changed since: a gradient through it may need what is gone. */
  isStale: boolean;

  constructor(name: string, source: Tensor | Variable, history: Iterable<Variable>, isStale: boolean) {
    this.name = name;
    this.#source = source;
    this.history = new Set(history);
    this.isStale = isStale;
  }

  get tensor(): Tensor {
    return this.#source instanceof Variable ? this.#source.value : this.#source;
  }

  get variable(): Variable | undefined {
    return this.#source instanceof Variable ? this.#source : undefined;
  }

  get shape(): Shape {
    return this.#source.shape;
  }

  get rank(): number {
    return this.shape.length;
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  get isFloat(): boolean {
    return this.#source.dtype === 'f32';
  }

  /** Whether it lives in a variable's buffer: as its value, or as that in another shape. */
  isPartOf(variable: Variable): boolean {
    if (this.variable || !this.history.has(variable)) return false;
    const { origin } = storageOf(this.tensor);
    return origin.kind === 'variable' || (origin.kind === 'node' && origin.node.operation.writes !== undefined);
  }
}

/** Gradients that a function asked for, and what they are of. */
export interface Differentiation {
  readonly loss: Tensor;
  readonly targets: readonly Tensor[];
  readonly gradients: readonly Tensor[];
  /** Of the loss, then of the targets. */
  readonly names: readonly string[];
}

/** Arguments as a printed program has them, and as the library takes them: tensors in place of values. */
type Opened<T> = T extends Value
  ? Tensor
  : T extends { readonly state: Variable }
    ? T
    : T extends object
      ? { [K in keyof T]: Opened<T[K]> }
      : T;

type AllOpened<A extends readonly unknown[]> = { [K in keyof A]: Opened<A[K]> };

/**
 * One recording of a random function: carries out on the library what rows ask for, keeps the values to choose from, and
 * writes down the code.
 */
export class Session {
  readonly code: string[] = [];
  readonly differentiations: Differentiation[] = [];
  readonly #world: World;
  readonly #caller: number;
  readonly #scale: Scale;
  #values: Value[];
  #results = new Set<Value>();
  #made = 0;

  constructor(world: World, caller: number, inputs: readonly Tensor[], scale: Scale) {
    this.#world = world;
    this.#scale = scale;
    this.#caller = caller;
    const variables = world.visibleTo(caller);
    this.#values = [
      ...variables.map((variable) => new Value(variable.name, variable, [variable], false)),
      ...inputs.map((input, i) => new Value(`x${i}`, input, [], false)),
    ];
  }

  /** A size for what is made. Of a tensor that has so many elements for each. */
  size(choice: number, elementsEach = 1): number {
    const fitting = SIZES[this.#scale].filter((size) => size * elementsEach <= MAX_ELEMENTS[this.#scale]);
    return fitting[choice % fitting.length] ?? 1;
  }

  /** The values that fit, the latest one first; variables that have changed are latest of all. */
  candidates(fits: (value: Value) => boolean = () => true): Value[] {
    return this.#values.filter((value) => value.isFloat && fits(value)).reverse();
  }

  /** One of the values that fit; undefined where none does. */
  pick(choice: number, fits?: (value: Value) => boolean): Value | undefined {
    const candidates = this.candidates(fits);
    return candidates[choice % candidates.length];
  }

  /** Calls a function of the library. Its result joins the values. */
  call<const A extends readonly unknown[]>(fn: (...args: AllOpened<A>) => Tensor, ...args: A): Value {
    const opened = args.map((argument) => this.#open(argument)) as AllOpened<A>;
    return this.#define(`${fn.name}(${args.map((argument) => this.#show(argument)).join(', ')})`, fn(...opened), args);
  }

  /** A tensor of numbers that stay the same. */
  constant(shape: Shape, seed: number): Value {
    const code = `tensor(numbers(${sizeOf(shape)}, ${seed}), { shape: ${formatShape(shape)} })`;
    return this.#named(code, tensor(numbers(sizeOf(shape), seed), { shape }), [], false);
  }

  /** A tensor of bytes that stay the same. */
  bytes(shape: Shape, seed: number): Value {
    const code = `tensor(bytes(${sizeOf(shape)}, ${seed}), { shape: ${formatShape(shape)} })`;
    return this.#named(code, tensor(bytes(sizeOf(shape), seed), { shape }), [], false);
  }

  /** Whole numbers that stay the same. */
  integers(count: number, below: number, seed: number): Value {
    return this.#named(
      `tensor(integers(${count}, ${below}, ${seed}))`,
      tensor(integers(count, below, seed)),
      [],
      false,
    );
  }

  /** A parameter of that shape: one that is there already where `isShared`, else a new one. */
  parameter(shape: Shape, choice: number, isShared: boolean): Value {
    const known = this.candidates(
      ({ variable, shape: has }) => variable !== undefined && String(has) === String(shape),
    );
    const shared = isShared && known[choice % known.length];
    if (shared) return shared;
    const variable = this.#world.parameter(`p${this.#caller}_${this.#made++}`, shape, choice);
    return this.#add(new Value(variable.name, variable, [variable], false));
  }

  /** A variable of whole numbers below `below`. */
  variableOfIntegers(count: number, below: number, choice: number): Value {
    const variable = this.#world.integers(`n${this.#caller}_${this.#made++}`, count, below, choice);
    return new Value(variable.name, variable, [variable], false);
  }

  generator(choice: number) {
    return this.#world.generator(choice % 2);
  }

  optimizer(choice: number): Optimizer {
    return this.#world.optimizer(choice);
  }

  /** A meter adds up a scalar. */
  measure(choice: number, value: Value): void {
    const meter = this.#world.meter(choice % 2);
    meter.update(value.tensor, 1 + (choice % 3));
    this.code.push(`${this.#world.nameOf(meter) ?? ''}.update(${value.name}, ${1 + (choice % 3)});`);
  }

  /** `variable.assign(value)`. */
  assign(variable: Variable, value: Value): void {
    variable.assign(value.tensor);
    this.code.push(`${variable.name}.assign(${value.name});`);
    this.#changed([variable]);
  }

  /** The gradients of a loss, as values. */
  gradient(loss: Value, targets: readonly Value[]): readonly Value[] {
    if (!canDifferentiate(loss, targets)) return [];
    const found = gradient(
      loss.tensor,
      targets.map(({ variable, tensor: value }) => variable ?? value),
    );
    const names = found.map(() => `v${this.#made++}`);
    this.code.push(
      `const [${names.join(', ')}] = gradient(${loss.name}, [${targets.map(({ name }) => name).join(', ')}]);`,
    );
    this.#note([loss, ...targets], [loss.tensor, ...targets.map((target) => target.tensor)], found);
    const history = historyOf([loss, ...targets]);
    return found.map((one, i) => this.#add(new Value(names[i] ?? '', one, history, false)));
  }

  /** One step of an optimizer down the gradient of a loss. */
  minimize(optimizer: Optimizer, loss: Value, parameters: readonly Parameter[]): void {
    if (!canDifferentiate(loss, parameters)) return;
    const before = [loss.tensor, ...parameters.map(({ value }) => value)] as const;
    const gradients = optimizer.minimize(loss.tensor, parameters);
    this.#note([loss, ...parameters], before, gradients);
    const names = parameters.map(({ name }) => name).join(', ');
    this.code.push(`${this.#world.nameOf(optimizer) ?? ''}.minimize(${loss.name}, [${names}]);`);
    this.#changed(parameters);
  }

  /** One step of an optimizer with a value in place of a gradient. */
  step(optimizer: Optimizer, parameter: Parameter, direction: Value): void {
    optimizer.apply([parameter], [direction.tensor]);
    this.code.push(`${this.#world.nameOf(optimizer) ?? ''}.apply([${parameter.name}], [${direction.name}]);`);
    this.#changed([parameter]);
  }

  /** A value that the function gives back. */
  giveBack(value: Value | undefined): void {
    if (value) this.#results.add(value);
  }

  results(): Record<string, Tensor> {
    return Object.fromEntries([...this.#results].map((value) => [value.name, value.tensor]));
  }

  /** Notes gradients of the first of some tensors with respect to the others. */
  #note(
    named: readonly { readonly name: string }[],
    [loss, ...targets]: readonly [Tensor, ...Tensor[]],
    gradients: readonly Tensor[],
  ): void {
    this.differentiations.push({ loss, targets, gradients, names: named.map(({ name }) => name) });
  }

  #define(code: string, result: Tensor, args: readonly unknown[]): Value {
    const sources = valuesIn(args);
    return this.#named(
      code,
      result,
      historyOf(sources),
      sources.some(({ isStale }) => isStale),
    );
  }

  #named(code: string, result: Tensor, history: Iterable<Variable>, isStale: boolean): Value {
    const value = new Value(`v${this.#made++}`, result, history, isStale);
    this.code.push(`const ${value.name} = ${code};`);
    return this.#add(value);
  }

  #add(value: Value): Value {
    if (value.size <= MAX_ELEMENTS[this.#scale]) this.#values.push(value);
    return value;
  }

  /** What was made of the variables' old values may be used, but not differentiated; their old values are gone. */
  #changed(variables: readonly Variable[]): void {
    const isGone = (value: Value): boolean => variables.some((variable) => value.isPartOf(variable));
    for (const value of this.#values) {
      if (!value.variable && variables.some((variable) => value.history.has(variable))) value.isStale = true;
    }
    this.#values = this.#values.filter((value) => !isGone(value));
    this.#results = new Set([...this.#results].filter((value) => !isGone(value)));
  }

  #open(argument: unknown): unknown {
    if (argument instanceof Value) return argument.tensor;
    if (this.#world.nameOf(argument) !== undefined || typeof argument !== 'object' || argument === null)
      return argument;
    if (Array.isArray(argument)) return argument.map((part) => this.#open(part));
    return Object.fromEntries(Object.entries(argument).map(([key, part]) => [key, this.#open(part)]));
  }

  #show(argument: unknown): string {
    const known = argument instanceof Value ? argument.name : this.#world.nameOf(argument);
    if (known !== undefined) return known;
    if (Array.isArray(argument)) return `[${argument.map((part) => this.#show(part)).join(', ')}]`;
    if (typeof argument === 'object' && argument !== null) {
      return `{ ${Object.entries(argument)
        .map(([key, part]) => `${key}: ${this.#show(part)}`)
        .join(', ')} }`;
    }
    return typeof argument === 'string' ? `'${argument}'` : String(argument);
  }
}

function valuesIn(argument: unknown): Value[] {
  if (argument instanceof Value) return [argument];
  if (argument instanceof Variable || typeof argument !== 'object' || argument === null) return [];
  if (!Array.isArray(argument) && Object.getPrototypeOf(argument) !== Object.prototype) return [];
  return Object.values(argument).flatMap(valuesIn);
}

function historyOf(values: readonly (Value | Variable)[]): Set<Variable> {
  return new Set(values.flatMap((value) => (value instanceof Value ? [...value.history] : [value])));
}

/** Whether a loss may be differentiated; what it was computed with may have no derivative, or no second one. */
function canDifferentiate(loss: Value, targets: readonly (Value | Variable)[]): boolean {
  if (loss.isStale || loss.rank > 0) return false;
  try {
    gradient(
      loss.tensor,
      targets.map((target) => (target instanceof Value ? (target.variable ?? target.tensor) : target)),
    );
    return true;
  } catch (error) {
    if (error instanceof TraceError && /has no gradient/.test(error.message)) return false;
    throw error;
  }
}

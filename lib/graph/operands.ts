import { ShapeError } from '../errors.js';
import { formatShape, sameShape, type Shape } from '../shape.js';
import type { ArrayView, DType, NumericArray, TensorSpec } from './operation.js';

/**
 * An axis of an operand: a name, which stands for one size in all operands of the operation; a fixed size; or a name
 * that begins with `...`, which stands for any number of axes, the same ones wherever it stands.
 */
export type Dimension = string | number;

/** What an operand must be: element types that are taken, and its axes. */
export interface Operand<D extends Dimension = Dimension> {
  readonly dtypes: readonly DType[];
  readonly dims: readonly D[];
  /** It stands for any number of tensors, all of them such; the last operand only. */
  readonly isRest: boolean;
}

/** {@link Operand} that stands for any number of tensors. */
export interface RestOperand<D extends Dimension = Dimension> extends Operand<D> {
  readonly isRest: true;
}

/** An operand whose element type is that of an input before it. */
export interface LikeOperand<D extends Dimension = Dimension> {
  readonly like: string;
  readonly dims: readonly D[];
  readonly isRest: false;
}

export type Inputs = Readonly<Record<string, Operand | LikeOperand>>;
export type Outputs = Readonly<Record<string, Operand | LikeOperand>>;

/** An operand of one of these element types: `any('f32', 'f16')('N', 'C')`. */
export function any(...dtypes: readonly DType[]) {
  return <const D extends readonly Dimension[]>(...dims: D): Operand<D[number]> & { readonly isRest: false } => ({
    dtypes,
    dims,
    isRest: false,
  });
}

export const f32 = any('f32');
export const i32 = any('i32');
export const u32 = any('u32');
/** Of any element type that fills whole words, and that kernels compute with as it is. */
export const numbers = any('f32', 'i32', 'u32');

/** Of any element type: for what is only moved, as it is stored. */
export const stored = any('f32', 'f16', 'i32', 'u32', 'u8');

/** Any number of such tensors, behind the other operands. */
export function rest<D extends Dimension>({ dtypes, dims }: Operand<D>): RestOperand<D> {
  return { dtypes, dims, isRest: true };
}

/** An operand of the element type of the input `name`: mixed types are refused. */
export function like<const D extends readonly Dimension[]>(name: string, ...dims: D): LikeOperand<D[number]> {
  return { like: name, dims, isRest: false };
}

type DimOf<T> = T extends { readonly dims: readonly (infer D)[] } ? D : never;
type DimsOf<O> = DimOf<O[keyof O]>;
type Spread = `...${string}`;

/** The size of each named axis. */
export type Sizes<I, O> = { readonly [K in Exclude<Extract<DimsOf<I> | DimsOf<O>, string>, Spread>]: number };

/** The numbers of a tensor, row-major, as a reference sees them. There is no element but those that exist. */
export class View implements ArrayView {
  readonly data: NumericArray;
  readonly shape: Shape;

  constructor({ data, shape }: ArrayView) {
    this.data = data;
    this.shape = shape;
  }

  /** Number of elements. */
  get size(): number {
    return this.data.length;
  }

  /** The element at a place. Throws RangeError where there is none. */
  at(index: number): number {
    const value = this.data[index];
    if (value === undefined) throw this.#missing(index);
    return value;
  }

  /** Sets the element at a place. Throws RangeError where there is none. */
  set(index: number, value: number): void {
    if (!(index in this.data)) throw this.#missing(index);
    this.data[index] = value;
  }

  #missing(index: number): RangeError {
    return new RangeError(`no element ${index} in ${formatShape(this.shape)}`);
  }
}

/** One of something, or a list for an operand that stands for many. */
export type Per<T, One> = T extends { readonly isRest: true } ? readonly One[] : One;
/** Something for each input and output, by name; a list of them for an operand that stands for many. */
export type Each<I, O, One> = { readonly [K in keyof I | keyof O]: K extends keyof I ? Per<I[K], One> : One };

/** What stands at the places of operands, by their names; all of the rest for the one that stands for many. */
export function byName<T>(operands: Inputs | Outputs, tensors: readonly T[]): Record<string, T | readonly T[]> {
  const named: Record<string, T | readonly T[]> = {};
  Object.entries(operands).forEach(([name, { isRest }], place) => {
    const one = tensors[place];
    if (isRest) named[name] = tensors.slice(place);
    else if (one !== undefined) named[name] = one;
  });
  return named;
}

/** What the axes of an operation's operands were found to be. */
export interface Bound {
  readonly sizes: Record<string, number>;
  /** The axes that each `...` stands for. */
  readonly spreads: Record<string, Shape>;
}

/** Nothing is bound. */
export function unbound(): Bound {
  return { sizes: {}, spreads: {} };
}

/**
 * Checks number, element types and axes of what an operation is given, and binds each name of an axis once.
 * Throws ShapeError with what it needs and what it found: the one message of all operations.
 */
export function bind(name: string, operands: Inputs, given: readonly TensorSpec[]): Bound {
  const bound = unbound();
  const entries = Object.values(operands);
  const isCountRight =
    entries.at(-1)?.isRest === true ? given.length >= entries.length - 1 : given.length === entries.length;
  const fits =
    isCountRight &&
    given.every(({ dtype, shape }, i) => {
      const operand = entries[i] ?? entries.at(-1);
      if (!operand || !typesOf(operand, operands, given).includes(dtype)) return false;
      return bindAxes(operand.dims, shape, operand.isRest ? unbound() : bound);
    });
  if (!fits) throw misfit(name, operands, given);
  return bound;
}

/** Binds the axes of one tensor; false where they do not fit what is bound already. */
export function bindAxes(dims: readonly Dimension[], shape: Shape, { sizes, spreads }: Bound): boolean {
  const spreadRank = shape.length - (dims.length - 1);
  if (dims.some(isSpread) ? spreadRank < 0 : shape.length !== dims.length) return false;
  let axis = 0;
  for (const dim of dims) {
    const axes = shape.slice(axis, axis + (isSpread(dim) ? spreadRank : 1));
    axis += axes.length;
    const known = isSpread(dim)
      ? (spreads[dim] ??= axes)
      : [typeof dim === 'number' ? dim : (sizes[dim] ??= axes[0] ?? NaN)];
    if (!sameShape(known, axes)) return false;
  }
  return true;
}

/** The shape of a tensor whose axes are bound; undefined where one of them is not. */
export function boundShape(dims: readonly Dimension[], { sizes, spreads }: Bound): Shape | undefined {
  const axes = dims.map((dim) => {
    if (typeof dim === 'number') return [dim];
    const size = sizes[dim];
    return spreads[dim] ?? (size === undefined ? undefined : [size]);
  });
  return axes.every((found) => found !== undefined) ? axes.flat() : undefined;
}

function isSpread(dim: Dimension): dim is Spread {
  return typeof dim === 'string' && dim.startsWith('...');
}

/** The element types that an operand may have beside what is given. */
function typesOf(operand: Operand | LikeOperand, operands: Inputs, given: readonly TensorSpec[]): readonly DType[] {
  if (!('like' in operand)) return operand.dtypes;
  const source = given[Object.keys(operands).indexOf(operand.like)];
  return source ? [source.dtype] : [];
}

function misfit(name: string, operands: Inputs, given: readonly TensorSpec[]): ShapeError {
  const wanted = Object.entries(operands).map(([key, operand]) => {
    const types = 'like' in operand ? `as ${operand.like}` : operand.dtypes.join('|');
    return `${operand.isRest ? '...' : ''}${key} ${types} [${operand.dims.join(', ')}]`;
  });
  const found = given.map(({ dtype, shape }) => `${dtype} ${formatShape(shape)}`);
  const advice = castAdvice(operands, given);
  return new ShapeError(`${name}: needs ${wanted.join(', ')}; found ${found.join(', ') || 'nothing'}${advice}`);
}

/** The word to cast, where an element type does not fit. */
function castAdvice(operands: Inputs, given: readonly TensorSpec[]): string {
  for (const [i, operand] of Object.values(operands).entries()) {
    const [spec, types] = [given[i], typesOf(operand, operands, given)];
    const [wanted] = types;
    if (spec && wanted !== undefined && !types.includes(spec.dtype)) return `: cast it first, cast(x, '${wanted}')`;
  }
  return '';
}

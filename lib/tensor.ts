import { elementAt } from './element-at.js';
import { DataError, ShapeError, TraceError } from './errors.js';
import type { DeviceArray } from './device/device.js';
import { roundToFloat16 } from './float16.js';
import type { GraphNode } from './graph/node.js';
import type { DType, NumericArray, TensorSpec } from './graph/operation.js';
import { refuseWhileTracing } from './graph/trace.js';
import { type NestedNumbers, numbersOf } from './nested-numbers.js';
import { checkOptions, list, oneOf, type OptionRules, show } from './options.js';
import { checkShape, formatShape, type Shape, sizeOf, stridesOf } from './shape.js';
import type { Variable } from './variable.js';

/** Where a tensor's values come from. */
export type Origin =
  | { readonly kind: 'constant'; readonly data: NumericArray }
  | { readonly kind: 'input'; readonly position: number }
  | { readonly kind: 'variable'; readonly variable: Variable }
  | { readonly kind: 'node'; readonly node: GraphNode; readonly index: number }
  | { readonly kind: 'stored'; readonly array: DeviceArray; readonly isCurrent: () => boolean };

/** How a lazy tensor is computed. That takes tensors itself, so lib/run.ts says it here when it is loaded. */
let evaluate: (tensor: Tensor) => Promise<NumericArray> = () => {
  throw new Error('lib/run.ts is not loaded');
};

/** @internal From now on `data()` of a lazy tensor asks `evaluator`. */
export function evaluateBy(evaluator: typeof evaluate): void {
  evaluate = evaluator;
}

/**
 * A lazy array of numbers: operations on it only build a graph, and `await tensor.data()` computes it.
 * Immutable: an operation gives a new tensor.
 */
export class Tensor implements TensorSpec {
  /** Sizes of the axes, outermost first. */
  readonly shape: Shape;
  /** Type of the elements. */
  readonly dtype: DType;
  /** @internal */
  origin: Origin;

  /** @internal Use {@link tensor} or an operation. */
  constructor(spec: TensorSpec, origin: Origin) {
    this.shape = spec.shape;
    this.dtype = spec.dtype;
    this.origin = origin;
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /**
   * The values, row-major, computed where they are not known yet: on the device where the variables that they depend
   * on live, on the CPU where there are none. To compute many tensors at once, or elsewhere, use `run` or `compile`.
   * Those of type `f16` come as a Float32Array of their values.
   * Throws TraceError inside a traced function, which must not depend on values: at once, not in the promise.
   */
  data(): Promise<NumericArray> {
    refuseWhileTracing();
    return this.#values();
  }

  /** The only value of a tensor with one element. Throws ShapeError for any other size, TraceError while tracing. */
  item(): Promise<number> {
    refuseWhileTracing();
    return this.#only();
  }

  /** The values in nested arrays; a plain number for a scalar. Throws TraceError while tracing. */
  array(): Promise<NestedNumbers> {
    refuseWhileTracing();
    return this.#values().then((data) => nest(data, this.shape));
  }

  async #values(): Promise<NumericArray> {
    const origin = this.origin;
    if (origin.kind === 'constant') return origin.data;
    if (origin.kind === 'variable') return origin.variable.data();
    if (origin.kind === 'stored') {
      if (!origin.isCurrent()) throw new TraceError(STALE);
      const data = await origin.array.read();
      this.origin = { kind: 'constant', data };
      return data;
    }
    const data = await evaluate(this);
    this.origin = { kind: 'constant', data };
    return data;
  }

  async #only(): Promise<number> {
    if (this.size !== 1) throw new ShapeError(`item() needs a tensor of one element, found ${formatShape(this.shape)}`);
    const [value] = await this.#values();
    if (value === undefined) throw new DataError('item(): the tensor has no data');
    return value;
  }
}

/** @internal The message for reading a result that a later call of its plan has overwritten. */
export const STALE =
  'this result was overwritten by a later call of the same function, whose plan reuses its buffers. Read it ' +
  '(await result.data()) before the next call, or add it up on the device with a Meter';

function nest(data: NumericArray, shape: Shape): NestedNumbers {
  if (shape.length === 0) return data[0] ?? NaN;
  const [size = 0, ...rest] = shape;
  const stride = sizeOf(rest);
  return Array.from({ length: size }, (_, i) => nest(data.subarray(i * stride, (i + 1) * stride), rest));
}

/** Options of {@link tensor}. */
export interface TensorOptions {
  /** Needed where a flat typed array is not to be one axis. */
  readonly shape?: Shape;
  /** Default: that of a typed array, else `f32`. For `f16` the values are rounded to the nearest one, of two to the even. */
  readonly dtype?: DType;
}

const RULES: OptionRules<TensorOptions> = {
  shape: list,
  dtype: oneOf('f32', 'f16', 'i32', 'u32', 'u8'),
};

/**
 * A tensor of given values: nested arrays, one number, or a typed array with its shape (PyTorch: `torch.tensor`).
 * A typed array of the same type is taken as it is, without a copy: do not change it afterwards. For integers what is behind
 * the point is left out.
 *
 * Throws DataError for what is no number, naming the place, where nested arrays are ragged, and for numbers beyond the limits of
 * an integer type; ShapeError where the count does not fit `shape`; OptionError for unknown options.
 */
export function tensor(values: NestedNumbers | NumericArray, options: TensorOptions = {}): Tensor {
  checkOptions('tensor', options, RULES);
  return tensorOf('tensor', values, options);
}

function tensorOf(name: string, values: NestedNumbers | NumericArray, options: TensorOptions): Tensor {
  if (
    values instanceof Float32Array ||
    values instanceof Int32Array ||
    values instanceof Uint32Array ||
    values instanceof Uint8Array
  ) {
    return fromTyped(name, values, options);
  }
  const { numbers, shape } = numbersOf(name, values);
  return fromTyped(name, numbers, { shape, dtype: 'f32', ...options });
}

/** Throws DataError for numbers that an integer type does not have. */
function checkRange(name: string, numbers: NumericArray, dtype: DType, shape: Shape): void {
  const limits = LIMITS[dtype];
  const wrong = limits ? numbers.findIndex((value) => !(value > limits[0] - 1 && value < limits[1] + 1)) : -1;
  if (wrong < 0) return;
  const strides = stridesOf(shape);
  const place = shape.map((size, axis) => Math.floor(wrong / elementAt(strides, axis)) % size);
  const at = place.length > 0 ? ` at [${place.join('][')}]` : '';
  throw new DataError(`${name}: ${elementAt(numbers, wrong)}${at} is beyond the limits of ${dtype}`);
}

const LIMITS: Readonly<Partial<Record<DType, readonly [least: number, most: number]>>> = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
  u8: [0, 255],
};

/**
 * @internal What an operation is given, as a tensor: a tensor as it is, a variable's value, numbers.
 * Throws DataError for anything else, naming the function and its operand.
 */
export function asTensor(caller: string, operand: string, value: TensorLike): Tensor {
  if (value instanceof Tensor) return value;
  const given: unknown = value;
  if (typeof given === 'number' || Array.isArray(given) || ArrayBuffer.isView(given)) {
    return tensorOf(`${caller}: ${operand}`, given as NestedNumbers | NumericArray, {}); // or is refused there
  }
  const current = typeof given === 'object' && given !== null && 'value' in given ? given.value : undefined;
  if (current instanceof Tensor) return current;
  throw new DataError(`${caller}: ${operand} must be a tensor, a variable or numbers, found ${show(given)}`);
}

/** What operations take: a tensor, a variable (its current value), or what {@link tensor} makes one of. */
export type TensorLike = Tensor | Variable | NestedNumbers | NumericArray;

/** @internal */
export function dtypeOf(data: NumericArray): DType {
  if (data instanceof Int32Array) return 'i32';
  if (data instanceof Uint32Array) return 'u32';
  return data instanceof Uint8Array ? 'u8' : 'f32';
}

/** @internal A typed array of the type that stores `dtype`, with the values rounded to it. */
export function arrayOf(dtype: DType, values: ArrayLike<number>): NumericArray {
  if (dtype === 'i32') return new Int32Array(values);
  if (dtype === 'u32') return new Uint32Array(values);
  if (dtype === 'u8') return new Uint8Array(values);
  const floats = new Float32Array(values);
  // NOTE: a loop, here and for all arrays of data: typedArray.from with a function makes a list of heap numbers first.
  if (dtype === 'f16') for (let i = 0; i < floats.length; i++) floats[i] = roundToFloat16(values[i] ?? NaN);
  return floats;
}

function fromTyped(name: string, data: NumericArray, options: TensorOptions): Tensor {
  const shape = options.shape ?? [data.length];
  checkShape('tensor', shape);
  if (sizeOf(shape) !== data.length) {
    throw new ShapeError(
      `tensor: ${data.length} values do not fill the shape ${formatShape(shape)}, which has ${sizeOf(shape)}`,
    );
  }
  const dtype = options.dtype ?? dtypeOf(data);
  const isStored = dtype === dtypeOf(data) && !(data instanceof Float64Array);
  if (!isStored) checkRange(name, data, dtype, shape);
  const stored = isStored ? data : arrayOf(dtype, data);
  return new Tensor({ shape, dtype }, { kind: 'constant', data: stored });
}

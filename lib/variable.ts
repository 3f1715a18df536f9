import { ShapeError, TraceError } from './errors.js';
import type { Device, DeviceArray } from './device/device.js';
import type { DType, NumericArray, TensorSpec } from './graph/operation.js';
import { activeTrace, guarded, refuseWhileTracing, requireTrace } from './graph/trace.js';
import { applyOne, storageOf } from './graph/node.js';
import { assign } from './ops/state/assign.js';
import { copy } from './ops/moving/copy.js';
import { formatShape, type Shape, sizeOf } from './shape.js';
import { arrayOf, asTensor, dtypeOf, Tensor, type TensorLike } from './tensor.js';

/**
 * State that outlives a plan: weights, optimizer state, running sums, data sets. It owns its buffer, on the host until
 * a plan uses it, then on that plan's device; a plan on another device moves it there. Free it with `dispose()`.
 */
export class Variable implements TensorSpec {
  /** Sizes of the axes, outermost first. */
  readonly shape: Shape;
  /** Type of the elements. */
  readonly dtype: DType;
  #name: string;
  #host: NumericArray | undefined;
  #placed: { device: Device; array: DeviceArray } | undefined;
  #disposed = false;
  readonly #leaf: Tensor;

  /** @param name as it stands in files and messages, e.g. `fc1.weight` */
  constructor(name: string, initial: Tensor | NumericArray, shape?: Shape) {
    const start =
      initial instanceof Tensor ? initial : new Tensor(specOf(initial, shape), { kind: 'constant', data: initial });
    if (start.origin.kind !== 'constant')
      throw new TraceError(`variable ${name}: the initial values must be known, not lazy`);
    this.#name = name;
    this.shape = start.shape;
    this.dtype = start.dtype;
    this.#host = start.origin.data;
    this.#leaf = new Tensor(start, { kind: 'variable', variable: this });
  }

  /** As it stands in files and messages, e.g. `fc1.weight`; building a model names all in it by their paths. */
  get name(): string {
    return this.#name;
  }

  /** @internal */
  rename(name: string): void {
    this.#name = name;
  }

  /** The current value, as a tensor: inside a traced function, the value after the updates made so far. */
  get value(): Tensor {
    return activeTrace()?.updates.get(this) ?? this.#leaf;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /**
   * Inside a traced function: the variable takes the value of `next` whenever the plan runs, in place on the device.
   * Throws ShapeError where shape or type differ, TraceError outside of a traced function.
   */
  assign(next: TensorLike): void {
    requireTrace(`assign to ${this.name}`);
    const value = asTensor(next);
    // WebGPU forbids a buffer to be read and written in one dispatch.
    const source = storageOf(value) === this.value ? copy(value) : value;
    this.update(applyOne(assign, [this.value, source], {}));
  }

  /** @internal Records the output of an operation that writes over this variable as its new value. */
  update(next: Tensor): void {
    requireTrace(`update of ${this.name}`).updates.set(this, next);
  }

  /** Sets the values from the host, at once. Throws ShapeError where the count differs. */
  set(values: NumericArray): void {
    if (values.length !== this.size) {
      throw new ShapeError(`${this.name}: ${values.length} values given for the shape ${formatShape(this.shape)}`);
    }
    this.#checkAlive();
    if (this.#placed) this.#placed.array.write(values);
    else this.#host = arrayOf(this.dtype, values);
  }

  /** A copy of the values as they are now. Throws TraceError inside a traced function. */
  data(): Promise<NumericArray> {
    refuseWhileTracing();
    return this.#values();
  }

  async #values(): Promise<NumericArray> {
    this.#checkAlive();
    if (this.#placed) return this.#placed.array.read();
    return (this.#host ?? new Float32Array(0)).slice();
  }

  /** @internal `data()` that leaves zeros behind. */
  async take(): Promise<NumericArray> {
    refuseWhileTracing();
    this.#checkAlive();
    if (this.#placed) return this.#placed.array.take();
    const values = await this.#values();
    this.#host = values.slice().fill(0);
    return values;
  }

  /** @internal The variable's buffer on `device`, moved there from wherever it is. */
  async placeOn(device: Device): Promise<DeviceArray> {
    this.#checkAlive();
    const from = this.#placed;
    if (from?.device === device) return from.array;
    // From the host there is nothing to wait for: plans that start at the same time find one buffer.
    const values = from ? await from.array.read() : (this.#host ?? new Float32Array(0));
    if (this.#placed !== from) return this.placeOn(device);
    const array = device.allocate(this);
    array.write(values);
    from?.array.dispose();
    this.#placed = { device, array };
    this.#host = undefined;
    return array;
  }

  /** @internal Where the variable is; undefined while it is still on the host. */
  get device(): Device | undefined {
    return this.#placed?.device;
  }

  /** @internal The buffer on `device` if that is where the variable is. */
  placedOn(device: Device): DeviceArray | undefined {
    return this.#placed?.device === device ? this.#placed.array : undefined;
  }

  /** Frees the buffer. Using the variable afterwards throws TraceError. */
  dispose(): void {
    this.#placed?.array.dispose();
    this.#placed = undefined;
    this.#host = undefined;
    this.#disposed = true;
  }

  /** @internal */
  get isDisposed(): boolean {
    return this.#disposed;
  }

  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #checkAlive(): void {
    if (this.#disposed) throw new TraceError(`variable ${this.name} is used after dispose()`);
  }
}

/** A variable that an optimizer trains, unless it is frozen. */
export class Parameter extends Variable {
  #isFrozen = false;

  /**
   * Whether optimizers change it (PyTorch: `requires_grad`, Keras: `trainable`). True until {@link freeze}. A compiled
   * function with an optimizer in it is recorded again when it changed.
   */
  get isTrainable(): boolean {
    return guarded(() => !this.#isFrozen);
  }

  /** No optimizer changes it from here on, and no gradient is computed for it by `minimize`. */
  freeze(): void {
    this.#isFrozen = true;
  }

  /** Optimizers change it again. */
  unfreeze(): void {
    this.#isFrozen = false;
  }
}

function specOf(data: NumericArray, shape: Shape = [data.length]): TensorSpec {
  if (sizeOf(shape) !== data.length) {
    throw new ShapeError(`variable: ${data.length} values do not fill the shape ${formatShape(shape)}`);
  }
  return { shape, dtype: dtypeOf(data) };
}

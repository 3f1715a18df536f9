import { DataError, ShapeError, TraceError } from './errors.js';
import type { Device } from './device/device.js';
import type { FileLayouts } from './file-layout.js';
import type { DType, NumericArray, TensorSpec } from './graph/operation.js';
import { activeTrace, guarded, refuseWhileTracing, requireTrace } from './graph/trace.js';
import { applyOne, storageOf } from './graph/node.js';
import { assign } from './ops/state/assign.js';
import { copy } from './ops/moving/copy.js';
import { show } from './options.js';
import { checkShape, formatShape, type Shape, sizeOf } from './shape.js';
import { asTensor, dtypeOf, Tensor, type TensorLike } from './tensor.js';
import { VariableStorage } from './variable-storage.js';

/** The values of variables that were forgotten without `dispose()`. */
const forgotten = new FinalizationRegistry<VariableStorage>((storage) => {
  storage.dispose();
});

/**
 * State that outlives a plan: weights, optimizer state, running sums, data sets. Its values are on the host until a plan
 * uses them, then on that plan's device, and on others that use them, too: each plan sees them as the last one before it
 * left them, wherever that was. Free it with `dispose()`; a variable that nobody refers to is freed as well.
 */
export class Variable implements TensorSpec {
  /** Sizes of the axes, outermost first. */
  readonly shape: Shape;
  /** Type of the elements. */
  readonly dtype: DType;
  /** How files order its values. */
  readonly fileLayouts: FileLayouts;
  /** @internal */
  readonly storage: VariableStorage;
  readonly #leaf: Tensor;

  /**
   * Throws DataError for values that are neither a tensor nor a typed array, ShapeError where they do not fill the shape,
   * TraceError for a tensor that is to be computed.
   *
   * @param name as it stands in files and messages, e.g. `fc1.weight`
   * @param fileLayouts how files order the values, where that is not as they are here
   */
  constructor(name: string, initial: Tensor | NumericArray, shape?: Shape, fileLayouts: FileLayouts = {}) {
    if (!(initial instanceof Tensor)) checkValues(name, initial);
    const start =
      initial instanceof Tensor
        ? initial
        : new Tensor(specOf(name, initial, shape), { kind: 'constant', data: initial });
    if (start.origin.kind !== 'constant')
      throw new TraceError(`variable ${name}: the initial values must be known, not lazy`);
    this.shape = start.shape;
    this.dtype = start.dtype;
    this.fileLayouts = fileLayouts;
    this.storage = new VariableStorage(name, start, start.origin.data);
    forgotten.register(this, this.storage);
    this.#leaf = new Tensor(start, { kind: 'variable', variable: this });
  }

  /** As it stands in files and messages, e.g. `fc1.weight`; building a model names all in it by their paths. */
  get name(): string {
    return this.storage.name;
  }

  /** @internal */
  rename(name: string): void {
    this.storage.name = name;
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
    const value = asTensor(`assign to ${this.name}`, 'the value', next);
    // WebGPU forbids a buffer to be read and written in one dispatch.
    const source = storageOf(value) === this.value ? copy(value) : value;
    this.update(applyOne(assign, [this.value, source], {}));
  }

  /** @internal Records the output of an operation that writes over this variable as its new value. */
  update(next: Tensor): void {
    requireTrace(`update of ${this.name}`).updates.set(this, next);
  }

  /**
   * Sets the values from the host, at once. Throws DataError for anything but a typed array, ShapeError where the count
   * differs.
   */
  set(values: NumericArray): void {
    checkValues(this.name, values);
    if (values.length !== this.size) {
      throw new ShapeError(`${this.name}: ${values.length} values given for the shape ${formatShape(this.shape)}`);
    }
    this.storage.set(values);
  }

  /** A copy of the values as they are now. Throws TraceError inside a traced function. */
  data(): Promise<NumericArray> {
    refuseWhileTracing();
    return this.storage.read();
  }

  /** @internal `data()` that leaves zeros behind. */
  async take(): Promise<NumericArray> {
    refuseWhileTracing();
    return this.storage.take();
  }

  /** @internal Where the values are; undefined while they are on the host. */
  get device(): Device | undefined {
    return this.storage.device;
  }

  /** Frees the buffers. Using the variable afterwards throws TraceError. */
  dispose(): void {
    this.storage.dispose();
  }

  /** @internal */
  get isDisposed(): boolean {
    return this.storage.isDisposed;
  }

  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
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

function checkValues(name: string, values: unknown): void {
  const types = [Float32Array, Float64Array, Int32Array, Uint32Array, Uint8Array];
  if (types.some((type) => values instanceof type)) return;
  throw new DataError(`variable ${name}: expected a typed array of numbers, found ${show(values)}`);
}

function specOf(name: string, data: NumericArray, shape: Shape = [data.length]): TensorSpec {
  checkShape(name, shape);
  if (sizeOf(shape) !== data.length) {
    throw new ShapeError(`variable ${name}: ${data.length} values do not fill the shape ${formatShape(shape)}`);
  }
  return { shape, dtype: dtypeOf(data) };
}

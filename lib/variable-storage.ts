import { DeviceLostError, TraceError } from './errors.js';
import type { Device, DeviceArray } from './device/device.js';
import type { DType, NumericArray, TensorSpec } from './graph/operation.js';
import type { Shape } from './shape.js';
import { arrayOf } from './tensor.js';

/** A variable's buffer on a device. */
export interface VariableCopy {
  readonly array: DeviceArray;
  /** The version of the values that are in it; -1 before there are any. */
  version: number;
  /** It was freed. */
  isDropped: boolean;
}

/**
 * The values of a variable, wherever they are: on the host until a plan uses them, then in a buffer on each device whose
 * plans do. A plan that changes them makes the other copies out of date, which are fetched anew when they are wanted
 * (lib/plan.ts). A plan holds this and not the variable, so that a variable which is forgotten gives its memory back.
 */
export class VariableStorage implements TensorSpec {
  /** In messages. */
  name: string;
  readonly shape: Shape;
  readonly dtype: DType;
  /** Is another one whenever the values have changed. */
  version = 0;
  /** A plan that is to change the values is fetching them: no other device may, meanwhile. */
  isClaimed = false;
  isDisposed = false;
  /** The values where no device has them. */
  #host: NumericArray | undefined;
  readonly #copies = new Map<Device, VariableCopy>();
  readonly #users = new Set<() => void>();
  #recover: (() => NumericArray) | undefined;

  constructor(name: string, { shape, dtype }: TensorSpec, values: NumericArray) {
    this.name = name;
    this.shape = shape;
    this.dtype = dtype;
    this.#host = values;
  }

  /** Where the values are; undefined while they are on the host. */
  get device(): Device | undefined {
    return this.#current()?.array.device;
  }

  /** What stands for values that are lost with their device. The function must not refer to the variable. */
  recoverBy(recover: () => NumericArray): void {
    this.#recover = recover;
  }

  /** Whether a device has a buffer for it. */
  isOn(device: Device): boolean {
    return this.#copies.has(device);
  }

  /** The buffer on a device, perhaps a new one, whose values are to come. */
  place(device: Device): VariableCopy {
    this.checkAlive();
    const copy = this.#copies.get(device) ?? { array: device.allocate(this), version: -1, isDropped: false };
    this.#copies.set(device, copy);
    return copy;
  }

  /** Frees a buffer, where no values have come to it. */
  dropUnused(copy: VariableCopy): void {
    if (copy.version < 0) this.#drop(copy);
  }

  /** The buffer on a device where it holds the values or they can be uploaded at once, from the host. */
  arrayOn(device: Device): DeviceArray | undefined {
    this.checkAlive();
    const copy = this.#host ? this.place(device) : this.#copies.get(device);
    return copy && this.refresh(copy) ? copy.array : undefined;
  }

  /** Whether the copy holds the values, which are uploaded where the host has them. */
  refresh(copy: VariableCopy): boolean {
    if (copy.version === this.version) return true;
    if (!this.#host || copy.array.device.isLost) return false;
    copy.array.write(this.#host);
    copy.version = this.version;
    this.#host = undefined;
    return true;
  }

  /** A plan has written over the values in this copy. */
  changedIn(copy: VariableCopy): void {
    copy.version = ++this.version;
  }

  /** A copy of the values as they are now. */
  async read(): Promise<NumericArray> {
    const newest = this.#newest();
    return 'array' in newest ? newest.array.read() : newest.slice();
  }

  /** `read()` that leaves zeros behind. */
  async take(): Promise<NumericArray> {
    const newest = this.#newest();
    if ('array' in newest) {
      this.changedIn(newest);
      return newest.array.take();
    }
    this.set(newest.slice().fill(0));
    return newest;
  }

  /** Sets the values, wherever they are. A device that was lost has none any more. */
  set(values: NumericArray): void {
    this.checkAlive();
    this.version++;
    this.#host = undefined;
    for (const copy of this.#copies.values()) {
      if (copy.array.device.isLost) this.#drop(copy);
      else {
        copy.array.write(values);
        copy.version = this.version;
      }
    }
    if (this.#copies.size === 0) this.#host = arrayOf(this.dtype, values);
  }

  /** Calls `forget` when the storage is freed, until the function that is given back is called. */
  onDispose(forget: () => void): () => void {
    this.#users.add(forget);
    return () => void this.#users.delete(forget);
  }

  /** Frees all buffers. */
  dispose(): void {
    for (const copy of this.#copies.values()) this.#drop(copy);
    this.#host = undefined;
    this.isDisposed = true;
    for (const forget of this.#users) forget();
    this.#users.clear();
  }

  /** Throws TraceError after `dispose()`. */
  checkAlive(): void {
    if (this.isDisposed) throw new TraceError(`variable ${this.name} is used after dispose()`);
  }

  #current(): VariableCopy | undefined {
    for (const copy of this.#copies.values()) {
      if (copy.version === this.version && !copy.array.device.isLost) return copy;
    }
    return undefined;
  }

  #newest(): VariableCopy | NumericArray {
    this.checkAlive();
    if (!this.#current() && !this.#host && this.#recover) this.set(this.#recover());
    const newest = this.#current() ?? this.#host;
    if (newest) return newest;
    throw new DeviceLostError(
      `the device that variable ${this.name} was on was lost, and its values with it: set them anew (variable.set, loadState)`,
    );
  }

  #drop(copy: VariableCopy): void {
    copy.array.dispose();
    copy.isDropped = true;
    this.#copies.delete(copy.array.device);
  }
}

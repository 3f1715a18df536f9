import { breathe } from '../../breath.js';
import type { ArrayView, DType, NumericArray, TensorSpec } from '../../graph/operation.js';
import { storedElements } from '../../graph/program.js';
import { sizeOf } from '../../shape.js';
import { arrayOf } from '../../tensor.js';
import type { DeviceArray } from '../device.js';
import type { CpuDevice } from './device.js';

/** Blocks of arrays that were forgotten without `dispose()`. */
const forgotten = new FinalizationRegistry<() => void>((release) => {
  release();
});

/** A tensor in a block of the device's heap. 16-bit floats are stored as wider ones, which the CPU computes with. */
export class CpuArray implements DeviceArray {
  readonly device: CpuDevice;
  readonly shape: TensorSpec['shape'];
  readonly dtype: DType;
  /** Address in the device's memory. */
  readonly start: number;
  #release: (() => void) | undefined;

  /** @param release gives the block back; left out for a view of a block that belongs to somebody else */
  constructor(device: CpuDevice, spec: TensorSpec, start: number, release?: () => void) {
    this.device = device;
    this.shape = spec.shape;
    this.dtype = spec.dtype;
    this.start = start;
    this.#release = release;
    if (release) forgotten.register(this, release, this);
  }

  /** Bytes of a tensor's block: whole vectors of four, so that kernels may work on four elements at the end as well. */
  static bytesOf(spec: TensorSpec, elementBytes: number): number {
    return Math.ceil(storedElements(spec) / 4) * 4 * elementBytes;
  }

  /** The elements and their shape; valid until the heap grows. */
  view(): ArrayView {
    return { data: this.device.elements(this.dtype, this.start, sizeOf(this.shape)), shape: this.shape };
  }

  write(values: NumericArray): void {
    const { data } = this.view();
    const rounded = this.dtype === 'f16' ? arrayOf('f16', values) : values;
    data.set(rounded.subarray(0, data.length));
  }

  async read(): Promise<NumericArray> {
    const values = this.view().data.slice(); // as they are now
    await breathe();
    return values;
  }

  async take(): Promise<NumericArray> {
    const { data } = this.view();
    const values = data.slice();
    data.fill(0);
    await breathe();
    return values;
  }

  clone(): CpuArray {
    const copy = this.device.allocate(this);
    copy.write(this.view().data);
    return copy;
  }

  dispose(): void {
    forgotten.unregister(this);
    this.#release?.();
    this.#release = undefined;
  }
}

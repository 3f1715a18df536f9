import { CpuDevice } from '../../lib/device/cpu/device.js';
import { WebGpuDevice } from '../../lib/device/webgpu/device.js';
import type { Device } from '../../lib/index.js';

/** Buffers that exist at some moment. */
export interface BufferCount {
  readonly buffers: number;
  readonly bytes: number;
}

/**
 * Keeps account of a device's buffers: on WebGPU what `createBuffer` made and `destroy` has not freed, on the CPU the
 * blocks of the heap. It wraps the methods of this one device, from now on, and counts exactly.
 */
export class BufferLedger {
  /** Bytes by buffer, or by the address of a block. */
  readonly #living = new Map<unknown, number>();

  /** Throws where it knows no such device. */
  constructor(device: Device) {
    if (device instanceof WebGpuDevice) this.#watchGpu(device);
    else if (device instanceof CpuDevice) this.#watchHeap(device);
    else throw new Error(`buffers of ${device.info.description} cannot be counted`);
  }

  /** What was made since the ledger began and exists still. */
  get now(): BufferCount {
    return { buffers: this.#living.size, bytes: [...this.#living.values()].reduce((sum, bytes) => sum + bytes, 0) };
  }

  #watchGpu({ gpu }: WebGpuDevice): void {
    const createBuffer = gpu.createBuffer.bind(gpu);
    const counted = (descriptor: GPUBufferDescriptor): GPUBuffer => {
      const buffer = createBuffer(descriptor);
      this.#living.set(buffer, buffer.size);
      const destroy = buffer.destroy.bind(buffer);
      const value = (): void => {
        this.#living.delete(buffer);
        destroy();
      };
      return Object.defineProperty(buffer, 'destroy', { value });
    };
    Object.defineProperty(gpu, 'createBuffer', { value: counted });
  }

  #watchHeap({ heap }: CpuDevice): void {
    const allocate = heap.allocate.bind(heap);
    const release = heap.release.bind(heap);
    heap.allocate = (bytes) => {
      const start = allocate(bytes);
      this.#living.set(start, bytes);
      return start;
    };
    heap.release = (start, bytes) => {
      this.#living.delete(start);
      release(start, bytes);
    };
  }
}

import { packFloat16, unpackFloat16 } from '../../float16.js';
import { wordsOf } from '../../graph/launch.js';
import { sizeOf } from '../../shape.js';
import type { DType, NumericArray, TensorSpec } from '../../graph/operation.js';
import type { DeviceArray } from '../device.js';
import type { WebGpuDevice } from './device.js';

/** Bytes of a tensor's buffer: whole vec4s, so that kernels may load and store four elements at the end as well. */
export function bufferBytes(spec: TensorSpec): number {
  return Math.max(1, Math.ceil(wordsOf(spec) / 4)) * 16;
}

/** Bytes up to which a buffer that a result was mapped from is kept for the next read: a loss, the outputs of a batch. */
const STAGING_KEPT = 2 ** 16;

/** A tensor in a GPU buffer. Two 16-bit floats share a word, and so do four bytes: kernels need no feature of the adapter. */
export class WebGpuArray implements DeviceArray {
  readonly device: WebGpuDevice;
  readonly shape: TensorSpec['shape'];
  readonly dtype: DType;
  readonly buffer: GPUBuffer;
  /** Buffers that results are mapped from, kept for the next read. */
  readonly #staging: GPUBuffer[] = [];

  constructor(device: WebGpuDevice, spec: TensorSpec, buffer: GPUBuffer) {
    this.device = device;
    this.shape = spec.shape;
    this.dtype = spec.dtype;
    this.buffer = buffer;
  }

  get bytes(): number {
    return wordsOf(this) * 4;
  }

  write(values: NumericArray): void {
    const stored = typedFor(this.dtype, values);
    const { queue } = this.device.gpu;
    // Whole words are written: where a few bytes are left, they are filled up.
    const whole = stored.byteLength - (stored.byteLength % 4);
    if (whole > 0) queue.writeBuffer(this.buffer, 0, stored.buffer, stored.byteOffset, whole);
    if (whole === stored.byteLength) return;
    const rest = new Uint8Array(4);
    rest.set(new Uint8Array(stored.buffer, stored.byteOffset + whole, stored.byteLength - whole));
    queue.writeBuffer(this.buffer, whole, rest);
  }

  read(): Promise<NumericArray> {
    return this.#copyOut(() => undefined);
  }

  take(): Promise<NumericArray> {
    return this.#copyOut((encoder) => {
      encoder.clearBuffer(this.buffer);
    });
  }

  clone(): WebGpuArray {
    const copy = this.device.allocate(this);
    const encoder = this.device.gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(this.buffer, 0, copy.buffer, 0, bufferBytes(this));
    this.device.submit(encoder.finish());
    return copy;
  }

  async #copyOut(then: (encoder: GPUCommandEncoder) => void): Promise<NumericArray> {
    const { gpu } = this.device;
    if (this.bytes === 0) return view(this, new ArrayBuffer(0));
    this.device.checkAlive();
    const staging =
      this.#staging.pop() ?? gpu.createBuffer({ label: 'read', size: this.bytes, usage: GPU_COPY_DST | GPU_MAP_READ });
    const encoder = gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(this.buffer, 0, staging, 0, this.bytes);
    then(encoder);
    this.device.submit(encoder.finish());
    await this.device.untilLost(staging.mapAsync(GPU_MAP_MODE_READ));
    const values = view(this, staging.getMappedRange().slice(0));
    staging.unmap();
    if (this.bytes <= STAGING_KEPT) this.#staging.push(staging);
    else staging.destroy();
    return values;
  }

  dispose(): void {
    this.device.buffers.destroy(this.buffer);
    for (const staging of this.#staging.splice(0)) staging.destroy();
  }
}

// The constants of GPUBufferUsage and GPUMapMode: Node has no such globals.
const GPU_MAP_MODE_READ = 1;
const GPU_MAP_READ = 0x1;
const GPU_COPY_SRC = 0x4;
const GPU_COPY_DST = 0x8;
const GPU_UNIFORM = 0x40;
const GPU_STORAGE = 0x80;

export const STORAGE_USAGE = GPU_STORAGE | GPU_COPY_SRC | GPU_COPY_DST;
export const UNIFORM_USAGE = GPU_UNIFORM | GPU_COPY_DST;

function view({ dtype, shape }: TensorSpec, buffer: ArrayBuffer): NumericArray {
  if (dtype === 'f16') return unpackFloat16(new Uint32Array(buffer), sizeOf(shape));
  if (dtype === 'i32') return new Int32Array(buffer);
  if (dtype === 'u32') return new Uint32Array(buffer);
  return dtype === 'u8' ? new Uint8Array(buffer, 0, sizeOf(shape)) : new Float32Array(buffer);
}

function typedFor(dtype: DType, values: NumericArray): NumericArray & { readonly buffer: ArrayBufferLike } {
  if (dtype === 'f16') return packFloat16(values);
  if (dtype === 'f32') return values instanceof Float32Array ? values : new Float32Array(values);
  if (dtype === 'i32') return values instanceof Int32Array ? values : new Int32Array(values);
  if (dtype === 'u32') return values instanceof Uint32Array ? values : new Uint32Array(values);
  return values instanceof Uint8Array ? values : new Uint8Array(values);
}

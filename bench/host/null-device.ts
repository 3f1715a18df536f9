import { create, globals } from 'webgpu';
import { findAdapter } from '../../lib/device/webgpu/adapter.js';
import type { WebGpuDevice } from '../../lib/device/webgpu/device.js';

/** The WebGPU interfaces of the devices that {@link openNullDevice} opens, by name. */
export const interfaces: object = globals;

/** GPUBufferUsage.MAP_READ: Node has no such global. */
const MAP_READ = 1;

/** Dawn's GPU object must outlive the devices made of it. */
let dawn: GPU | undefined;

/**
 * A device on Dawn's null backend, which validates every call and executes none: what a step costs on it is the host's
 * share. It needs no adapter and no driver.
 */
export async function openNullDevice(): Promise<WebGpuDevice> {
  dawn ??= create(['backend=null']);
  const adapter = await findAdapter(dawn);
  if (!adapter) throw new Error('this build of Dawn has no null backend');
  const device = await adapter.open("the null backend, for the host's share");
  readMinusOnes(device.gpu);
  return device;
}

/**
 * Where nothing is executed a buffer reads as zeros, and a meter of zeros says that the very first loss was not finite:
 * `fit` would end there. The buffers of this device are read as numbers -1 (float32), which says that all were.
 */
function readMinusOnes(device: GPUDevice): void {
  // The prototype's method is looked up at each call, so that it can be wrapped and counted.
  const prototype = Object.getPrototypeOf(device) as GPUDevice;
  const createBuffer = (descriptor: GPUBufferDescriptor): GPUBuffer => {
    const buffer = prototype.createBuffer.call(device, descriptor);
    if ((descriptor.usage & MAP_READ) === 0) return buffer;
    const { getMappedRange } = buffer; // eslint-disable-line @typescript-eslint/unbound-method
    const withMinusOnes = (...range: [offset?: number, size?: number]): ArrayBuffer => {
      const mapped = getMappedRange.apply(buffer, range);
      new Float32Array(mapped).fill(-1);
      return mapped;
    };
    return Object.defineProperty(buffer, 'getMappedRange', { value: withMinusOnes });
  };
  Object.defineProperty(device, 'createBuffer', { value: createBuffer });
}

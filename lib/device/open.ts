import { DeviceError, OptionError } from '../errors.js';
import { suggest } from '../suggest.js';
import { CpuDevice } from './cpu/device.js';
import type { Device } from './device.js';
import { findAdapter, type FoundAdapter } from './webgpu/adapter.js';

/** Which device is wanted: `auto` takes a hardware GPU where there is one, else the CPU. */
export type DeviceRequest = 'auto' | 'cpu' | 'webgpu';

const REQUESTS: readonly DeviceRequest[] = ['auto', 'cpu', 'webgpu'];

/**
 * Opens a device. `auto`, the default, takes a hardware GPU where WebGPU has one and the CPU otherwise: a software
 * adapter (SwiftShader, lavapipe) is taken only where `webgpu` insists. What was chosen and why stands in `device.info`.
 *
 * In Node import this function from `kernelwright/node`, which brings WebGPU in (package `webgpu`).
 *
 * Throws OptionError for an unknown request, DeviceError where `webgpu` is asked for and there is no adapter.
 */
export function openDevice(request: DeviceRequest = 'auto'): Promise<Device> {
  return openFrom(request, () => Promise.resolve(browserGpu()));
}

/** @internal `openDevice` with a given way to WebGPU; a string in place of it says why there is none. */
export async function openFrom(request: string, getGpu: () => Promise<GPU | string>): Promise<Device> {
  if (!isRequest(request)) {
    throw new OptionError(`unknown device '${request}'${suggest(request, REQUESTS)}: expected auto, cpu or webgpu`);
  }
  if (request === 'cpu') return new CpuDevice({ path: 'simd', reason: 'cpu was asked for' });
  const adapter = await tryAdapter(getGpu);
  if (request === 'webgpu') {
    if (typeof adapter === 'string') throw new DeviceError(`no WebGPU device: ${adapter}`);
    return adapter.open('webgpu was asked for');
  }
  if (typeof adapter === 'string') return new CpuDevice({ path: 'simd', reason: adapter });
  if (adapter.software) {
    return new CpuDevice({
      path: 'simd',
      reason: `the only WebGPU adapter is a software one (${adapter.description})`,
    });
  }
  return adapter.open('a hardware WebGPU adapter was found');
}

async function tryAdapter(getGpu: () => Promise<GPU | string>): Promise<FoundAdapter | string> {
  const gpu = await getGpu();
  if (typeof gpu === 'string') return gpu;
  return (await findAdapter(gpu)) ?? 'WebGPU found no adapter on this machine';
}

function browserGpu(): GPU | string {
  const gpu = typeof navigator === 'undefined' ? undefined : (navigator as { readonly gpu?: GPU }).gpu;
  return gpu ?? 'there is no navigator.gpu here (in Node, import openDevice from kernelwright/node)';
}

function isRequest(request: string): request is DeviceRequest {
  return REQUESTS.some((known) => known === request);
}

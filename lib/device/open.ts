import { DeviceError, OptionError } from '../errors.js';
import { callback, checkOptions, type OptionRules, wholeNumber } from '../options.js';
import { suggest } from '../suggest.js';
import { CpuDevice } from './cpu/device.js';
import { defaultThreads, machineThreads, mustTryWorkers } from './cpu/host.js';
import type { Device } from './device.js';
import { findAdapter, type FoundAdapter } from './webgpu/adapter.js';
import type { WebGpuHost } from './webgpu/host.js';

/** Which device is wanted: `auto` takes a hardware GPU where there is one, else the CPU. */
export type DeviceRequest = 'auto' | 'cpu' | 'webgpu';

/** Options of {@link openDevice}. */
export interface DeviceOptions {
  /**
   * How many threads the CPU device computes with, the one that calls it included: a whole number from 1, of which no
   * more are taken than the machine runs at the same time. Default: that many, at most 8. Results do not depend on it. One thread computes where memory
   * cannot be shared, in pages that are not cross-origin isolated and in Node before 20.16, and where a page's
   * Content-Security-Policy forbids workers.
   */
  readonly threads?: number;
  /**
   * How many bytes its buffers may take in all: what would need more is refused with DeviceMemoryError, before anything
   * of it is allocated. WebGPU does not tell how much memory a GPU has, so there it is for you to state. Default: no limit
   * on WebGPU, 4 GiB on the CPU, which are all that its memory can have.
   */
  readonly memoryLimit?: number;
  /**
   * Called as WebGPU compiles kernels, side by side: with how many are ready, and how many were asked for so far. For showing
   * progress, as `countBar` of `kernelwright/node` does. The CPU device compiles none.
   */
  readonly onCompile?: (ready: number, asked: number) => void;
}

const RULES: OptionRules<DeviceOptions> = {
  threads: wholeNumber({ min: 1 }),
  memoryLimit: wholeNumber({ min: 1 }),
  onCompile: callback,
};

const REQUESTS: readonly DeviceRequest[] = ['auto', 'cpu', 'webgpu'];

/**
 * Opens a device. `auto`, the default, takes a hardware GPU where WebGPU has one and the CPU otherwise: a software
 * adapter (SwiftShader, lavapipe) is taken only where `webgpu` insists. What was chosen and why stands in `device.info`.
 *
 * In Node import this function from `kernelwright/node`, which brings WebGPU in (package `webgpu`).
 *
 * Throws OptionError for an unknown request and for a number of threads that is none, DeviceError where `webgpu` is
 * asked for and there is no adapter.
 */
export function openDevice(request: DeviceRequest = 'auto', options: DeviceOptions = {}): Promise<Device> {
  return openFrom(request, () => Promise.resolve(browserGpu()), options);
}

/** @internal `openDevice` with a given way to WebGPU; a string in place of it says why there is none. */
export async function openFrom(
  request: unknown,
  getGpu: () => Promise<GPU | string>,
  options: DeviceOptions = {},
  host?: WebGpuHost,
): Promise<Device> {
  checkOptions('openDevice', options, RULES);
  if (!isRequest(request)) {
    const word = String(request);
    throw new OptionError(`unknown device '${word}'${suggest(word, REQUESTS)}: expected auto, cpu or webgpu`);
  }
  const { memoryLimit, onCompile } = options;
  const threads = Math.min(options.threads ?? defaultThreads(), machineThreads());
  const openCpu = async (reason: string): Promise<Device> => {
    const device = new CpuDevice({ path: 'simd', threads, reason, memoryLimit });
    if (mustTryWorkers()) await device.pool.start();
    return device;
  };
  if (request === 'cpu') return openCpu('cpu was asked for');
  const adapter = await tryAdapter(getGpu);
  if (request === 'webgpu') {
    if (typeof adapter === 'string') throw new DeviceError(`no WebGPU device: ${adapter}`);
    return adapter.open('webgpu was asked for', { host, memoryLimit, onCompile });
  }
  if (typeof adapter === 'string') return openCpu(adapter);
  if (adapter.software) return openCpu(`the only WebGPU adapter is a software one (${adapter.description})`);
  return adapter.open('a hardware WebGPU adapter was found', { host, memoryLimit, onCompile });
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

function isRequest(request: unknown): request is DeviceRequest {
  return REQUESTS.some((known) => known === request);
}

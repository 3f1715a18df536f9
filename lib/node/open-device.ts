import { type DeviceOptions, type DeviceRequest, openFrom } from '../device/open.js';
import type { Device } from '../device/device.js';
import { tune } from '../tune.js';
import { restUntil } from './rest.js';
import { tuningFile } from './tuning-file.js';

/**
 * Matrix units are no standard yet, which Dawn calls unsafe, and on NVIDIA they need 16-bit floats in shaders, which Dawn does
 * not trust there; one kernel uses both, and tuning takes it only where it has compared it with the reference. What browsers must do for kernels that they do not know is left out. Without disable_robustness, Dawn moves every index inside of
 * its array, which takes a quarter of MyNet's step on SwiftShader; without the next one it fills workgroup memory with zeros
 * before a kernel begins. Kernels of this library stay inside by themselves, and write that memory before they read it:
 * `npm run test:bounds` sees to both.
 */
export const DAWN_FEATURES = 'disable_robustness,disable_workgroup_init,allow_unsafe_apis,vulkan_enable_f16_on_nvidia';

/** What Dawn opens to reach Vulkan on Linux; elsewhere it does without. */
const VULKAN_LOADER = 'libvulkan.so.1';

/** Dawn's GPU object. It must outlive every device made of it, so the module keeps it. */
let dawn: Promise<GPU | string> | undefined;

/**
 * {@link openDevice} for Node: the same, with WebGPU from the optional package `webgpu` (Dawn). Without that package,
 * or without an adapter, `auto` takes the CPU and says so in `device.info.reason`.
 *
 * With KERNELWRIGHT_TUNE=1 in the environment the device is tuned, see {@link tune}.
 *
 * @param request default: the environment variable KERNELWRIGHT_DEVICE, else `auto`
 * Throws OptionError for an unknown request and for a number of threads that is none, DeviceError where `webgpu` is
 * asked for and cannot be had.
 */
export async function openDevice(request?: DeviceRequest, options: DeviceOptions = {}): Promise<Device> {
  const wanted = request ?? process.env['KERNELWRIGHT_DEVICE'] ?? 'auto';
  const device = await openFrom(wanted, nodeGpu, options, { tuningStore: tuningFile(), restUntil });
  if (process.env['KERNELWRIGHT_TUNE'] === '1') await tune(device);
  return device;
}

/** @internal WebGPU in Node, or why there is none. */
export function nodeGpu(): Promise<GPU | string> {
  return (dawn ??= loadDawn());
}

async function loadDawn(): Promise<GPU | string> {
  // Dawn would find no adapter, and print that to stderr at every start.
  if (process.platform === 'linux' && !canOpenLibrary(VULKAN_LOADER))
    return `there is no Vulkan loader (${VULKAN_LOADER})`;
  try {
    const { create } = await import('webgpu');
    return create([`enable-dawn-features=${DAWN_FEATURES}`]);
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    if (isMissing) return 'the package webgpu is not installed (npm install webgpu)';
    return `the package webgpu could not be loaded: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Whether a shared library is found and can be opened. Node, which looks for an addon in it, closes it again. */
function canOpenLibrary(name: string): boolean {
  try {
    process.dlopen({ exports: {} }, name);
    return true;
  } catch (error) {
    const isRefused = error instanceof Error && 'code' in error && error.code === 'ERR_DLOPEN_FAILED';
    return !isRefused || error.message.includes('did not self-register');
  }
}

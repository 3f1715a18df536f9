import { WebGpuDevice } from '../../lib/device/webgpu/device.js';
import { Joiner } from '../../lib/device/webgpu/joining/joiner.js';
import { openDevice } from '../../lib/node/open-device.js';
import { watchBounds } from './bounds.js';
import { poisonWorkgroupMemory } from './poison.js';

/** Whether kernels check each index of theirs (`npm run test:bounds`). */
export const checksBounds = process.env['KERNELWRIGHT_TEST_BOUNDS'] === '1';

let device: Promise<WebGpuDevice> | undefined;

/** The WebGPU device of this test process. Without an adapter it rejects: a GPU test never skips silently. */
export function webgpu(): Promise<WebGpuDevice> {
  device ??= openWebGpu().then((opened) => {
    console.log(`# WebGPU adapter: ${opened.info.description}`);
    return opened;
  });
  return device;
}

/**
 * A device of its own, for tests that lose, dispose of or count it. What WebGPU refuses without a scope ends the run; with
 * KERNELWRIGHT_TEST_BOUNDS=1 so does an index out of bounds, and workgroup memory begins as NaN.
 */
export async function openWebGpu(): Promise<WebGpuDevice> {
  const opened = await openDevice('webgpu');
  if (!(opened instanceof WebGpuDevice)) throw new Error(`asked for webgpu, got ${opened.info.kind}`);
  opened.gpu.addEventListener('uncapturederror', ({ error }) => {
    throw new Error(`WebGPU refused a call outside of any error scope: ${error.message}`);
  });
  if (checksBounds) {
    // The check binds a buffer beside those of a kernel.
    const { limits } = opened.gpu;
    const maxStorageBuffers = limits.maxStorageBuffersPerShaderStage - 1;
    Object.defineProperty(limits, 'maxStorageBuffersPerShaderStage', { value: maxStorageBuffers });
    Object.assign(opened, { fusion: { ...opened.fusion, maxStorageBuffers } });
    watchBounds(opened.gpu, (place) => {
      throw new Error(`an index is out of bounds: ${place}`);
    });
    // Each kernel binds one buffer more.
    const {
      maxStorageBuffersPerShaderStage,
      maxUniformBuffersPerShaderStage,
      maxComputeWorkgroupStorageSize,
      maxComputeInvocationsPerWorkgroup,
    } = opened.gpu.limits;
    const joiner = new Joiner({
      maxStorageBuffersPerShaderStage: maxStorageBuffersPerShaderStage - 1,
      maxUniformBuffersPerShaderStage,
      maxComputeWorkgroupStorageSize,
      maxComputeInvocationsPerWorkgroup,
    });
    Object.assign(opened, { joiner });
    poisonWorkgroupMemory(opened.gpu);
  }
  return opened;
}

import test from 'tape';
import { CpuDevice } from '../../lib/device/cpu/device.js';
import type { Device } from '../../lib/device/device.js';
import { checksBounds, webgpu } from './webgpu.js';

/** The CPU device of the tests: the references, which are the oracle. */
export const cpu = new CpuDevice({ reason: 'test' });
/** The CPU device with its SIMD kernels. */
export const simd = new CpuDevice({ reason: 'test', path: 'simd' });

/** One test for each device, `… on cpu`, `… on simd` and `… on webgpu`; that of WebGPU alone where its indices are checked. */
export function testOnDevices(name: string, body: (t: test.Test, device: Device) => Promise<void>): void {
  if (!checksBounds) {
    test(`${name} on cpu`, (t) => body(t, cpu));
    test(`${name} on simd`, (t) => body(t, simd));
  }
  test(`${name} on webgpu`, async (t) => body(t, await webgpu()));
}

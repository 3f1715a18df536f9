import test from 'tape';
import { CpuDevice } from '../../lib/device/cpu/device.js';
import type { Device } from '../../lib/device/device.js';
import { webgpu } from './webgpu.js';

/** The CPU device of the tests. */
export const cpu = new CpuDevice({ reason: 'test' });

/** One test for each device, `… on cpu` and `… on webgpu`. */
export function testOnDevices(name: string, body: (t: test.Test, device: Device) => Promise<void>): void {
  test(`${name} on cpu`, (t) => body(t, cpu));
  test(`${name} on webgpu`, async (t) => body(t, await webgpu()));
}

import { create, globals } from 'webgpu';
import { findAdapter } from '../../lib/device/webgpu/adapter.js';
import type { WebGpuDevice } from '../../lib/device/webgpu/device.js';

/** The WebGPU interfaces of the devices that {@link openNullDevice} opens, by name. */
export const interfaces: object = globals;

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
  return adapter.open("the null backend, for the host's share");
}

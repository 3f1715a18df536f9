import type { Device } from '../../lib/device/device.js';
import { openDevice } from '../../lib/node/open-device.js';

let device: Promise<Device> | undefined;

/** The WebGPU device of this test process. Without an adapter it rejects: a GPU test never skips silently. */
export function webgpu(): Promise<Device> {
  device ??= openDevice('webgpu').then((opened) => {
    console.log(`# WebGPU adapter: ${opened.info.description}`);
    return opened;
  });
  return device;
}

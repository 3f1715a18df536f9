import { CpuDevice } from './cpu/device.js';
import { defaultThreads } from './cpu/host.js';
import type { Device } from './device.js';

let device: Device | undefined;

/** The CPU device that serves wherever no device is named. Made at first use, the same one ever after. */
export function defaultDevice(): Device {
  device ??= new CpuDevice({ path: 'simd', threads: defaultThreads(), reason: 'no device was named' });
  return device;
}

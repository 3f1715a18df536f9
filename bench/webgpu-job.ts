import type { WebGpuArray } from '../lib/device/webgpu/array.js';
import type { WebGpuDevice } from '../lib/device/webgpu/device.js';
import { launchJob } from '../lib/device/webgpu/launch-job.js';
import type { Launch } from '../lib/graph/launch.js';
import type { Job } from './runner.js';

/** Launches with their buffers, all of which go with the job. Rejects with DeviceError where the GPU refuses them. */
export async function jobOf(
  device: WebGpuDevice,
  launches: readonly Launch[],
  inputs: readonly WebGpuArray[],
  outputs: readonly WebGpuArray[],
): Promise<Job> {
  const job = await launchJob(device, launches, inputs, outputs);
  return {
    kernel: launches.map(({ kernel }) => kernel.name).join(' + '),
    run: (repeats) => job.run(repeats),
    outputs: () => job.outputs(),
    dispose() {
      for (const array of new Set([...inputs, ...outputs])) array.dispose();
      job.dispose();
    },
  };
}

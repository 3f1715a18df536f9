import { DeviceError } from '../../errors.js';
import { type Launch, scratchBytesOf } from '../../graph/launch.js';
import type { NumericArray } from '../../graph/operation.js';
import { STORAGE_USAGE, UNIFORM_USAGE, type WebGpuArray } from './array.js';
import type { WebGpuDevice } from './device.js';
import { accessOf } from './work.js';

/** The launches of an operation with their buffers, apart from any plan, so that they can be checked and timed. */
export interface LaunchJob {
  /**
   * Executes them `repeats` times in one compute pass; resolves with the milliseconds until the queue had finished.
   *
   * @param part how much of them, in (0, 1]: see {@link firstWorkgroups}; default all
   */
  run(repeats: number, part?: number): Promise<number>;
  outputs(): Promise<NumericArray[]>;
  /** Frees what the job made: not the arrays that it was given. */
  dispose(): void;
}

/** The first workgroups of a dispatch, about such a part of them, and one at least: they do what they would do anyway. */
export function firstWorkgroups([x, y, z]: Launch['workgroups'], part: number): [number, number, number] {
  const count = Math.max(1, Math.round(x * y * z * part));
  if (count < x) return [count, 1, 1];
  if (count < x * y) return [x, Math.floor(count / x), 1];
  return [x, y, Math.floor(count / (x * y))];
}

/** Prepares launches over given arrays. Rejects with DeviceError where the GPU refuses them. */
export async function launchJob(
  device: WebGpuDevice,
  launches: readonly Launch[],
  inputs: readonly WebGpuArray[],
  outputs: readonly WebGpuArray[],
): Promise<LaunchJob> {
  const { gpu } = device;
  const pipelines = await Promise.all(launches.map((launch) => device.pipelines.get(launch, accessOf(launch))));
  gpu.pushErrorScope('validation');
  const made: GPUBuffer[] = [];
  const bufferOf = (size: number, usage: number): GPUBuffer => {
    const buffer = gpu.createBuffer({ size: Math.ceil(Math.max(size, 16) / 16) * 16, usage });
    made.push(buffer);
    return buffer;
  };
  const scratch = bufferOf(scratchBytesOf(launches), STORAGE_USAGE);
  const bindGroups = launches.map((launch) => {
    const buffers = launch.bindings.map((binding) => {
      if ('scratch' in binding) return scratch;
      const array = 'output' in binding ? outputs[binding.output] : inputs[binding.input];
      if (!array) throw new Error(`${launch.kernel.name} binds a tensor that it does not have`);
      return array.buffer;
    });
    const uniform = bufferOf(launch.uniforms.byteLength, UNIFORM_USAGE);
    gpu.queue.writeBuffer(uniform, 0, new Uint8Array(launch.uniforms));
    const access = accessOf(launch);
    return gpu.createBindGroup({
      layout: device.pipelines.layout(access),
      entries: [...buffers, uniform].map((buffer, i) => ({ binding: access[i]?.at ?? i, resource: { buffer } })),
    });
  });
  const refused = await gpu.popErrorScope();
  if (refused) throw new DeviceError(refused.message);

  const encode = (repeats: number, part: number): GPUCommandBuffer => {
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let repeat = 0; repeat < repeats; repeat++) {
      launches.forEach(({ workgroups }, i) => {
        const [pipeline, bindGroup] = [pipelines[i], bindGroups[i]];
        if (!pipeline || !bindGroup) return;
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindGroup);
        pass.dispatchWorkgroups(...firstWorkgroups(workgroups, part));
      });
    }
    pass.end();
    return encoder.finish();
  };
  return {
    // Encoding is not timed, submitting is: what stays is what the GPU and its driver do.
    async run(repeats, part = 1) {
      const commands = encode(repeats, part);
      await device.finished();
      const start = performance.now();
      device.submit(commands);
      await device.finished();
      return performance.now() - start;
    },
    outputs: () => Promise.all(outputs.map((output) => output.read())),
    dispose() {
      for (const buffer of made) buffer.destroy();
    },
  };
}

import { availableParallelism } from 'node:os';
import { UNIFORM_USAGE, type WebGpuArray } from '../lib/device/webgpu/array.js';
import { WebGpuDevice } from '../lib/device/webgpu/device.js';
import { accessOf } from '../lib/device/webgpu/pipelines.js';
import { DeviceError } from '../lib/errors.js';
import type { Launch } from '../lib/graph/launch.js';
import type { NumericArray } from '../lib/graph/operation.js';
import { openDevice } from '../lib/node/open-device.js';
import { matmulLaunch, type MatmulVariant, variantFor } from '../lib/ops/matmul-kernels.js';
import type { Entry } from './entry.js';
import type { Job, Peaks, Runner } from './runner.js';
import { webGpuPeaks } from './webgpu-peaks.js';

/** Dispatches the kernels of operations by hand, so that one of them can be repeated within a compute pass. */
export class WebGpuRunner implements Runner {
  readonly name = 'webgpu';
  readonly #device: WebGpuDevice;

  private constructor(device: WebGpuDevice) {
    this.#device = device;
  }

  static async open(): Promise<WebGpuRunner> {
    const device = await openDevice('webgpu');
    if (!(device instanceof WebGpuDevice)) throw new DeviceError(`asked for webgpu, got ${device.info.kind}`);
    return new WebGpuRunner(device);
  }

  get info() {
    return this.#device.info;
  }

  get threads(): number | null {
    return this.info.software ? availableParallelism() : null;
  }

  get fuses(): boolean {
    return this.#device.fuses;
  }

  get isSlow(): boolean {
    return this.info.software;
  }

  offers(entry: Entry, variant: MatmulVariant): boolean {
    if (!variant.endsWith('Vec4')) return true;
    const [a, b] = entry.inputs;
    const best = variantFor(a?.shape ?? [], b?.shape ?? [], matmulAttributes(entry), { isSoftware: false });
    return best.endsWith('Vec4');
  }

  prepare(entry: Entry, values: readonly NumericArray[], variant?: MatmulVariant): Promise<Job> {
    const { operation, attributes } = entry;
    const inputs = entry.inputs.map(({ shape, dtype = 'f32' }, i) => {
      const array = this.#device.allocate({ shape, dtype });
      const data = values[i];
      if (data) array.write(data);
      return array;
    });
    const specs = operation.infer(inputs, attributes);
    const outputs = specs.map((spec, i) => inputs[operation.writes?.[i] ?? -1] ?? this.#device.allocate(spec));
    const [a, b] = inputs;
    const launches =
      variant && a && b
        ? [matmulLaunch(a.shape, b.shape, matmulAttributes(entry), variant)]
        : operation.kernel({ inputs, outputs: specs, attributes }, { isSoftware: this.info.software });
    return launchJob(this.#device, launches, inputs, outputs);
  }

  peaks(): Promise<Peaks> {
    return webGpuPeaks(this.#device);
  }

  dispose(): void {
    this.#device.dispose();
  }
}

function matmulAttributes({ attributes }: Entry) {
  return { transposeA: attributes['transposeA'] === true, transposeB: attributes['transposeB'] === true };
}

/** Launches with their buffers, all of which go with the job. Rejects with DeviceError where the GPU refuses them. */
export async function launchJob(
  device: WebGpuDevice,
  launches: readonly Launch[],
  inputs: readonly WebGpuArray[],
  outputs: readonly WebGpuArray[],
): Promise<Job> {
  const { gpu } = device;
  const pipelines = await Promise.all(launches.map((launch) => device.pipelines.get(launch)));
  gpu.pushErrorScope('validation');
  const uniforms: GPUBuffer[] = [];
  const bindGroups = launches.map((launch) => {
    const buffers = launch.bindings.map((binding) => {
      const array = 'output' in binding ? outputs[binding.output] : inputs[binding.input];
      if (!array) throw new Error(`${launch.kernel.name} binds a tensor that it does not have`);
      return array.buffer;
    });
    const uniform = gpu.createBuffer({ size: launch.uniforms.byteLength, usage: UNIFORM_USAGE });
    gpu.queue.writeBuffer(uniform, 0, new Uint8Array(launch.uniforms));
    uniforms.push(uniform);
    const access = accessOf(launch);
    return gpu.createBindGroup({
      layout: device.pipelines.layout(access),
      entries: [...buffers, uniform].map((buffer, i) => ({ binding: access[i]?.at ?? i, resource: { buffer } })),
    });
  });
  const refused = await gpu.popErrorScope();
  if (refused) throw new DeviceError(refused.message);

  const encode = (repeats: number): GPUCommandBuffer => {
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let repeat = 0; repeat < repeats; repeat++) {
      launches.forEach(({ workgroups }, i) => {
        const [pipeline, bindGroup] = [pipelines[i], bindGroups[i]];
        if (!pipeline || !bindGroup) return;
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindGroup);
        pass.dispatchWorkgroups(...workgroups);
      });
    }
    pass.end();
    return encoder.finish();
  };
  return {
    kernel: launches.map(({ kernel }) => kernel.name).join(' + '),
    // Encoding is not timed, submitting is: what stays is what the GPU and its driver do.
    async run(repeats) {
      const commands = encode(repeats);
      await device.finished();
      const start = performance.now();
      gpu.queue.submit([commands]);
      await device.finished();
      return performance.now() - start;
    },
    outputs: () => Promise.all(outputs.map((output) => output.read())),
    dispose() {
      for (const array of new Set([...inputs, ...outputs])) array.dispose();
      for (const uniform of uniforms) uniform.destroy();
    },
  };
}

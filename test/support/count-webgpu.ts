import type { WebGpuDevice } from '../../lib/device/webgpu/device.js';

/** What was called on a device since the last reset. */
export interface WebGpuCounts {
  buffers: number;
  bindGroups: number;
  pipelines: number;
  shaderModules: number;
  submits: number;
  /** Uploads by `queue.writeBuffer`. */
  writes: number;
  passes: number;
  dispatches: number;
}

/** Counts of a device's calls: `values` goes on counting, `reset()` begins again at 0. */
export interface WebGpuCounter {
  readonly values: Readonly<WebGpuCounts>;
  reset(): void;
}

const NONE: WebGpuCounts = {
  buffers: 0,
  bindGroups: 0,
  pipelines: 0,
  shaderModules: 0,
  submits: 0,
  writes: 0,
  passes: 0,
  dispatches: 0,
};

/**
 * Counts what is called on a device's GPU objects from now on. The objects' methods are wrapped and stay
 * so: counting a shared device again counts nothing twice, since each counter keeps its own figures.
 */
export function countWebGpu({ gpu }: WebGpuDevice): WebGpuCounter {
  const values = { ...NONE };
  const count = (what: keyof WebGpuCounts) => () => {
    values[what]++;
  };
  wrap(gpu, 'createBuffer', count('buffers'));
  wrap(gpu, 'createBindGroup', count('bindGroups'));
  wrap(gpu, 'createComputePipeline', count('pipelines'));
  wrap(gpu, 'createComputePipelineAsync', count('pipelines'));
  wrap(gpu, 'createShaderModule', count('shaderModules'));
  wrap(gpu.queue, 'submit', count('submits'));
  wrap(gpu.queue, 'writeBuffer', count('writes'));
  wrap(gpu, 'createCommandEncoder', (encoder: GPUCommandEncoder) => {
    wrap(encoder, 'beginComputePass', (pass: GPUComputePassEncoder) => {
      values.passes++;
      wrap(pass, 'dispatchWorkgroups', count('dispatches'));
    });
  });
  return { values, reset: () => void Object.assign(values, NONE) };
}

/** Calls `after` with what a method gave back, whenever it is called. */
function wrap<Name extends string, Result>(
  target: Readonly<Record<Name, (...parameters: never[]) => Result>>,
  name: Name,
  after: (result: Result) => void,
): void {
  const method = target[name];
  const wrapped = (...parameters: never[]): Result => {
    const result = method.apply(target, parameters);
    after(result);
    return result;
  };
  Object.defineProperty(target, name, { value: wrapped, configurable: true });
}

import { DeviceError } from '../../errors.js';
import type { Kernel, Launch } from '../../graph/launch.js';

/** What a binding gives a kernel. */
export type Access = 'read' | 'write' | 'uniform';

/**
 * Compute pipelines by source text, entry point, constants and layout. A pipeline is compiled once for a device,
 * asynchronously; plans share them.
 */
export class Pipelines {
  readonly #gpu: GPUDevice;
  readonly #modules = new Map<string, GPUShaderModule>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();

  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
  }

  get(launch: Launch): Promise<GPUComputePipeline> {
    const { kernel, constants = {} } = launch;
    const access = accessOf(launch);
    const key = [access.join(), kernel.entryPoint, JSON.stringify(constants), kernel.code].join('\n');
    const known = this.#pipelines.get(key);
    if (known) return known;
    const module = this.#module(kernel);
    const pipeline = this.#gpu
      .createComputePipelineAsync({
        label: kernel.name,
        layout: this.#gpu.createPipelineLayout({ bindGroupLayouts: [this.layout(access)] }),
        compute: { module, entryPoint: kernel.entryPoint, constants },
      })
      .catch(async (error: unknown) => {
        const { messages } = await module.getCompilationInfo();
        const details = messages.map(({ lineNum, linePos, message }) => `\n  ${lineNum}:${linePos} ${message}`);
        throw new DeviceError(`kernel ${kernel.name} was refused: ${String(error)}${details.join('')}`);
      });
    this.#pipelines.set(key, pipeline);
    pipeline.catch(() => this.#pipelines.delete(key));
    return pipeline;
  }

  layout(access: readonly Access[]): GPUBindGroupLayout {
    const key = access.join();
    const layout =
      this.#layouts.get(key) ??
      this.#gpu.createBindGroupLayout({
        label: key,
        entries: access.map((kind, binding) => ({
          binding,
          visibility: COMPUTE_STAGE,
          buffer: { type: kind === 'uniform' ? 'uniform' : kind === 'write' ? 'storage' : 'read-only-storage' },
        })),
      });
    this.#layouts.set(key, layout);
    return layout;
  }

  #module(kernel: Kernel): GPUShaderModule {
    const module =
      this.#modules.get(kernel.code) ?? this.#gpu.createShaderModule({ label: kernel.name, code: kernel.code });
    this.#modules.set(kernel.code, module);
    return module;
  }
}

/** GPUShaderStage.COMPUTE: Node has no such global. */
const COMPUTE_STAGE = 4;

/** Bindings of a launch in order: inputs are read, outputs read and written, the uniforms come last. */
export function accessOf(launch: Launch): readonly Access[] {
  return [...launch.bindings.map((binding): Access => ('output' in binding ? 'write' : 'read')), 'uniform'];
}

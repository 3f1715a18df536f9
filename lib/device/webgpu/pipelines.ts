import { DeviceError } from '../../errors.js';
import type { Kernel, Launch } from '../../graph/launch.js';
import { attributesText } from '../../graph/operation.js';

/** What a binding gives a kernel. */
export type Access = 'read' | 'write' | 'uniform';

/** Is told how many kernels are ready, of how many that were asked for so far. */
export type CompileProgress = (ready: number, asked: number) => void;

/**
 * Compute pipelines by source text, entry point, constants and layout. A pipeline is compiled once for a device,
 * asynchronously; plans share them.
 */
export class Pipelines {
  readonly #gpu: GPUDevice;
  /** By source text. */
  readonly #compiled = new Map<string, CompiledModule>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #onCompile: CompileProgress;
  /** Pipelines that were asked for so far, and those of them that are there. */
  #asked = 0;
  #ready = 0;

  constructor(gpu: GPUDevice, onCompile: CompileProgress = () => undefined) {
    this.#gpu = gpu;
    this.#onCompile = onCompile;
  }

  /** The pipeline of a launch with these bindings. */
  get(
    { kernel, constants = {} }: Pick<Launch, 'kernel' | 'constants'>,
    access: readonly BindingAccess[],
  ): Promise<GPUComputePipeline> {
    const { module, pipelines } = this.#compile(kernel);
    const key = [keyOf(access), kernel.entryPoint, attributesText(constants)].join('\n');
    const known = pipelines.get(key);
    if (known) return known;
    this.#asked++;
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
      })
      .finally(() => {
        this.#onCompile(++this.#ready, this.#asked);
      });
    pipelines.set(key, pipeline);
    pipeline.catch(() => pipelines.delete(key));
    return pipeline;
  }

  layout(access: readonly BindingAccess[]): GPUBindGroupLayout {
    const key = keyOf(access);
    const layout =
      this.#layouts.get(key) ??
      this.#gpu.createBindGroupLayout({
        label: key,
        entries: access.map(({ at, access: kind }) => ({
          binding: at,
          visibility: COMPUTE_STAGE,
          buffer: { type: kind === 'uniform' ? 'uniform' : kind === 'write' ? 'storage' : 'read-only-storage' },
        })),
      });
    this.#layouts.set(key, layout);
    return layout;
  }

  #compile({ code, name }: Kernel): CompiledModule {
    const known = this.#compiled.get(code);
    if (known) return known;
    // What does not compile is told by the pipelines that are made of it, and by nobody else.
    this.#gpu.pushErrorScope('validation');
    const compiled: CompiledModule = {
      module: this.#gpu.createShaderModule({ label: name, code }),
      pipelines: new Map(),
    };
    void this.#gpu.popErrorScope().catch(() => undefined);
    this.#compiled.set(code, compiled);
    return compiled;
  }
}

/** A source text as a module, and its pipelines by entry point, constants and layout. */
interface CompiledModule {
  readonly module: GPUShaderModule;
  readonly pipelines: Map<string, Promise<GPUComputePipeline>>;
}

/** GPUShaderStage.COMPUTE: Node has no such global. */
const COMPUTE_STAGE = 4;

/** One binding of a launch: its number in WGSL, and what it gives the kernel. */
export interface BindingAccess {
  readonly at: number;
  readonly access: Access;
}

function keyOf(access: readonly BindingAccess[]): string {
  return access.map(({ at, access: kind }) => `${at}:${kind}`).join();
}

import { DeviceError, DeviceLostError, DeviceMemoryError } from '../../errors.js';
import {
  GPU_FAMILIES,
  type GpuFamily,
  type KernelTarget,
  type Launch,
  type SubgroupMatrices,
  wordsOf,
} from '../../graph/launch.js';
import type { TensorSpec } from '../../graph/operation.js';
import type { FusionTarget } from '../../fusion/stage.js';
import type { Program, Step } from '../../graph/program.js';
import { formatShape } from '../../shape.js';
import type { Device, DeviceArray, DeviceInfo, DeviceMemory, Executable, PreparedProgram } from '../device.js';
import { placedBytes, sharedSlotBytes, slotSpec } from '../places.js';
import { checkRoom } from '../room.js';
import { type Lease, SharedBuffers } from '../shared-buffers.js';
import { bufferBytes, STORAGE_USAGE, WebGpuArray } from './array.js';
import { Buffers } from './buffers.js';
import { argumentBytes, compileWork, scratchBytes, WebGpuExecutable, worksOf } from './executable.js';
import type { WebGpuHost } from './host.js';
import type { Work } from './work.js';
import { type CompileProgress, Pipelines } from './pipelines.js';
import { Joiner } from './joining/joiner.js';
import type { Tuner } from './tuning/tuner.js';

/** How a WebGPU device is made. */
export interface WebGpuDeviceOptions {
  readonly host?: WebGpuHost | undefined;
  /** How many bytes its buffers may take. WebGPU does not tell how much memory there is. Default: no limit. */
  readonly memoryLimit?: number | undefined;
  /** Is told of each kernel that was compiled. */
  readonly onCompile?: CompileProgress | undefined;
  /** What its adapter's matrix units multiply; default: there are none, or they are not to be used. */
  readonly subgroupMatrices?: SubgroupMatrices | undefined;
}

/** Dispatches every operation's kernels on a WebGPU device. */
export class WebGpuDevice implements Device {
  readonly info: DeviceInfo;
  readonly fusion: FusionTarget;
  readonly gpu: GPUDevice;
  readonly pipelines: Pipelines;
  readonly buffers: Buffers;
  readonly joiner: Joiner;
  /** What kernels are chosen for. */
  readonly target: KernelTarget;
  readonly #shared = new SharedBuffers<WebGpuArray>((spec) => this.allocate(spec));
  readonly #host: WebGpuHost;
  readonly #memoryLimit: number;
  #tuner: Tuner | undefined;
  #lost: DeviceLostError | undefined;
  #disposed = false;
  /** What the GPU refused while nobody waited for it: whoever asks next is told. */
  #refusal: DeviceError | undefined;
  #isAttempting = false;
  /** Rejects each promise that is being waited for. */
  readonly #waiting = new Set<(error: DeviceError) => void>();

  constructor(
    gpu: GPUDevice,
    info: DeviceInfo,
    { host = {}, memoryLimit = Infinity, onCompile, subgroupMatrices }: WebGpuDeviceOptions = {},
  ) {
    this.gpu = gpu;
    this.info = info;
    this.#host = host;
    this.#memoryLimit = memoryLimit;
    this.buffers = new Buffers(gpu);
    this.pipelines = new Pipelines(gpu, onCompile);
    this.joiner = new Joiner(gpu.limits);
    this.fusion = { kernels: 'wgsl', maxStorageBuffers: gpu.limits.maxStorageBuffersPerShaderStage };
    this.target = {
      family: familyOf(gpu),
      isSoftware: info.software,
      features: gpu.features,
      limits: gpu.limits,
      ...subgroupSizeOf(gpu),
      ...(subgroupMatrices && { subgroupMatrices }),
    };
    void gpu.lost.then(({ reason, message }) => {
      this.#lost = new DeviceLostError(
        this.#disposed
          ? 'the WebGPU device was used after dispose()'
          : `the WebGPU device was lost (${reason}): ${message}`,
      );
      this.#rejectWaiting(this.#lost);
    });
    gpu.addEventListener('uncapturederror', (event) => {
      event.preventDefault(); // it is told here
      this.#refuse(new DeviceError(`the GPU refused a command: ${event.error.message}`));
    });
  }

  get isLost(): boolean {
    return this.#disposed || this.#lost !== undefined;
  }

  get memory(): DeviceMemory {
    return { used: this.buffers.used, limit: this.#memoryLimit };
  }

  elementsOf(spec: TensorSpec): number {
    return Math.max(1, wordsOf(spec));
  }

  bytesOf(spec: TensorSpec): number {
    return bufferBytes(spec);
  }

  missingBytes(shared: readonly (readonly number[])[]): number {
    return this.#shared.missing(shared);
  }

  allocate(spec: TensorSpec): WebGpuArray {
    this.checkAlive();
    this.checkBuffer(spec);
    const size = bufferBytes(spec);
    const label = formatShape(spec.shape);
    checkRoom(this, size, `a tensor ${label}`);
    const buffer = this.#attempt(() => this.buffers.create({ label, size, usage: STORAGE_USAGE }));
    return new WebGpuArray(this, spec, buffer);
  }

  prepare(program: Program): PreparedProgram {
    this.checkAlive();
    const { variables, inputs, constants, slots } = program;
    for (const { operation, inputs: from, outputs: to } of program.steps) {
      for (const placed of [...from, ...to]) this.checkBinding(operation.name, placed);
    }
    for (const spec of [...variables, ...inputs, ...constants, ...slots.map(slotSpec)]) this.checkBuffer(spec);
    const works = worksOf(this, program);
    const sharedBy = (chosen: readonly Work[]): number[] => {
      const scratch = scratchBytes(chosen);
      return [...sharedSlotBytes(this, program), ...(scratch > 0 ? [scratch] : [])];
    };
    return {
      memory: {
        ...placedBytes(this, program),
        scratch: scratchBytes(works),
        arguments: argumentBytes(this, works),
      },
      shared: sharedBy(works),
      load: async (variablesOf) => {
        await this.#tuner?.prepare(program.steps);
        const chosen = this.#tuner ? worksOf(this, program) : works;
        const lease = this.#shared.lease(sharedBy(chosen));
        try {
          return await this.#load(program, variablesOf, chosen, lease);
        } catch (error) {
          lease.release();
          throw error;
        }
      },
    };
  }

  /** Builds everything a replay needs under error scopes, so that what is wrong shows here and not at some replay. */
  async #load(
    program: Program,
    variables: () => readonly DeviceArray[],
    works: readonly Work[],
    lease: Lease<WebGpuArray>,
  ): Promise<Executable> {
    const compiled = await this.untilLost(compileWork(this, works));
    this.gpu.pushErrorScope('validation');
    this.gpu.pushErrorScope('out-of-memory');
    const building = tryBuild(() => WebGpuExecutable.build(this, program, variables(), compiled, lease));
    const popped = [this.gpu.popErrorScope(), this.gpu.popErrorScope()];
    const [outOfMemory, invalid] = await this.untilLost(Promise.all(popped));
    if ('error' in building) throw building.error;
    const names = [...new Set(program.steps.map(({ operation }) => operation.name))].join(', ');
    if (outOfMemory ?? invalid) building.executable.dispose();
    if (outOfMemory) throw new DeviceMemoryError(`out of GPU memory for a plan of ${names}: ${outOfMemory.message}`);
    if (invalid) throw new DeviceError(`the GPU refused a plan of ${names}: ${invalid.message}`);
    return building.executable;
  }

  /** The launches of a step: the fastest where tuning is enabled, else those of the operation's choice. */
  launchesOf(step: Step): readonly Launch[] {
    return this.#tuner?.launchesOf(step) ?? step.operation.kernel(step, this.target);
  }

  /** From now on programs are tuned when they are loaded. What tunes is loaded now: most pages never need it. */
  async enableTuning(): Promise<Tuner> {
    const { deviceTuner } = await import('./tuning/device-tuner.js');
    return (this.#tuner ??= deviceTuner(this, this.#host.tuningStore));
  }

  async finished(): Promise<void> {
    this.checkAlive();
    await this.untilLost(this.gpu.queue.onSubmittedWorkDone());
  }

  dispose(): void {
    this.#disposed = true;
    this.gpu.destroy();
  }

  /** Settles as `work` does, or rejects as soon as the device is lost or the GPU refuses something. */
  untilLost<T>(work: Promise<T>): Promise<T> {
    const settled = new Promise<T>((resolve, reject) => {
      this.#waiting.add(reject);
      work.finally(() => this.#waiting.delete(reject)).then(resolve, reject);
    });
    this.#host.restUntil?.(settled);
    return settled;
  }

  /** Queues commands. Throws DeviceError where the GPU refuses them at once, as it does in Node. */
  submit(commands: GPUCommandBuffer): void {
    this.#attempt(() => {
      this.gpu.queue.submit([commands]);
    });
  }

  /** Throws where the device is lost or disposed of, and once where the GPU refused something that nobody waited for. */
  checkAlive(): void {
    if (this.#lost) throw this.#lost;
    if (this.#disposed) throw new DeviceLostError('the WebGPU device was used after dispose()');
    const refusal = this.#refusal;
    this.#refusal = undefined;
    if (refusal) throw refusal;
  }

  /** Makes a call of WebGPU, and throws where it is refused before it returns. */
  #attempt<T>(call: () => T): T {
    this.#isAttempting = true;
    const result = call();
    this.#isAttempting = false;
    this.checkAlive();
    return result;
  }

  #refuse(refusal: DeviceError): void {
    if (this.#isAttempting || this.#waiting.size === 0) this.#refusal = refusal;
    this.#rejectWaiting(refusal);
  }

  #rejectWaiting(error: DeviceError): void {
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  own(array: DeviceArray): WebGpuArray {
    if (array instanceof WebGpuArray && array.device === this) return array;
    throw new DeviceError('an array of another device was given to this WebGPU device');
  }

  /** A tensor that one buffer cannot hold is refused with the limit's name. */
  checkBuffer(spec: TensorSpec): void {
    const { maxBufferSize } = this.gpu.limits;
    const size = bufferBytes(spec);
    if (size > maxBufferSize) {
      throw new DeviceMemoryError(
        `a tensor ${formatShape(spec.shape)} needs a buffer of ${size} bytes; this device's maxBufferSize is ${maxBufferSize}`,
      );
    }
  }

  /** A tensor that one binding cannot cover is refused with the limit's name. */
  checkBinding(operation: string, spec: TensorSpec): void {
    const { maxStorageBufferBindingSize } = this.gpu.limits;
    const size = bufferBytes(spec);
    if (size > maxStorageBufferBindingSize) {
      throw new DeviceMemoryError(
        `${operation}: a tensor ${formatShape(spec.shape)} takes ${size} bytes; this device's ` +
          `maxStorageBufferBindingSize is ${maxStorageBufferBindingSize}`,
      );
    }
  }
}

/** Where all subgroups are of one size; some browsers do not say. */
function subgroupSizeOf(gpu: GPUDevice): Pick<KernelTarget, 'subgroupSize'> {
  if (!gpu.features.has('subgroups') || !('adapterInfo' in gpu)) return {};
  const { subgroupMinSize, subgroupMaxSize } = gpu.adapterInfo;
  return subgroupMinSize === subgroupMaxSize ? { subgroupSize: subgroupMinSize } : {};
}

/** Who made the GPU; some browsers do not say. */
function familyOf(gpu: GPUDevice): GpuFamily {
  const vendor = 'adapterInfo' in gpu ? gpu.adapterInfo.vendor : '';
  return GPU_FAMILIES.find((family) => family === vendor) ?? 'unknown';
}

/** The outcome of building, so that error scopes are popped whatever it is. */
function tryBuild(build: () => WebGpuExecutable): { executable: WebGpuExecutable } | { error: unknown } {
  try {
    return { executable: build() };
  } catch (error) {
    return { error };
  }
}

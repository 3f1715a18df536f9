import type { FusionTarget } from '../fusion/stage.js';
import type { Program } from '../graph/program.js';
import type { NumericArray, TensorSpec } from '../graph/operation.js';
import type { OptionRule } from '../options.js';
import type { TuningReport } from './tuning-report.js';

/** @internal The rule of options that are a {@link Device}. */
export const deviceRule: OptionRule = {
  expected: 'a device, as `await openDevice()` gives it',
  accepts: (value) => typeof value === 'object' && value !== null && 'info' in value && 'finished' in value,
};

/** What was opened, and why it and not another. */
export interface DeviceInfo {
  /** `cpu` or `webgpu`. */
  readonly kind: 'cpu' | 'webgpu';
  /** Name for people: adapter and driver, or the CPU path. */
  readonly description: string;
  /** Threads that compute: those of the CPU device; null where the hardware or the driver decides. */
  readonly threads: number | null;
  /** A WebGPU adapter that runs on the CPU (SwiftShader, lavapipe). False for the CPU device itself. */
  readonly software: boolean;
  /** Why this device was chosen. */
  readonly reason: string;
}

/** A buffer on a device, owned by whoever allocated it. */
export interface DeviceArray extends TensorSpec {
  readonly device: Device;
  /** Queues the values for upload; they may be changed afterwards. */
  write(values: NumericArray): void;
  /** A copy of the values, once everything queued before has run. */
  read(): Promise<NumericArray>;
  /** `read()` that leaves zeros behind, in one go: nothing comes between. */
  take(): Promise<NumericArray>;
  /** A new array with the values that are here once everything queued before has run. */
  clone(): DeviceArray;
  dispose(): void;
}

/** Bytes of the buffers that a program makes on its device, beside those of its variables. */
export interface ProgramMemory {
  /** For what is computed in between, such as activations and gradients: what does not live at the same time shares them. */
  readonly slots: number;
  /** What each replay is given. */
  readonly inputs: number;
  /** Values that are the same in every replay. */
  readonly constants: number;
  /** What one kernel of an operation leaves for the next; on the CPU, the threads' own working memory. */
  readonly scratch: number;
  /** What kernels are told: uniforms, on the CPU the lists of calls for other threads. */
  readonly arguments: number;
}

/** A program whose kernels are chosen; nothing has been allocated for it. */
export interface PreparedProgram {
  readonly memory: ProgramMemory;
  /** Bytes of the buffers, among those of slots and scratch, in which it takes turns with other programs of the device. */
  readonly shared: readonly number[];
  /**
   * Makes it ready for replay over its variables' buffers, which are asked for where a refusal of theirs is noticed.
   * Rejects with DeviceError naming the operation.
   */
  load(variables: () => readonly DeviceArray[]): Promise<Executable>;
}

/** A program that was loaded on a device: every buffer, bind group and pipeline that its replay needs exists. */
export interface Executable {
  /** Results, overwritten by each run. */
  readonly outputs: readonly DeviceArray[];
  /** Kernels that one replay launches; on the CPU the calls: phases of SIMD kernels, and references. */
  readonly dispatches: number;
  /** Queues replays, all with these inputs: values of the host, or arrays of the same device. */
  run(inputs: readonly (NumericArray | DeviceArray)[], replays: number): void;
  dispose(): void;
}

/** Memory of a device, in bytes. */
export interface DeviceMemory {
  /** In buffers: of variables, and of plans that have not been disposed of. */
  readonly used: number;
  /** How much there may be: `memoryLimit` of {@link openDevice}, on the CPU 4 GiB at most; else Infinity. */
  readonly limit: number;
}

/**
 * Something that runs programs. A device knows no operation by name: the CPU device calls an operation's reference,
 * the WebGPU device dispatches its kernels.
 */
export interface Device {
  /** What was opened, and why. */
  readonly info: DeviceInfo;
  /** @internal Whether it was lost or disposed of, and with it all that was on it. */
  readonly isLost: boolean;
  /** @internal What operations are joined for, where a kernel costs more to launch than a call; else undefined. */
  readonly fusion: FusionTarget | undefined;
  /** Memory of its buffers. Not counted are copies of results on their way to the host, kernels, and what the driver takes. */
  readonly memory: DeviceMemory;
  /** @internal Bytes of the buffer that a tensor has on this device. */
  bytesOf(spec: TensorSpec): number;
  /** @internal How many elements of f32 have room where a tensor is stored. */
  elementsOf(spec: TensorSpec): number;
  /** @internal Bytes of the buffers that are not there yet where programs that share these ({@link PreparedProgram.shared}) come, in this order. */
  missingBytes(shared: readonly (readonly number[])[]): number;
  /** @internal A buffer that lives until it is disposed of. Throws DeviceMemoryError naming the limit where it is too large. */
  allocate(spec: TensorSpec): DeviceArray;
  /** @internal Chooses the kernels of a program. Throws DeviceMemoryError, naming the operation, for a tensor over a limit. */
  prepare(program: Program): PreparedProgram;
  /**
   * @internal From now on kernels are chosen by measuring; the report grows as programs are loaded. Undefined where there
   * is nothing to choose.
   */
  enableTuning(): Promise<{ readonly report: TuningReport } | undefined>;
  /** Waits until everything queued has run. */
  finished(): Promise<void>;
  /** Frees the device; everything on it is gone. */
  dispose(): void;
}

import type { DeviceInfo } from '../lib/device/device.js';
import type { NumericArray } from '../lib/graph/operation.js';
import type { Entry } from './entry.js';
import type { Timed } from './measure.js';

/** Devices by the names that they have on the command line and in results. */
export type DeviceName = 'cpu' | 'reference' | 'webgpu';

/** A benchmark that stands ready on a device. */
export interface Job {
  /** What computes it: names of the kernels, `simd`, or `reference`. */
  readonly kernel: string;
  /** Executes it again and again; what it writes in place goes on from where it was. */
  readonly run: Timed;
  /** What it has computed, all outputs. */
  outputs(): Promise<readonly NumericArray[]>;
  dispose(): void;
}

/** The peaks are the fastest of so many runs: what else the machine does may lower, but not raise them. */
export const PEAK_RUNS = 25;

/** The two roofs of a device, and its floor. */
export interface Peaks {
  /** Multiply-adds from registers. */
  readonly gflops: number;
  /** Copying an array that fits into no cache, what is read and what is written both counted. */
  readonly gigabytesPerSecond: number;
  /** An empty dispatch, or an empty call: nothing can take less. */
  readonly floorMilliseconds: number;
}

/** A device that benchmarks are run on. */
export interface Runner {
  readonly name: DeviceName;
  readonly info: DeviceInfo;
  /** Threads that compute; null where the hardware decides. */
  readonly threads: number | null;
  /** Whether programs for the device are fused. */
  readonly fuses: boolean;
  /** It takes too long for large shapes. */
  readonly isSlow: boolean;
  /** Whether there is such a kernel for it. */
  offers(entry: Entry, variant: string): boolean;
  /** @param values what the inputs hold. @param variant left out, the device's own choice */
  prepare(entry: Entry, values: readonly NumericArray[], variant?: string): Promise<Job>;
  peaks(): Promise<Peaks>;
  dispose(): void;
}

/** Billions of `amount` a second. */
export function perSecond(amount: number, milliseconds: number): number {
  return amount / milliseconds / 1e6;
}

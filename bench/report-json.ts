import type { DeviceName, Peaks, Runner } from './runner.js';
import { type Machine, thisMachine, versionsOf } from './step/report.js';

/** One measurement, as it is printed and stored. */
export interface BenchResult {
  readonly library: 'kernelwright';
  readonly device: DeviceName;
  /** Threads that computed; null on a hardware GPU. */
  readonly threads: number | null;
  readonly operation: string;
  /** Name of the shape. */
  readonly shape: string;
  /** Shapes of the inputs. */
  readonly inputs: readonly (readonly number[])[];
  /** What was asked for: a variant of the operation's kernel, or `default`, the device's own choice. */
  readonly variant: string;
  /** What computed it. */
  readonly kernel: string;
  /** Median of the runs, of one execution. */
  readonly medianMilliseconds: number;
  readonly fastestMilliseconds: number;
  /** Interquartile range of the runs, in milliseconds. */
  readonly spread: number;
  readonly runs: number;
  readonly repeats: number;
  readonly flop: number;
  readonly bytes: number;
  readonly gflops: number;
  readonly gigabytesPerSecond: number;
  /** Of the lower roof at this intensity: 1 is as fast as the device was measured to be. */
  readonly shareOfPeak: number;
  /** Which of the two roofs is the lower one. */
  readonly boundBy: 'arithmetic' | 'memory';
}

/** A device in a report. */
export interface DeviceReport extends Peaks {
  readonly description: string;
  readonly software: boolean;
}

/** What `--json` writes. */
export interface Report {
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly device: Readonly<Partial<Record<DeviceName, DeviceReport>>>;
  readonly results: readonly BenchResult[];
}

/** A device with its measured peaks, for the report. */
export function deviceReport({ info }: Runner, peaks: Peaks): DeviceReport {
  return { description: info.description, software: info.software, ...peaks };
}

/** The report of a run. */
export function reportOf(device: Report['device'], results: readonly BenchResult[]): Report {
  return { date: new Date().toISOString(), machine: thisMachine(), versions: versionsOf(['webgpu']), device, results };
}

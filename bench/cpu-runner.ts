import { CpuDevice } from '../lib/device/cpu/device.js';
import type { DeviceInfo } from '../lib/device/device.js';
import type { NumericArray, TensorSpec } from '../lib/graph/operation.js';
import type { Placed, Program } from '../lib/graph/program.js';
import { cpuPeaks } from './cpu-peaks.js';
import { type Entry, specsOf } from './entry.js';
import { measure, type Timed } from './measure.js';
import { type Job, PEAK_RUNS, type Peaks, type Runner } from './runner.js';

/** Runs programs of one step on the CPU device, whose tensors are all variables: nothing is uploaded in between. */
export class CpuRunner implements Runner {
  readonly name: 'cpu' | 'reference';
  readonly #device: CpuDevice;

  constructor(name: 'cpu' | 'reference', threads: number) {
    this.name = name;
    this.#device = new CpuDevice({ path: name === 'cpu' ? 'simd' : 'reference', threads, reason: 'bench' });
  }

  get threads(): number {
    return this.#device.pool.threads;
  }

  get info(): DeviceInfo {
    return this.#device.info;
  }

  get fuses(): boolean {
    return this.#device.fusion !== undefined;
  }

  get isSlow(): boolean {
    return !this.#device.usesSimd;
  }

  offers(): boolean {
    return false; // variants are those of the WGSL kernels
  }

  async prepare(entry: Entry, values: readonly NumericArray[]): Promise<Job> {
    const device = this.#device;
    const { operation, attributes } = entry;
    const specs = specsOf(entry);
    const results = operation.infer(specs, attributes);
    const places = results.map((_, i) => operation.writes?.[i] ?? specs.length + i);
    const arrays = [...specs, ...results].map((spec) => device.allocate(spec));
    const place = (spec: TensorSpec, index: number): Placed => ({ ...spec, place: { kind: 'variable', index } });
    const inputs = specs.map(place);
    const outputs = results.map((spec, i) => place(spec, places[i] ?? 0));
    const program: Program = {
      steps: [{ operation, attributes, inputs, outputs }],
      inputs: [],
      constants: [],
      variables: [],
      outputs,
      slots: [],
      isRepeated: true,
    };
    const executable = await device.prepare(program).load(() => arrays);
    // Last of all: the heap may have grown, which ends the views that came before.
    values.forEach((data, i) => arrays[i]?.write(data));
    const usesSimd = device.usesSimd && operation.simd?.({ inputs, outputs, attributes }) !== undefined;
    return {
      kernel: usesSimd ? 'simd' : 'reference',
      run: timedCalls(device, () => {
        executable.run([], 1);
      }),
      outputs: () => Promise.all(executable.outputs.map((output) => output.read())),
      dispose() {
        executable.dispose();
        for (const array of arrays) array.dispose();
      },
    };
  }

  async peaks(): Promise<Peaks> {
    const empty: Program = {
      steps: [],
      inputs: [],
      constants: [],
      variables: [],
      outputs: [],
      slots: [],
      isRepeated: true,
    };
    const executable = await this.#device.prepare(empty).load(() => []);
    const emptyCall = timedCalls(this.#device, () => {
      executable.run([], 1);
    });
    const { fastestMilliseconds } = await measure(emptyCall, PEAK_RUNS);
    const simd = new CpuRunner('cpu', this.threads);
    const roofs = await cpuPeaks(this.threads, async (entry) => {
      const job = await simd.prepare(entry, []);
      const timing = await measure(job.run, PEAK_RUNS);
      job.dispose();
      return timing.fastestMilliseconds;
    });
    simd.dispose();
    return { ...roofs, floorMilliseconds: fastestMilliseconds };
  }

  dispose(): void {
    this.#device.dispose();
  }
}

function timedCalls(device: CpuDevice, call: () => void): Timed {
  return async (repeats) => {
    const start = performance.now();
    for (let repeat = 0; repeat < repeats; repeat++) call();
    await device.finished();
    return performance.now() - start;
  };
}

import { availableParallelism } from 'node:os';
import { WebGpuDevice } from '../lib/device/webgpu/device.js';
import { DeviceError } from '../lib/errors.js';
import type { NumericArray } from '../lib/graph/operation.js';
import { openDevice } from '../lib/node/open-device.js';
import { type Entry, specsOf, variantsOf } from './entry.js';
import type { Job, Peaks, Runner } from './runner.js';
import { jobOf } from './webgpu-job.js';
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

  readonly fuses = true;

  get isSlow(): boolean {
    return this.info.software;
  }

  offers(entry: Entry, variant: string): boolean {
    return variantsOf(entry, this.#device.target).some(({ name }) => name === variant);
  }

  prepare(entry: Entry, values: readonly NumericArray[], variant?: string): Promise<Job> {
    const { operation, attributes } = entry;
    const inputs = specsOf(entry).map((spec, i) => {
      const array = this.#device.allocate(spec);
      const data = values[i];
      if (data) array.write(data);
      return array;
    });
    const specs = operation.infer(inputs, attributes);
    const outputs = specs.map((spec, i) => inputs[operation.writes?.[i] ?? -1] ?? this.#device.allocate(spec));
    const { target } = this.#device;
    const launches =
      variantsOf(entry, target).find(({ name }) => name === variant)?.launches ??
      operation.kernel({ inputs, outputs: specs, attributes }, target);
    return jobOf(this.#device, launches, inputs, outputs);
  }

  peaks(): Promise<Peaks> {
    return webGpuPeaks(this.#device);
  }

  dispose(): void {
    this.#device.dispose();
  }
}

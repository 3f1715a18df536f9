import type { KernelVariant } from '../../../graph/launch.js';
import type { DType, NumericArray } from '../../../graph/operation.js';
import { type Step, storedElements } from '../../../graph/program.js';
import { RandomStream } from '../../../random.js';
import { sizeOf } from '../../../shape.js';
import { arrayOf } from '../../../tensor.js';
import type { WebGpuDevice } from '../device.js';
import { launchJob, type LaunchJob } from '../launch-job.js';

/** What is tried for one step: its variants on the same data of its own, never on buffers of a plan. */
export interface Trials {
  /** What the reference computes of the data. */
  expected(): readonly NumericArray[];
  /** Writes the data anew and prepares a variant. Rejects where the GPU refuses it. */
  open(variant: KernelVariant): Promise<LaunchJob>;
  dispose(): void;
}

/** Allocates the tensors of a step and fills the inputs with random numbers. */
export function trialsOf(device: WebGpuDevice, { operation, attributes, inputs, outputs }: Step): Trials {
  const values = inputs.map((input, i) => randomValues(input.dtype, sizeOf(input.shape), i));
  const sources = inputs.map((spec) => device.allocate(spec));
  const written = operation.writes ?? [];
  const targets = outputs.map((spec, i) => sources[written[i] ?? -1] ?? device.allocate(spec));
  return {
    expected() {
      const views = inputs.map(({ shape }, i) => ({ shape, data: (values[i] ?? new Float32Array(0)).slice() }));
      const results = outputs.map(({ shape, dtype }, i) => ({
        shape,
        data: views[written[i] ?? -1]?.data ?? arrayOf(dtype, new Float32Array(sizeOf(shape))),
      }));
      operation.reference({ inputs: views, outputs: results, attributes });
      return results.map(({ data }) => data);
    },
    open({ launches }) {
      sources.forEach((source, i) => source.write(values[i] ?? new Float32Array(0)));
      for (const target of targets) {
        if (!sources.includes(target))
          target.write(arrayOf(target.dtype, new Float32Array(storedElements(target)).fill(NaN)));
      }
      return launchJob(device, launches, sources, targets);
    },
    dispose() {
      for (const array of new Set([...sources, ...targets])) array.dispose();
    },
  };
}

/** The bits of 1/16 in float32. */
const SIXTEENTH = 0x3d800000;

/**
 * Normal numbers; zeros for i32, which are valid indices; for u32, which are counters and states of generators and
 * optimizers, words that are learning rates, too.
 */
function randomValues(dtype: DType, count: number, input: number): NumericArray {
  if (dtype === 'i32') return new Int32Array(count);
  if (dtype === 'u32') return new Uint32Array(count).fill(SIXTEENTH);
  if (dtype === 'u8') return new Uint8Array(count).map((_, i) => i);
  const values = new RandomStream(0, `tuning ${input}`).normal(count);
  return dtype === 'f16' ? arrayOf(dtype, values) : values;
}

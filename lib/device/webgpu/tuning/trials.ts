import type { KernelVariant } from '../../../graph/launch.js';
import type { ArrayView, DType, NumericArray, SampledElements, TensorSpec } from '../../../graph/operation.js';
import { type Step, storedElements } from '../../../graph/program.js';
import { sampledReference } from '../../../graph/sampled-reference.js';
import { RandomStream } from '../../../random.js';
import { sizeOf } from '../../../shape.js';
import { arrayOf } from '../../../tensor.js';
import type { WebGpuDevice } from '../device.js';
import { launchJob, type LaunchJob } from '../launch-job.js';

/** What a step computes of the data that it is tried on. */
export interface Expected {
  /** By the reference. */
  readonly outputs: readonly NumericArray[];
  /** The elements that it has computed; left out: all. */
  readonly sample?: SampledElements | undefined;
  /** What is in the outputs before anything has run; {@link UNWRITTEN} throughout where it is left out. */
  readonly before: readonly (NumericArray | undefined)[];
}

/** What no operation computes of the data. */
export const UNWRITTEN = -(2 ** 100);

/** What is tried for one step: its variants on the same data of its own, never on buffers of a plan. */
export interface Trials {
  /** What the reference computes of the data; of large operations, some of it. */
  expected(): Expected;
  /** Writes the data anew: what ran before may have changed it. */
  fill(): void;
  /** Prepares a variant. Rejects where the GPU refuses it. */
  open(variant: KernelVariant): Promise<LaunchJob>;
  dispose(): void;
}

/** Of operations of more flop than this the reference is asked for a sample: all of it would take a second and more. */
const WHOLE_FLOP = 2 ** 28;

/** Allocates the tensors of a step and fills the inputs with random numbers. */
export function trialsOf(device: WebGpuDevice, { operation, attributes, inputs, outputs }: Step): Trials {
  const values = inputs.map((input, i) => randomValues(input.dtype, sizeOf(input.shape), i));
  const sources = inputs.map((spec) => device.allocate(spec));
  const written = operation.writes ?? [];
  const targets = outputs.map((spec, i) => sources[written[i] ?? -1] ?? device.allocate(spec));
  return {
    expected() {
      const views = inputs.map(({ shape }, i): ArrayView => ({
        shape,
        data: values[i]?.slice() ?? new Float32Array(0),
      }));
      const results = outputs.map(({ shape, dtype }, i) => ({
        shape,
        data: views[written[i] ?? -1]?.data ?? arrayOf(dtype, new Float32Array(sizeOf(shape))),
      }));
      const call = { inputs: views, outputs: results, attributes };
      const { flop = 0 } = operation.cost?.({ inputs, attributes }) ?? {};
      const sample = flop > WHOLE_FLOP ? sampledReference(operation, call) : undefined;
      if (!sample) operation.reference(call);
      return {
        outputs: results.map(({ data }) => data),
        sample,
        before: outputs.map((_, i) => values[written[i] ?? -1]),
      };
    },
    fill() {
      sources.forEach((source, i) => source.write(values[i] ?? new Float32Array(0)));
      for (const target of targets) if (!sources.includes(target)) target.write(nothingIn(target));
    },
    open: ({ launches }) => launchJob(device, launches, sources, targets),
    dispose() {
      for (const array of new Set([...sources, ...targets])) array.dispose();
    },
  };
}

function nothingIn(spec: TensorSpec): NumericArray {
  return arrayOf(spec.dtype, new Float32Array(storedElements(spec)).fill(UNWRITTEN));
}

/** The bits of 1/16 in float32. */
const SIXTEENTH = 0x3d800000;

/** Different normal numbers; larger tensors repeat them, at a distance that no tile has. */
const DIFFERENT = 1_000_003;

/**
 * Normal numbers; zeros for i32, which are valid indices; for u32, which are counters and states of generators and
 * optimizers, words that are learning rates, too.
 */
function randomValues(dtype: DType, count: number, input: number): NumericArray {
  if (dtype === 'i32') return new Int32Array(count);
  if (dtype === 'u32') return new Uint32Array(count).fill(SIXTEENTH);
  if (dtype === 'u8') return new Uint8Array(count).map((_, i) => i);
  const values = new RandomStream(0, `tuning ${input}`).normal(Math.min(count, DIFFERENT));
  const repeated = new Float32Array(count);
  for (let start = 0; start < count; start += DIFFERENT) {
    repeated.set(values.subarray(0, Math.min(DIFFERENT, count - start)), start);
  }
  return dtype === 'f16' ? arrayOf(dtype, repeated) : repeated;
}

import { bufferBytes } from '../../lib/device/webgpu/array.js';
import type { WebGpuDevice } from '../../lib/device/webgpu/device.js';
import { accessOf } from '../../lib/device/webgpu/work.js';
import type { NumericArray, Operation, TensorSpec } from '../../lib/graph/operation.js';
import { packFloat16, unpackFloat16 } from '../../lib/float16.js';
import { sizeOf } from '../../lib/shape.js';
import { arrayOf } from '../../lib/tensor.js';
import { type Case, caseInputs } from './cases.js';
import { COPY_DST, COPY_SRC, MAP_READ, READ, STORAGE, UNIFORM } from './gpu-flags.js';

/** Words before and after each tensor. They are bound with it: what leaves a binding is clamped silently. */
const GUARD_WORDS = 64;
const GUARD = 0xdeadbeef;
/** A NaN behind every input: what reads it shows in the results. */
const POISON = 0x7fc00bad;

/** What a case left behind. */
export interface GuardedResult {
  readonly outputs: readonly NumericArray[];
  /** Outputs whose guard words were overwritten, in words. */
  readonly broken: readonly string[];
}

/**
 * Dispatches the kernels of cases by hand, without executable.ts, every output between guard words, every grid folded.
 * All cases go into one submit.
 */
export async function runGuarded(
  device: WebGpuDevice,
  operation: Operation,
  cases: readonly Case[],
): Promise<GuardedResult[]> {
  const { gpu } = device;
  const created: GPUBuffer[] = [];
  const bufferOf = (bytes: Uint8Array | Uint32Array<ArrayBuffer>, usage: number): GPUBuffer => {
    const buffer = gpu.createBuffer({ size: bytes.byteLength, usage, mappedAtCreation: true });
    new Uint8Array(buffer.getMappedRange()).set(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    buffer.unmap();
    created.push(buffer);
    return buffer;
  };
  /** [guard | tensor, filled up to whole vec4s | guard] */
  const guarded = (spec: TensorSpec, values: NumericArray | undefined, isInput: boolean): GPUBuffer => {
    const words = new Uint32Array(GUARD_WORDS * 2 + bufferBytes(spec) / 4).fill(isInput ? POISON : GUARD);
    if (values) words.set(wordsOf(spec, values), GUARD_WORDS);
    return bufferOf(words, STORAGE | COPY_SRC);
  };

  gpu.pushErrorScope('validation');
  const jobs = await Promise.all(
    cases.map(async (setting) => {
      const inputs = caseInputs(setting);
      const specs = operation.infer(inputs, setting.attributes);
      const values = await Promise.all(inputs.map((input) => input.data()));
      const inPlace = (i: number): boolean => operation.writes?.includes(i) ?? false;
      const sources = inputs.map((input, i) => guarded(input, values[i], !inPlace(i)));
      const targets = specs.map((spec, i) => sources[operation.writes?.[i] ?? -1] ?? guarded(spec, undefined, false));
      const isEmpty = specs.every(({ shape }) => sizeOf(shape) === 0);
      const call = { inputs, outputs: specs, attributes: setting.attributes };
      const launches = isEmpty ? [] : operation.kernel(call, device.target);
      const pipelines = await Promise.all(launches.map((launch) => device.pipelines.get(launch, accessOf(launch))));
      const scratchBytes = Math.max(16, ...launches.map(({ scratchBytes = 0 }) => scratchBytes));
      const scratch = bufferOf(new Uint32Array(Math.ceil(scratchBytes / 16) * 4).fill(POISON), STORAGE);
      return { specs, sources, targets, launches, pipelines, scratch };
    }),
  );

  const encoder = gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (const { sources, targets, launches, pipelines, scratch } of jobs) {
    launches.forEach((launch, l) => {
      const pipeline = pipelines[l];
      if (!pipeline) throw new Error('no pipeline');
      const buffers = launch.bindings.map((binding) => {
        if ('scratch' in binding) return { buffer: scratch };
        const buffer = 'output' in binding ? targets[binding.output] : sources[binding.input];
        if (!buffer) throw new Error(`${operation.name} binds a tensor that it does not have`);
        return { buffer, offset: GUARD_WORDS * 4 };
      });
      const resources: GPUBufferBinding[] = [...buffers, { buffer: bufferOf(launch.uniforms, UNIFORM) }];
      pass.setPipeline(pipeline);
      const access = accessOf(launch);
      const layout = device.pipelines.layout(access);
      const entries = resources.map((resource, i) => ({ binding: access[i]?.at ?? i, resource }));
      pass.setBindGroup(0, gpu.createBindGroup({ layout, entries }));
      pass.dispatchWorkgroups(...foldedSmall(launch.workgroups));
    });
  }
  pass.end();

  const regions = jobs.flatMap(({ targets }) => targets);
  const total = regions.reduce((bytes, { size }) => bytes + size, 0);
  const readback = gpu.createBuffer({ size: total, usage: COPY_DST | MAP_READ });
  created.push(readback);
  let offset = 0;
  for (const buffer of regions) {
    encoder.copyBufferToBuffer(buffer, 0, readback, offset, buffer.size);
    offset += buffer.size;
  }
  gpu.queue.submit([encoder.finish()]);
  const invalid = await gpu.popErrorScope();
  if (invalid) throw new Error(`${operation.name}: ${invalid.message}`);
  await readback.mapAsync(READ);
  const words = new Uint32Array(readback.getMappedRange().slice(0));
  for (const buffer of created) buffer.destroy();

  let start = 0;
  return jobs.map(({ specs }) => {
    const broken: string[] = [];
    const outputs = specs.map((spec, i) => {
      const inner = bufferBytes(spec) / 4;
      const region = words.subarray(start, start + GUARD_WORDS * 2 + inner);
      start += region.length;
      const guards = [...region.subarray(0, GUARD_WORDS), ...region.subarray(GUARD_WORDS + inner)];
      const lost = guards.findIndex((word) => word !== GUARD);
      if (lost >= 0)
        broken.push(`output ${i}: guard word ${lost < GUARD_WORDS ? lost - GUARD_WORDS : lost - GUARD_WORDS + inner}`);
      return valuesOf(spec, region.slice(GUARD_WORDS, GUARD_WORDS + inner));
    });
    return { outputs, broken };
  });
}

/** The elements of a tensor as its buffer holds them. */
function wordsOf({ dtype }: TensorSpec, values: NumericArray): Uint32Array {
  if (dtype === 'f16') return packFloat16(values);
  if (dtype === 'u8') return packBytes(values);
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** Four bytes in a word, the first one in its lowest eight bits. */
export function packBytes(values: ArrayLike<number>): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(values.length / 4));
  for (let i = 0; i < values.length; i++) words[i >> 2] = (words[i >> 2] ?? 0) | ((values[i] ?? 0) << (8 * (i % 4)));
  return words;
}

function valuesOf({ dtype, shape }: TensorSpec, words: Uint32Array<ArrayBuffer>): NumericArray {
  const count = sizeOf(shape);
  if (dtype === 'f16') return unpackFloat16(words, count);
  if (dtype === 'u8') return new Uint8Array(words.buffer, 0, count);
  return dtype === 'f32' ? new Float32Array(words.buffer, 0, count) : arrayOf(dtype, words.subarray(0, count));
}

/** The same workgroups in three rows, as more than 65,535 of them would be folded: surplus ones in the last row. */
function foldedSmall([x, y, z]: readonly [number, number, number]): [number, number, number] {
  const count = x * y * z;
  return count === 1 ? [1, 1, 1] : [Math.ceil(count / 3), 3, 1]; // one alone needs no guard against surplus ones
}

/** The reference's outputs of a case. */
export async function referenceOf(operation: Operation, setting: Case): Promise<NumericArray[]> {
  const inputs = caseInputs(setting);
  const values = await Promise.all(inputs.map(async (input) => (await input.data()).slice()));
  const outputs = operation.infer(inputs, setting.attributes).map((spec, i) => ({
    shape: spec.shape,
    data: values[operation.writes?.[i] ?? -1] ?? arrayOf(spec.dtype, new Float32Array(sizeOf(spec.shape))),
  }));
  const views = inputs.map(({ shape }, i) => ({ shape, data: values[i] ?? new Float32Array(0) }));
  operation.reference({ inputs: views, outputs, attributes: setting.attributes });
  return outputs.map(({ data }) => data);
}

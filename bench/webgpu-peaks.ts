import { readFile } from 'node:fs/promises';
import type { WebGpuDevice } from '../lib/device/webgpu/device.js';
import { type Launch, Uniforms } from '../lib/graph/launch.js';
import type { TensorSpec } from '../lib/graph/operation.js';
import { measure } from './measure.js';
import { PEAK_RUNS, type Peaks, perSecond } from './runner.js';
import { jobOf } from './webgpu-job.js';

/** Invocations in a workgroup of the kernels. */
const WORKGROUP = 64;
/** Each array of the copy: larger than caches are. */
const COPY_BYTES = 64 * 2 ** 20;
const STEPS = 1024;
/** Multiply-adds in a step of an invocation: 8 chains of vec4f. */
const MULTIPLY_ADDS = 8 * 4;

/** Measures a device's roofs and floor with the kernels of bench/kernels. */
export async function webGpuPeaks(device: WebGpuDevice): Promise<Peaks> {
  // A software adapter computes one workgroup a thread; a GPU wants thousands to fill it.
  const workgroups = device.info.software ? 64 : 8192;
  const invocations = workgroups * WORKGROUP;
  const multiplyAdd = await milliseconds(
    device,
    {
      kernel: await kernelOf('multiply_add', 'multiplyAdd'),
      bindings: [{ output: 0 }],
      uniforms: new Uniforms().f32(0.75, 0.5).bytes(),
      constants: { STEPS },
      workgroups: [workgroups, 1, 1],
    },
    [],
    [{ shape: [invocations, 4], dtype: 'f32' }],
  );

  const copied: TensorSpec = { shape: [COPY_BYTES / 4], dtype: 'f32' };
  const copy = await milliseconds(
    device,
    {
      kernel: await kernelOf('copy', 'copyVectors'),
      bindings: [{ input: 0 }, { output: 0 }],
      uniforms: new Uniforms().u32(COPY_BYTES / 16, invocations).bytes(),
      workgroups: [workgroups, 1, 1],
    },
    [copied],
    [copied],
  );

  const floorMilliseconds = await milliseconds(
    device,
    {
      kernel: await kernelOf('empty', 'empty'),
      bindings: [],
      uniforms: new Uniforms().u32(0).bytes(),
      workgroups: [1, 1, 1],
    },
    [],
    [],
  );

  return {
    gflops: perSecond(2 * MULTIPLY_ADDS * STEPS * invocations, multiplyAdd),
    gigabytesPerSecond: perSecond(2 * COPY_BYTES, copy),
    floorMilliseconds,
  };
}

async function kernelOf(file: string, entryPoint: string): Promise<Launch['kernel']> {
  const code = await readFile(new URL(`kernels/${file}.wgsl`, import.meta.url), 'utf8');
  return { name: file, code, entryPoint };
}

async function milliseconds(
  device: WebGpuDevice,
  launch: Launch,
  inputs: readonly TensorSpec[],
  outputs: readonly TensorSpec[],
): Promise<number> {
  const arraysOf = (specs: readonly TensorSpec[]) => specs.map((spec) => device.allocate(spec));
  const job = await jobOf(device, [launch], arraysOf(inputs), arraysOf(outputs));
  const { fastestMilliseconds } = await measure(job.run, PEAK_RUNS);
  job.dispose();
  return fastestMilliseconds;
}

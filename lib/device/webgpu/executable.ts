import { DeviceError } from '../../errors.js';
import { type Launch, scratchBytesOf } from '../../graph/launch.js';
import type { NumericArray } from '../../graph/operation.js';
import type { Placed, Program, Step } from '../../graph/program.js';
import { sizeOf } from '../../shape.js';
import type { DeviceArray, Executable } from '../device.js';
import { placeArrays } from '../places.js';
import { bufferBytes, STORAGE_USAGE, UNIFORM_USAGE, WebGpuArray } from './array.js';
import type { WebGpuDevice } from './device.js';
import { accessOf } from './pipelines.js';

interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}

/**
 * A program whose buffers, bind groups and pipelines all exist. A run encodes all dispatches of all its replays into one
 * compute pass and submits once; WebGPU itself orders dispatches that touch the same buffer.
 */
export class WebGpuExecutable implements Executable {
  readonly outputs: readonly WebGpuArray[];
  readonly #device: WebGpuDevice;
  readonly #inputs: readonly WebGpuArray[];
  readonly #dispatches: readonly Dispatch[];
  readonly #owned: readonly GPUBuffer[];

  private constructor(
    device: WebGpuDevice,
    inputs: readonly WebGpuArray[],
    outputs: readonly WebGpuArray[],
    dispatches: readonly Dispatch[],
    owned: readonly GPUBuffer[],
  ) {
    this.#device = device;
    this.#inputs = inputs;
    this.outputs = outputs;
    this.#dispatches = dispatches;
    this.#owned = owned;
  }

  /** Makes buffers and bind groups, all at once: nothing else comes between an error scope's push and pop. */
  static build(
    device: WebGpuDevice,
    program: Program,
    variables: readonly DeviceArray[],
    launches: readonly PreparedLaunch[],
  ): WebGpuExecutable {
    const { inputs, owned, at } = placeArrays<WebGpuArray>(device, program, variables);
    const uniforms = uniformBuffer(
      device,
      launches.map(({ launch }) => launch),
    );
    const scratch = scratchBuffer(
      device,
      launches.map(({ launch }) => launch),
    );
    const dispatches = launches.map(({ step, launch, pipeline }, i): Dispatch => {
      const buffers = launch.bindings.map((binding) => {
        if ('scratch' in binding) return scratchOf(launch, scratch);
        const placed = 'output' in binding ? step.outputs[binding.output] : step.inputs[binding.input];
        if (!placed) throw new Error(`${step.operation.name} binds a tensor that it does not have`);
        return { buffer: at(placed.place).buffer, size: bufferBytes(placed) };
      });
      const resources = [
        ...buffers,
        { buffer: uniforms.buffer, offset: uniforms.offsets[i] ?? 0, size: launch.uniforms.byteLength },
      ];
      const access = accessOf(launch);
      const bindGroup = device.gpu.createBindGroup({
        label: launch.kernel.name,
        layout: device.pipelines.layout(access),
        entries: resources.map((resource, i) => ({ binding: access[i]?.at ?? i, resource })),
      });
      return { pipeline, bindGroup, workgroups: launch.workgroups };
    });
    const outputs = program.outputs.map((output) => new WebGpuArray(device, output, at(output.place).buffer));
    const buffers = [...owned.map((array) => array.buffer), uniforms.buffer, ...(scratch ? [scratch] : [])];
    return new WebGpuExecutable(device, inputs, outputs, dispatches, buffers);
  }

  get dispatches(): number {
    return this.#dispatches.length;
  }

  run(values: readonly (NumericArray | DeviceArray)[], replays: number): void {
    this.#device.checkAlive();
    const encoder = this.#device.gpu.createCommandEncoder();
    values.forEach((value, i) => {
      const input = this.#inputs[i];
      if (!input) throw new Error(`the program has no input ${i}`);
      if (!('device' in value)) input.write(value);
      else if (input.bytes > 0)
        encoder.copyBufferToBuffer(this.#device.own(value).buffer, 0, input.buffer, 0, input.bytes);
    });
    const pass = encoder.beginComputePass();
    for (let replay = 0; replay < replays; replay++) {
      for (const { pipeline, bindGroup, workgroups } of this.#dispatches) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindGroup);
        pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
      }
    }
    pass.end();
    this.#device.submit(encoder.finish());
  }

  dispose(): void {
    for (const buffer of this.#owned) buffer.destroy();
    for (const output of this.outputs) output.dispose();
  }
}

/** A launch of a step, with its pipeline. */
export interface PreparedLaunch {
  readonly step: Step;
  readonly launch: Launch;
  readonly pipeline: GPUComputePipeline;
}

/**
 * The launches of a program with their pipelines, compiled where they are not there yet. Rejects with DeviceError
 * naming the operation whose kernel is refused, or whose tensor is too large to be bound.
 */
export function prepareLaunches(device: WebGpuDevice, program: Program): Promise<PreparedLaunch[]> {
  for (const { operation, inputs, outputs } of program.steps) {
    for (const placed of [...inputs, ...outputs]) device.checkBinding(operation.name, placed);
  }
  const launches = program.steps.flatMap((step) => launchesOf(device, step));
  return Promise.all(
    launches.map(async ({ step, launch }) => {
      const pipeline = await device.pipelines.get(launch).catch((error: unknown) => {
        throw new DeviceError(`${step.operation.name}: ${error instanceof Error ? error.message : String(error)}`);
      });
      return { step, launch, pipeline };
    }),
  );
}

/** The launches of a step; none where it would only write empty tensors. */
function launchesOf(device: WebGpuDevice, step: Step): { readonly step: Step; readonly launch: Launch }[] {
  if (step.outputs.every(isEmpty)) return [];
  return device.launchesOf(step).map((launch) => ({ step, launch }));
}

function isEmpty(placed: Placed): boolean {
  return sizeOf(placed.shape) === 0;
}

/** One buffer for the scratch of all launches: an operation's launches follow one another, so they can share it. */
function scratchBuffer(device: WebGpuDevice, launches: readonly Launch[]): GPUBuffer | undefined {
  const bytes = scratchBytesOf(launches);
  if (bytes === 0) return undefined;
  return device.gpu.createBuffer({ label: 'scratch', size: Math.ceil(bytes / 16) * 16, usage: STORAGE_USAGE });
}

function scratchOf({ kernel }: Launch, buffer: GPUBuffer | undefined): GPUBufferBinding {
  if (!buffer) throw new Error(`${kernel.name} binds scratch that no launch asks for`);
  return { buffer };
}

/** One buffer for the uniforms of all launches, each at an offset of its own: they never change. */
function uniformBuffer(device: WebGpuDevice, launches: readonly Launch[]) {
  const alignment = device.gpu.limits.minUniformBufferOffsetAlignment;
  const offsets: number[] = [];
  let size = 0;
  for (const { uniforms } of launches) {
    offsets.push(size);
    size = Math.ceil((size + uniforms.byteLength) / alignment) * alignment;
  }
  const bytes = new Uint8Array(Math.max(size, 16));
  launches.forEach(({ uniforms }, i) => bytes.set(uniforms, offsets[i]));
  const buffer = device.gpu.createBuffer({ label: 'uniforms', size: bytes.byteLength, usage: UNIFORM_USAGE });
  device.gpu.queue.writeBuffer(buffer, 0, bytes);
  return { buffer, offsets };
}

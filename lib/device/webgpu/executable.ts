import { elementAt } from '../../element-at.js';
import { DeviceError } from '../../errors.js';
import { scratchBytesOf } from '../../graph/launch.js';
import type { NumericArray } from '../../graph/operation.js';
import type { Placed, Program, Step } from '../../graph/program.js';
import { sizeOf } from '../../shape.js';
import type { DeviceArray, Executable } from '../device.js';
import { placeArrays } from '../places.js';
import type { Lease } from '../shared-buffers.js';
import { bufferBytes, UNIFORM_USAGE, WebGpuArray } from './array.js';
import type { WebGpuDevice } from './device.js';
import { type Resource, type Uniforms, type Work, workOf } from './work.js';

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
  readonly #lease: Lease<WebGpuArray>;

  private constructor(
    device: WebGpuDevice,
    inputs: readonly WebGpuArray[],
    outputs: readonly WebGpuArray[],
    dispatches: readonly Dispatch[],
    owned: readonly GPUBuffer[],
    lease: Lease<WebGpuArray>,
  ) {
    this.#device = device;
    this.#inputs = inputs;
    this.outputs = outputs;
    this.#dispatches = dispatches;
    this.#owned = owned;
    this.#lease = lease;
  }

  /**
   * Makes buffers and bind groups, all at once: nothing else comes between an error scope's push and pop.
   *
   * @param lease of the slots that hold no results, and of the scratch behind them where kernels need any
   */
  static build(
    device: WebGpuDevice,
    program: Program,
    variables: readonly DeviceArray[],
    compiled: readonly CompiledWork[],
    lease: Lease<WebGpuArray>,
  ): WebGpuExecutable {
    const shared = lease.arrays();
    const { inputs, owned, at } = placeArrays<WebGpuArray>(device, program, variables, shared);
    const works = compiled.map(({ work }) => work);
    const uniforms = uniformBuffer(device, works);
    const scratch = scratchBytes(works);
    const bufferOf = (resource: Resource): GPUBufferBinding => {
      if (resource.kind === 'tensor') {
        return { buffer: at(resource.placed.place).buffer, size: bufferBytes(resource.placed) };
      }
      if (resource.kind === 'scratch') return { buffer: elementAt(shared, -1).buffer, size: scratch };
      const binding = uniforms.get(resource);
      if (!binding) throw new Error('a kernel binds uniforms that are not there');
      return binding;
    };
    const dispatches = compiled.map(({ work, pipeline }): Dispatch => {
      const bindGroup = device.gpu.createBindGroup({
        label: work.kernel.name,
        layout: device.pipelines.layout(work.bindings),
        entries: work.bindings.map(({ at, resource }) => ({ binding: at, resource: bufferOf(resource) })),
      });
      return { pipeline, bindGroup, workgroups: work.workgroups };
    });
    const outputs = program.outputs.map((output) => new WebGpuArray(device, output, at(output.place).buffer));
    const buffers = [...owned.map((array) => array.buffer), uniforms.buffer];
    return new WebGpuExecutable(device, inputs, outputs, dispatches, buffers, lease);
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
    for (const buffer of this.#owned) this.#device.buffers.destroy(buffer);
    for (const output of this.outputs) output.dispose();
    this.#lease.release();
  }
}

/** A dispatch with its pipeline. */
export interface CompiledWork {
  readonly work: Work;
  readonly pipeline: GPUComputePipeline;
}

/** The dispatches of a program, as its kernels are chosen now. */
export function worksOf(device: WebGpuDevice, program: Program): Work[] {
  const launched = program.steps.flatMap((step) => workOfStep(device, step));
  return program.isRepeated ? device.joiner.join(launched) : launched;
}

/**
 * Dispatches with their pipelines, compiled where they are not there yet. Rejects with DeviceError naming the operations
 * whose kernel is refused.
 */
export function compileWork(device: WebGpuDevice, works: readonly Work[]): Promise<CompiledWork[]> {
  return Promise.all(
    works.map(async (work) => {
      const pipeline = await device.pipelines.get(work, work.bindings).catch((error: unknown) => {
        throw new DeviceError(
          `${work.operations.join(', ')}: ${error instanceof Error ? error.message : String(error)}`,
        );
      });
      return { work, pipeline };
    }),
  );
}

/** The launches of a step; none where it would only write empty tensors. */
function workOfStep(device: WebGpuDevice, step: Step): Work[] {
  if (step.outputs.every(isEmpty)) return [];
  const launches = device.launchesOf(step);
  return launches.map((launch) => workOf(step, launch, scratchBytesOf(launches)));
}

function isEmpty(placed: Placed): boolean {
  return sizeOf(placed.shape) === 0;
}

function resourcesOf(works: readonly Work[]): Resource[] {
  return works.flatMap(({ bindings }) => bindings.map(({ resource }) => resource));
}

/** Bytes of the one buffer for the scratch of all operations: an operation's launches follow one another, so they share it. */
export function scratchBytes(works: readonly Work[]): number {
  const bytes = resourcesOf(works).reduce(
    (most, own) => (own.kind === 'scratch' ? Math.max(most, own.bytes) : most),
    0,
  );
  return Math.ceil(bytes / 16) * 16;
}

/** Where in the one buffer for all uniforms each is, at an offset of its own: they never change. */
function uniformLayout(device: WebGpuDevice, works: readonly Work[]) {
  const alignment = device.gpu.limits.minUniformBufferOffsetAlignment;
  const offsets = new Map<Uniforms, number>();
  let size = 0;
  for (const resource of resourcesOf(works)) {
    if (resource.kind !== 'uniforms') continue;
    offsets.set(resource, size);
    size = Math.ceil((size + resource.bytes.byteLength) / alignment) * alignment;
  }
  return { offsets, size: Math.max(size, 16) };
}

/** Bytes of the buffer for uniforms. */
export function argumentBytes(device: WebGpuDevice, works: readonly Work[]): number {
  return uniformLayout(device, works).size;
}

function uniformBuffer(device: WebGpuDevice, works: readonly Work[]) {
  const { offsets, size } = uniformLayout(device, works);
  const values = new Uint8Array(size);
  for (const [{ bytes }, offset] of offsets) values.set(bytes, offset);
  const buffer = device.buffers.create({ label: 'uniforms', size, usage: UNIFORM_USAGE });
  device.gpu.queue.writeBuffer(buffer, 0, values);
  const get = (resource: Uniforms): GPUBufferBinding | undefined => {
    const offset = offsets.get(resource);
    return offset === undefined ? undefined : { buffer, offset, size: resource.bytes.byteLength };
  };
  return { buffer, get };
}

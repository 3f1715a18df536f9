import { elementAt } from '../../element-at.js';
import type { NumericArray } from '../../graph/operation.js';
import type { Placed, Program, Step } from '../../graph/program.js';
import type { DeviceArray, Executable } from '../device.js';
import { placeArrays, slotSpec } from '../places.js';
import type { Lease } from '../shared-buffers.js';
import { CpuArray } from './array.js';
import type { CpuDevice } from './device.js';
import { placeSimd, type PlacedTensors, type SimdProgram } from './place-simd.js';

/** The block of the heap that a program takes turns in with others, and the bytes of what lies in it, in this order. */
export interface SharedBlock {
  readonly lease: Lease<CpuArray>;
  /** Those that hold no results. */
  readonly slots: readonly number[];
  /** The threads' own working memory. */
  readonly scratch: number;
  /** What the tasks of a step share. */
  readonly shared: number;
}

/** A program on the heap of a CPU device: each step runs on SIMD kernels, phase by phase, or on its reference. */
export class CpuExecutable implements Executable {
  readonly outputs: readonly CpuArray[];
  readonly dispatches: number;
  readonly #device: CpuDevice;
  readonly #inputs: readonly CpuArray[];
  readonly #owned: readonly CpuArray[];
  readonly #lease: Lease<CpuArray>;
  readonly #makeWork: () => (() => void)[];
  #work: readonly (() => void)[] = [];
  /** Views in the work hold for this generation of the heap. */
  #generation = -1;

  private constructor(
    device: CpuDevice,
    inputs: readonly CpuArray[],
    outputs: readonly CpuArray[],
    owned: readonly CpuArray[],
    lease: Lease<CpuArray>,
    dispatches: number,
    makeWork: () => (() => void)[],
  ) {
    this.#device = device;
    this.#inputs = inputs;
    this.outputs = outputs;
    this.#owned = owned;
    this.#lease = lease;
    this.dispatches = dispatches;
    this.#makeWork = makeWork;
  }

  static async load(
    device: CpuDevice,
    program: Program,
    simdProgram: SimdProgram,
    variables: readonly DeviceArray[],
    { lease, slots, scratch, shared }: SharedBlock,
  ): Promise<CpuExecutable> {
    let next = lease.arrays()[0]?.start ?? 0;
    const place = (bytes: number): number => {
      const start = next;
      next += bytes;
      return start;
    };
    const between = program.slots.filter(({ isResult }) => !isResult);
    const { inputs, owned, at } = placeArrays<CpuArray>(
      device,
      program,
      variables,
      between.map((slot, i) => new CpuArray(device, slotSpec(slot), place(elementAt(slots, i)))),
    );
    const resolve = (placed: Placed): CpuArray => new CpuArray(device, placed, at(placed.place).start);

    const tensors = program.steps.map(({ inputs: from, outputs: to }): PlacedTensors => ({
      inputs: from.map(resolve),
      outputs: to.map(resolve),
    }));
    const simd = await placeSimd(device, simdProgram, tensors, place(scratch), place(shared));
    const makeWork = (): (() => void)[] =>
      program.steps.flatMap((step, i) => simd.work[i] ?? [referenceWork(step, elementAt(tensors, i))]);
    const dispatches = program.steps.reduce((count, _, i) => count + (simd.work[i]?.length ?? 1), 0);
    const outputs = program.outputs.map(resolve);
    const arrays = [...owned, ...simd.owned];
    return new CpuExecutable(device, inputs, outputs, arrays, lease, dispatches, makeWork);
  }

  run(values: readonly (NumericArray | DeviceArray)[], replays: number): void {
    values.forEach((value, i) => {
      this.#inputs[i]?.write('device' in value ? this.#device.own(value).view().data : value);
    });
    if (this.#generation !== this.#device.heap.generation) {
      this.#work = this.#makeWork();
      this.#generation = this.#device.heap.generation;
    }
    for (let replay = 0; replay < replays; replay++) for (const work of this.#work) work();
  }

  dispose(): void {
    for (const array of this.#owned) array.dispose();
    this.#lease.release();
  }
}

function referenceWork({ operation, attributes }: Step, { inputs, outputs }: PlacedTensors): () => void {
  const call = {
    inputs: inputs.map((array) => array.view()),
    outputs: outputs.map((array) => array.view()),
    attributes,
  };
  return () => {
    operation.reference(call);
  };
}

import type { DType, NumericArray, TensorSpec } from '../../graph/operation.js';
import { storedElements, type Place, type Program, type Reference } from '../../graph/program.js';
import { sizeOf } from '../../shape.js';
import { DeviceError } from '../../errors.js';
import type { Device, DeviceArray, DeviceInfo, Executable } from '../device.js';

/** How a CPU device is made. */
export interface CpuDeviceOptions {
  /** Why this device was chosen, for `info`. */
  readonly reason: string;
  /** Store `f32` tensors in float64: for checking gradients by finite differences. Default false. */
  readonly float64?: boolean;
}

/** Runs every operation by its reference: plain TypeScript loops that accumulate in float64. */
export class CpuDevice implements Device {
  readonly info: DeviceInfo;
  readonly #float64: boolean;

  constructor(options: CpuDeviceOptions) {
    this.#float64 = options.float64 ?? false;
    this.info = {
      kind: 'cpu',
      description: `CPU, TypeScript reference${this.#float64 ? ' in float64' : ''}`,
      software: false,
      reason: options.reason,
    };
  }

  allocate(spec: TensorSpec): CpuArray {
    return new CpuArray(this, spec, this.#store(spec.dtype, storedElements(spec)));
  }

  load(program: Program, variables: readonly DeviceArray[]): Promise<Executable> {
    const inputs = program.inputs.map((spec) => this.allocate(spec));
    const constants = program.constants.map((constant) => {
      const array = this.allocate(constant);
      array.write(constant.data);
      return array;
    });
    const bytes = this.#float64 ? 8 : 4;
    const slots = program.slots.map(({ elements }) => new ArrayBuffer(elements * bytes));
    const arrayAt = (place: Place, spec: TensorSpec): NumericArray => {
      if (place.kind === 'slot') return this.#view(spec.dtype, pick(slots, place.index), storedElements(spec));
      const arrays = { input: inputs, constant: constants, variable: variables.map((array) => this.#own(array)) }[
        place.kind
      ];
      return pick(arrays, place.index).storage;
    };
    const resolve = (reference: Reference): CpuArray =>
      new CpuArray(this, reference, arrayAt(reference.place, reference));

    const steps = program.steps.map(({ operation, attributes, inputs: from, outputs: to }) => {
      const call = {
        inputs: from.map((reference) => resolve(reference).view()),
        outputs: to.map((reference) => resolve(reference).view()),
        attributes,
      };
      return () => operation.reference(call);
    });
    return Promise.resolve({
      outputs: program.outputs.map(resolve),
      run: (values) => {
        values.forEach((value, i) => pick(inputs, i).write('device' in value ? this.#own(value).storage : value));
        for (const step of steps) step();
      },
      dispose: () => undefined,
    });
  }

  finished(): Promise<void> {
    return Promise.resolve();
  }

  dispose(): void {
    // Everything is ordinary memory, freed when nothing refers to it.
  }

  #own(array: DeviceArray): CpuArray {
    if (array instanceof CpuArray) return array;
    throw new DeviceError('an array of another device was given to the CPU device');
  }

  #store(dtype: DType, elements: number): NumericArray {
    return this.#view(dtype, new ArrayBuffer(elements * (this.#float64 ? 8 : 4)), elements);
  }

  #view(dtype: DType, buffer: ArrayBuffer, elements: number): NumericArray {
    if (dtype === 'i32') return new Int32Array(buffer, 0, elements);
    if (dtype === 'u32') return new Uint32Array(buffer, 0, elements);
    return this.#float64 ? new Float64Array(buffer, 0, elements) : new Float32Array(buffer, 0, elements);
  }
}

/** A typed array with its shape. */
export class CpuArray implements DeviceArray {
  readonly device: Device;
  readonly shape: TensorSpec['shape'];
  readonly dtype: DType;
  readonly storage: NumericArray;

  constructor(device: Device, spec: TensorSpec, storage: NumericArray) {
    this.device = device;
    this.shape = spec.shape;
    this.dtype = spec.dtype;
    this.storage = storage;
  }

  view(): { readonly data: NumericArray; readonly shape: TensorSpec['shape'] } {
    return { data: this.storage.subarray(0, sizeOf(this.shape)), shape: this.shape };
  }

  write(values: NumericArray): void {
    this.storage.set(values.subarray(0, this.storage.length));
  }

  read(): Promise<NumericArray> {
    return Promise.resolve(this.view().data.slice());
  }

  dispose(): void {
    // Ordinary memory.
  }
}

function pick<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new Error(`the program names place ${index}, which does not exist`);
  return item;
}

import type { Attributes, Operation } from '../../graph/operation.js';
import type { NumericArray } from '../../graph/operation.js';
import type { Program, Reference, Step } from '../../graph/program.js';
import type { SimdArgument, SimdCall, SimdPhase } from '../../graph/simd.js';
import { sizeOf } from '../../shape.js';
import type { DeviceArray, Executable } from '../device.js';
import { placeArrays } from '../places.js';
import { CpuArray } from './array.js';
import type { CpuDevice } from './device.js';

/** A step with its tensors in place. */
interface PlacedStep {
  readonly operation: Operation;
  readonly attributes: Attributes;
  readonly inputs: readonly CpuArray[];
  readonly outputs: readonly CpuArray[];
}

/** A program on the heap of a CPU device: each step is a call of a SIMD kernel or of the operation's reference. */
export class CpuExecutable implements Executable {
  readonly outputs: readonly CpuArray[];
  readonly #device: CpuDevice;
  readonly #inputs: readonly CpuArray[];
  readonly #owned: readonly CpuArray[];
  readonly #makeWork: () => (() => void)[];
  #work: readonly (() => void)[] = [];
  /** Views in the work hold for this generation of the heap. */
  #generation = -1;

  private constructor(
    device: CpuDevice,
    inputs: readonly CpuArray[],
    outputs: readonly CpuArray[],
    owned: readonly CpuArray[],
    makeWork: () => (() => void)[],
  ) {
    this.#device = device;
    this.#inputs = inputs;
    this.outputs = outputs;
    this.#owned = owned;
    this.#makeWork = makeWork;
  }

  static async load(device: CpuDevice, program: Program, variables: readonly DeviceArray[]): Promise<CpuExecutable> {
    const { inputs, owned, at } = placeArrays<CpuArray>(device, program, variables);
    const resolve = (reference: Reference): CpuArray => new CpuArray(device, reference, at(reference.place).start);

    const phases = program.steps.map((step) => (device.usesSimd ? simdPhases(step) : undefined));
    const scratchBytes = Math.max(0, ...phases.flatMap((own) => own ?? []).map((phase) => phase.scratchBytes ?? 0));
    const scratch = device.allocate({ shape: [Math.ceil(scratchBytes / 4)], dtype: 'u32' });
    const calls = phases.map((own) => own?.flatMap(({ tasks }) => tasks.flat()));
    const functions = await Promise.all(
      calls.map((own) => Promise.all((own ?? []).map(({ kernel }) => device.simd.get(kernel)))),
    );
    const steps = program.steps.map(({ operation, attributes, inputs: from, outputs: to }): PlacedStep => ({
      operation,
      attributes,
      inputs: from.map(resolve),
      outputs: to.map(resolve),
    }));
    const makeWork = (): (() => void)[] =>
      steps.flatMap((step, i) => {
        const own = calls[i];
        if (!own) return [referenceWork(step)];
        return own.map((call, j) => simdWork(step, call, functions[i]?.[j], scratch.start));
      });
    const outputs = program.outputs.map(resolve);
    return new CpuExecutable(device, inputs, outputs, [...owned, scratch], makeWork);
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
  }
}

/** The SIMD phases of a step; undefined where the operation has none for these sizes. */
function simdPhases(step: Step): readonly SimdPhase[] | undefined {
  if (step.outputs.every(({ shape }) => sizeOf(shape) === 0)) return [];
  return step.operation.simd?.(step);
}

function referenceWork({ operation, attributes, inputs, outputs }: PlacedStep): () => void {
  const call = {
    inputs: inputs.map((array) => array.view()),
    outputs: outputs.map((array) => array.view()),
    attributes,
  };
  return () => {
    operation.reference(call);
  };
}

function simdWork(
  step: PlacedStep,
  call: SimdCall,
  run: ((...values: readonly number[]) => void) | undefined,
  scratch: number,
): () => void {
  if (!run) throw new Error(`${step.operation.name}: its SIMD kernel was not loaded`);
  const address = (argument: SimdArgument): number => {
    if (typeof argument === 'number') return argument;
    if ('scratch' in argument) return scratch + (argument.offset ?? 0);
    const array = 'input' in argument ? step.inputs[argument.input] : step.outputs[argument.output];
    if (!array) throw new Error(`${step.operation.name} names a tensor that it does not have`);
    return array.start + (argument.offset ?? 0);
  };
  const values = call.arguments.map(address);
  return () => {
    run(...values);
  };
}

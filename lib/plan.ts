import type { Device, DeviceArray, Executable } from './device/device.js';
import type { NumericArray } from './graph/operation.js';
import { describeProgram } from './graph/describe.js';
import { ownerOf } from './graph/memory.js';
import { buildProgram, type Program } from './graph/program.js';
import type { Trace } from './graph/trace.js';
import { copy } from './ops/moving/copy.js';
import { Pacer } from './pacer.js';
import { STALE, Tensor } from './tensor.js';
import { TraceError } from './errors.js';

/**
 * A graph loaded on a device, ready to be replayed. It owns its intermediate buffers; parameters and other variables
 * own theirs. A replay creates no buffer, no bind group and no pipeline, and uploads nothing but its inputs.
 */
export class Plan {
  /** Where it runs. */
  readonly device: Device;
  /** @internal What it runs, flat. */
  readonly program: Program;
  /** @internal The recording that it was made of; undefined for a lone tensor. */
  readonly trace: Trace | undefined;
  #executable: Executable;
  #variables: readonly DeviceArray[];
  #runs = 0;
  readonly #pacer = new Pacer();

  private constructor(device: Device, program: Program, trace: Trace | undefined, loaded: Loaded) {
    this.device = device;
    this.program = program;
    this.trace = trace;
    this.#executable = loaded.executable;
    this.#variables = loaded.variables;
  }

  /** @internal Lays out memory for the graph of `outputs` and the trace's updates, and loads it on the device. */
  static async build(
    device: Device,
    outputs: readonly Tensor[],
    inputs: readonly Tensor[],
    trace: Trace | undefined,
  ): Promise<Plan> {
    const program = buildProgram(outputs.map(ownResult), inputs, trace, device.fusion);
    return new Plan(device, program, trace, await load(device, program));
  }

  /** @internal Queues one replay. The results stay on the device and are valid until the next replay. */
  async run(inputs: readonly Tensor[]): Promise<Tensor[]> {
    const values = await this.#prepare(inputs);
    this.#replay(values, this.trace, 1);
    return this.#results();
  }

  /** @internal `run` without any wait; undefined where there is something to wait for, such as a variable to be moved. */
  runNow(inputs: readonly Tensor[]): Tensor[] | undefined {
    if (!this.#isBound()) return undefined;
    const values = inputs.map((input) => valueNow(input, this.device));
    if (!values.every((value) => value !== undefined)) return undefined;
    this.#replay(values, this.trace, 1);
    return this.#results();
  }

  /**
   * @internal Queues so many replays, all with these inputs, as many at once as the pacer says. An aborted signal ends
   * it between two submits. The results are those of the last replay.
   */
  async repeat(inputs: readonly Tensor[], replays: number, signal: AbortSignal | undefined): Promise<Tensor[]> {
    const values = await this.#prepare(inputs);
    for (let left = replays; left > 0 && signal?.aborted !== true;) {
      const count = Math.min(left, this.#pacer.replays);
      left -= count;
      const queue = (): void => {
        this.#replay(values, this.trace, count);
      };
      await this.#pacer.submit(count, queue, () => this.device.finished());
    }
    return this.#results();
  }

  #results(): Tensor[] {
    const run = this.#runs;
    const isCurrent = (): boolean => run === this.#runs;
    return this.#executable.outputs.map((array) => new Tensor(array, { kind: 'stored', array, isCurrent }));
  }

  /**
   * @internal Queues one replay and reads its results, in one go: other replays may follow before the values are there.
   *
   * @param trace of a recording that found this plan: its host work goes ahead of the replay
   */
  async runAndRead(inputs: readonly Tensor[], trace: Trace | undefined): Promise<NumericArray[]> {
    const values = await this.#prepare(inputs);
    this.#replay(values, trace, 1);
    return Promise.all(this.#executable.outputs.map((array) => array.read()));
  }

  async #prepare(inputs: readonly Tensor[]): Promise<(NumericArray | DeviceArray)[]> {
    const values = await Promise.all(inputs.map((input) => inputValue(input, this.device)));
    await this.#followVariables();
    return values;
  }

  /** Runs at once, without a wait in which another replay could come between. */
  #replay(values: readonly (NumericArray | DeviceArray)[], trace: Trace | undefined, replays: number): void {
    trace?.runBeforeReplay(replays);
    this.#executable.run(values, replays);
    this.#runs += replays;
  }

  /**
   * What the plan does, in words: its steps, what was joined into one, the kernels that a replay launches (on the CPU the
   * calls that it makes), and the memory it takes.
   */
  describe(): string {
    return describeProgram(this.program, this.#executable.dispatches, (spec) => this.device.bytesOf(spec));
  }

  /** Frees the buffers of the plan. Its results cannot be read afterwards. */
  dispose(): void {
    this.#runs = Infinity;
    this.#executable.dispose();
  }

  /** Whether all variables are in the buffers that the plan is bound to. */
  #isBound(): boolean {
    return this.program.variables.every((variable, i) => variable.placedOn(this.device) === this.#variables[i]);
  }

  /** A variable that was moved to another device and back has another buffer: the plan is bound anew. */
  async #followVariables(): Promise<void> {
    if (this.#isBound()) return;
    await this.reload();
  }

  /** @internal Loads the program anew: with the buffers and kernels that its variables and its device have by now. */
  async reload(): Promise<void> {
    this.#runs++; // results of earlier replays go with their buffers
    this.#executable.dispose();
    const loaded = await load(this.device, this.program);
    this.#executable = loaded.executable;
    this.#variables = loaded.variables;
  }
}

interface Loaded {
  readonly executable: Executable;
  readonly variables: readonly DeviceArray[];
}

async function load(device: Device, program: Program): Promise<Loaded> {
  const variables = await Promise.all(program.variables.map((variable) => variable.placeOn(device)));
  return { executable: await device.load(program, variables), variables };
}

/** A result needs a buffer that belongs to the plan: what lives in a variable or an input is copied out of it. */
function ownResult(output: Tensor): Tensor {
  return ownerOf(output) === undefined ? copy(output) : output;
}

async function inputValue(input: Tensor, device: Device): Promise<NumericArray | DeviceArray> {
  const { origin } = input;
  if (origin.kind === 'variable') return origin.variable.placeOn(device);
  return valueNow(input, device) ?? input.data();
}

/** The value of an input where it is known, or on the device, already. */
function valueNow({ origin }: Tensor, device: Device): NumericArray | DeviceArray | undefined {
  if (origin.kind === 'constant') return origin.data;
  if (origin.kind === 'variable') return origin.variable.placedOn(device);
  if (origin.kind !== 'stored') return undefined;
  if (!origin.isCurrent()) throw new TraceError(STALE);
  return origin.array.device === device ? origin.array : undefined;
}

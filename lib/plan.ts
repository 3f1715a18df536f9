import type { Device, DeviceArray, Executable, PreparedProgram } from './device/device.js';
import type { NumericArray } from './graph/operation.js';
import { describeProgram } from './graph/describe.js';
import { ownerOf } from './graph/memory.js';
import { checkRoomForPlans, type PlanMemory, planMemoryOf, type SizedProgram } from './plan-memory.js';
import { buildProgram, type Program } from './graph/program.js';
import type { Trace } from './graph/trace.js';
import { copy } from './ops/moving/copy.js';
import { Pacer } from './pacer.js';
import { STALE, Tensor } from './tensor.js';
import { TraceError } from './errors.js';
import type { VariableCopy, VariableStorage } from './variable-storage.js';

/** Plans that are kept in one place at most; the one that was not used for the longest time goes first. */
export const PLANS_KEPT = 64;

/** Values that a replay is given: those of the host, or an array of the plan's device. */
type InputValue = NumericArray | DeviceArray;

/** A variable of a plan, and the buffer of its device that the plan is bound to. */
interface BoundVariable {
  readonly storage: VariableStorage;
  readonly copy: VariableCopy;
  /** Whether a replay changes it. */
  readonly isWritten: boolean;
}

/** What a program was loaded into. */
interface Loaded {
  readonly memory: PlanMemory;
  readonly executable: Executable;
  readonly variables: readonly BoundVariable[];
}

/** Plans that fetch variables from other devices take turns. */
let lastTurn: Promise<unknown> = Promise.resolve();

function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const turn = lastTurn.then(work);
  lastTurn = turn.catch(() => undefined);
  return turn;
}

/** A graph laid out for a device. Its kernels are chosen when its memory is asked for, and nothing has been allocated. */
export interface PreparedPlan extends SizedProgram {
  /** Rejects with DeviceMemoryError where the device has no room for it: then nothing has been allocated. */
  load(): Promise<Plan>;
}

/**
 * A graph loaded on a device, ready to be replayed. It owns the buffers of its results, and takes turns with other plans in
 * those of what is computed in between; parameters and other variables own theirs. A replay creates no buffer, no bind group and no pipeline, and uploads nothing but its inputs.
 */
export class Plan {
  /** Where it runs. */
  readonly device: Device;
  /** @internal What it runs, flat. */
  readonly program: Program;
  #loaded: Loaded;
  #runs = 0;
  #isDisposed = false;
  readonly #pacer = new Pacer();

  private constructor(device: Device, program: Program, loaded: Loaded) {
    this.device = device;
    this.program = program;
    this.#loaded = loaded;
  }

  /** @internal Lays out memory for the graph of `outputs` and the trace's updates, to be loaded on the device. */
  static prepare(
    device: Device,
    outputs: readonly Tensor[],
    inputs: readonly Tensor[],
    trace: Trace | undefined,
    isRepeated: boolean,
  ): PreparedPlan {
    const program = buildProgram(outputs.map(ownResult), inputs, trace, {
      ...{ fusion: device.fusion, isRepeated },
      elementsOf: (spec) => device.elementsOf(spec),
    });
    let chosen: PreparedProgram | undefined;
    const prepared = (): PreparedProgram => (chosen ??= device.prepare(program));
    return {
      program,
      get memory() {
        return prepared().memory;
      },
      get shared() {
        return prepared().shared;
      },
      load: async () => new Plan(device, program, await load(device, program, prepared())),
    };
  }

  /**
   * @internal Queues one replay, once its inputs and variables are there. Results of other plans among the inputs must be
   * such that nothing overwrites them meanwhile ({@link heldResult}). The results stay on the device and are valid until
   * the next replay.
   *
   * @param trace of a recording that found this plan: its host work goes ahead of the replay
   */
  async run(inputs: readonly Tensor[], trace: Trace | undefined): Promise<readonly Tensor[]> {
    const values = await this.#valuesOf(inputs);
    return this.#inPlace(() => this.#replay(values, trace, 1));
  }

  /** @internal `run` without any wait; undefined where there is something to wait for, such as a variable to be fetched. */
  runNow(inputs: readonly Tensor[], trace: Trace | undefined): readonly Tensor[] | undefined {
    this.#checkUsable();
    const values = inputs.map((input) => valueNow(input, this.device));
    if (!values.every((value) => value !== undefined) || !this.#isInPlace()) return undefined;
    return this.#replay(values, trace, 1);
  }

  /**
   * @internal Queues so many replays, all with these inputs, as many at once as the pacer says. An aborted signal ends
   * it between two submits. The results are those of the last replay.
   */
  async repeat(
    inputs: readonly Tensor[],
    trace: Trace | undefined,
    replays: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly Tensor[]> {
    const values = await this.#valuesOf(inputs);
    let results: readonly Tensor[] = [];
    for (let left = replays; left > 0 && signal?.aborted !== true;) {
      const count = Math.min(left, this.#pacer.replays);
      left -= count;
      const queue = (): void => {
        results = this.#replay(values, trace, count);
      };
      await this.#inPlace(() => {
        this.#pacer.submit(count, queue, () => this.device.finished());
      });
      await this.#pacer.ready();
    }
    return results;
  }

  /**
   * @internal Queues one replay and reads its results, in one go: other replays may follow before the values are there.
   * Undefined where there is something to wait for.
   */
  readNow(inputs: readonly Tensor[], trace: Trace | undefined): Promise<NumericArray[]> | undefined {
    return this.runNow(inputs, trace) && this.#readAll();
  }

  /** @internal `readNow` that waits. */
  async read(inputs: readonly Tensor[], trace: Trace | undefined): Promise<NumericArray[]> {
    const values = await this.#valuesOf(inputs);
    const { reads } = await this.#inPlace(() => {
      this.#replay(values, trace, 1);
      return { reads: this.#readAll() };
    });
    return reads;
  }

  /** What it takes on its device, exactly: the bytes of its buffers, and of those of its variables. */
  get memory(): PlanMemory {
    return this.#loaded.memory;
  }

  /**
   * What the plan does, in words: its steps, what was joined into one, the kernels that a replay launches (on the CPU the
   * calls that it makes), and the memory it takes.
   */
  describe(): string {
    return describeProgram(this.program, this.#loaded.executable.dispatches, this.memory);
  }

  /** Frees the buffers of the plan. Its results cannot be read afterwards. */
  dispose(): void {
    this.#isDisposed = true;
    this.#runs = Infinity;
    this.#loaded.executable.dispose();
  }

  /** @internal Loads the program anew: with the kernels that its device has by now. Results are read before, or not at all. */
  async reload(): Promise<void> {
    const loaded = await load(this.device, this.program, this.device.prepare(this.program));
    if (this.#isDisposed) {
      loaded.executable.dispose();
      return;
    }
    this.#runs++; // results of earlier replays go with their buffers
    this.#loaded.executable.dispose();
    this.#loaded = loaded;
  }

  #valuesOf(inputs: readonly Tensor[]): Promise<InputValue[]> {
    return Promise.all(inputs.map(async (input) => valueNow(input, this.device) ?? input.data()));
  }

  #readAll(): Promise<NumericArray[]> {
    return Promise.all(this.#loaded.executable.outputs.map((array) => array.read()));
  }

  /** Runs at once, without a wait in which another replay could come between. */
  #replay(values: readonly InputValue[], trace: Trace | undefined, replays: number): readonly Tensor[] {
    this.#checkUsable();
    const { executable, variables } = this.#loaded;
    trace?.runBeforeReplay(replays);
    executable.run(values, replays);
    for (const { storage, copy: own, isWritten } of variables) if (isWritten) storage.changedIn(own);
    this.#runs += replays;
    const run = this.#runs;
    const isCurrent = (): boolean => run === this.#runs;
    return executable.outputs.map((array) => new Tensor(array, { kind: 'stored', array, isCurrent }));
  }

  /**
   * Does what queues a replay once all variables are where the plan expects them. Where they are already, that is at once;
   * otherwise they are fetched, and nothing comes between that and the replay.
   */
  #inPlace<T>(work: () => T): T | Promise<T> {
    this.#checkUsable();
    return this.#isInPlace() ? work() : inTurn(() => this.#fetch(work));
  }

  #isInPlace(): boolean {
    return this.#loaded.variables.every(({ storage, copy: own, isWritten }) => {
      storage.checkAlive();
      return storage.refresh(own) && !own.isDropped && !(isWritten && storage.isClaimed);
    });
  }

  /**
   * Fetches the variables that another device has changed: all as they are at one time. Those that this plan is to
   * change are claimed, so that the other device's plans wait until that is done.
   */
  async #fetch<T>(work: () => T): Promise<T> {
    if (this.#loaded.variables.some(({ copy: own }) => own.isDropped)) await this.reload();
    const { variables } = this.#loaded;
    const written = variables.filter(({ isWritten }) => isWritten).map(({ storage }) => storage);
    for (const storage of written) storage.isClaimed = true;
    try {
      for (;;) {
        const versions = new Map(variables.map(({ storage }) => [storage, storage.version]));
        const missing = variables.filter(({ storage, copy: own }) => !storage.refresh(own));
        const values = await Promise.all(missing.map(({ storage }) => storage.read()));
        for (const { storage } of variables) storage.checkAlive();
        if (written.some((storage) => storage.version !== versions.get(storage))) continue; // set by hand meanwhile
        missing.forEach(({ storage, copy: own }, i) => {
          own.array.write(values[i] ?? new Float32Array(0));
          own.version = versions.get(storage) ?? NaN;
        });
        return work();
      }
    } finally {
      for (const storage of written) storage.isClaimed = false;
    }
  }

  #checkUsable(): void {
    if (this.#isDisposed) throw new TraceError('a compiled function was disposed of while a call of it was under way');
  }
}

/** Loads a program, if there is room for it. Where that fails, nothing is left of the buffers that its variables got for it. */
async function load(device: Device, program: Program, prepared: PreparedProgram): Promise<Loaded> {
  const sized = { program, memory: prepared.memory, shared: prepared.shared };
  checkRoomForPlans(device, [sized], `a plan of ${program.steps.length} steps`);
  const written = new Set<VariableStorage | undefined>();
  for (const { outputs } of program.steps) {
    for (const { place } of outputs) if (place.kind === 'variable') written.add(program.variables[place.index]);
  }
  const variables: BoundVariable[] = [];
  try {
    const executable = await prepared.load(() => {
      for (const storage of program.variables) {
        variables.push({ storage, copy: storage.place(device), isWritten: written.has(storage) });
      }
      return variables.map(({ copy: own }) => own.array);
    });
    return { memory: planMemoryOf(device, sized), executable, variables };
  } catch (error) {
    for (const { storage, copy: own } of variables) storage.dropUnused(own);
    throw error;
  }
}

/** A result needs a buffer that belongs to the plan: what lives in a variable or an input is copied out of it. */
function ownResult(output: Tensor): Tensor {
  return ownerOf(output) === undefined ? copy(output) : output;
}

/** The value of an input where it is known, or on the device, already. */
function valueNow({ origin }: Tensor, device: Device): InputValue | undefined {
  if (origin.kind === 'constant') return origin.data;
  if (origin.kind === 'variable') return origin.variable.storage.arrayOn(device);
  if (origin.kind !== 'stored') return undefined;
  if (!origin.isCurrent()) throw new TraceError(STALE);
  return origin.array.device === device ? origin.array : undefined;
}

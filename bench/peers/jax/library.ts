import { type Array as JaxArray, blockUntilReady, defaultDevice, init } from '@jax-js/jax';
import { describeAdapter } from '../dawn.js';
import type { Computation, Library, Training } from '../protocol.js';
import { prepareComputation, type PreparedComputation } from './computations.js';
import { MyNetTraining } from './mynet.js';
import { NetTraining } from './net.js';

/** jax-js on one of its devices. Its functions take their arguments over: what is used again goes in as `.ref`. */
export async function openJax(device: 'wasm' | 'webgpu'): Promise<Library> {
  const available = await init(device);
  if (!available.includes(device)) throw new Error(`jax-js has no device ${device} here`);
  defaultDevice(device);
  return new Jax(device === 'webgpu' ? await describeAdapter() : 'WebAssembly, 1 thread');
}

/** As often as the loss is read where it is. */
const STEPS_BETWEEN_WAITS = 10;

class Jax implements Library {
  readonly description: string;
  #training: MyNetTraining | NetTraining | undefined;
  #computation: PreparedComputation | undefined;
  #last: JaxArray | undefined;

  constructor(description: string) {
    this.description = description;
  }

  async prepare(training: Training): Promise<void> {
    this.#training?.dispose();
    this.#training = 'net' in training ? new NetTraining(training.net) : new MyNetTraining(training.dropout);
    await this.#ready();
  }

  async train(steps: number, readEvery: number): Promise<void> {
    for (let i = 1; i <= steps; i++) {
      const loss = this.#prepared().step();
      if (i % readEvery === 0) await loss.data();
      else loss.dispose();
      // What is no longer used is freed only once the queue was waited for.
      if (i % STEPS_BETWEEN_WAITS === 0) await this.#ready();
    }
    await this.#ready();
  }

  async losses(steps: number): Promise<number[]> {
    const losses: number[] = [];
    for (let i = 0; i < steps; i++) losses.push(...(await this.#prepared().step().data()));
    return losses;
  }

  async compute(computation: Computation, times: number): Promise<void> {
    const { compute } = this.#computationOf(computation);
    for (let i = 0; i < times; i++) {
      this.#last?.dispose();
      this.#last = compute();
      // It is lazy: a result that is thrown away before anyone waits for it is never computed.
      await blockUntilReady(this.#last);
    }
  }

  async elements(computation: Computation, places: readonly number[]): Promise<number[]> {
    const { compute, asTold } = this.#computationOf(computation);
    const values = await asTold(compute()).data();
    return places.map((place) => values[place] ?? NaN);
  }

  #prepared(): MyNetTraining | NetTraining {
    if (!this.#training) throw new Error('prepare() comes first');
    return this.#training;
  }

  async #ready(): Promise<void> {
    await blockUntilReady(this.#prepared().state);
  }

  #computationOf(computation: Computation): PreparedComputation {
    const key = JSON.stringify(computation);
    if (this.#computation?.key === key) return this.#computation;
    this.#computation?.dispose();
    this.#last?.dispose();
    this.#last = undefined;
    this.#computation = { key, ...prepareComputation(computation) };
    return this.#computation;
  }
}

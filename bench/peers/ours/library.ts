import type { Device } from '../../../lib/index.js';
import { openDevice } from '../../../lib/node/index.js';
import { openNullDevice } from '../../host/null-device.js';
import { netStep } from '../../nets/net-step.js';
import { myNetStep } from '../../step/mynet-step.js';
import type { TrainingStep } from '../../step/training-step.js';
import { makeWorkload } from '../../step/workload.js';
import type { Backend, Computation, Library, Training } from '../protocol.js';
import { prepareComputation, type PreparedComputation } from './computations.js';

/** This library on one of its devices, the CPU with so many threads. */
export async function openOurs(device: 'cpu' | 'webgpu', backend: Backend, threads: number): Promise<Library> {
  return new Ours(backend === 'null' ? await openNullDevice() : await openDevice(device, { threads }));
}

class Ours implements Library {
  readonly description: string;
  readonly #device: Device;
  #step: TrainingStep | undefined;
  #computation: PreparedComputation | undefined;

  constructor(device: Device) {
    this.#device = device;
    this.description = device.info.description;
  }

  prepare(training: Training): Promise<void> {
    this.#step?.dispose();
    this.#step =
      'net' in training
        ? netStep(this.#device, training.net)
        : myNetStep(this.#device, makeWorkload(), training.dropout);
    return Promise.resolve();
  }

  train(steps: number, readEvery: number): Promise<void> {
    return this.#prepared().run(steps, readEvery);
  }

  losses(steps: number): Promise<number[]> {
    return this.#prepared().losses(steps);
  }

  async compute(computation: Computation, times: number): Promise<void> {
    const { compute } = this.#computationOf(computation);
    for (let i = 0; i < times; i++) await compute();
    await this.#device.finished();
  }

  async elements(computation: Computation, places: readonly number[]): Promise<number[]> {
    const values = await (await this.#computationOf(computation).compute()).data();
    return places.map((place) => values[place] ?? NaN);
  }

  #prepared(): TrainingStep {
    if (!this.#step) throw new Error('prepare() comes first');
    return this.#step;
  }

  #computationOf(computation: Computation): PreparedComputation {
    const key = JSON.stringify(computation);
    if (this.#computation?.key === key) return this.#computation;
    this.#computation?.dispose();
    this.#computation = { key, ...prepareComputation(computation, this.#device) };
    return this.#computation;
  }
}

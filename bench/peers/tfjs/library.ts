import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { describeAdapter } from '../dawn.js';
import type { Computation, Library, Training } from '../protocol.js';
import { prepareComputation, type PreparedComputation } from './computations.js';
import { MyNetTraining } from './mynet.js';
import { NetTraining } from './net.js';

type BackendName = 'webgpu' | 'wasm' | 'cpu';

const DESCRIPTIONS: Readonly<Record<Exclude<BackendName, 'webgpu'>, string>> = {
  wasm: 'WebAssembly, 1 thread',
  cpu: 'plain JavaScript',
};

/** TensorFlow.js with one of its backends. */
export async function openTensorFlow(backend: BackendName): Promise<Library> {
  if (backend === 'webgpu') await import('@tensorflow/tfjs-backend-webgpu');
  if (backend === 'wasm') await import('@tensorflow/tfjs-backend-wasm');
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs has no backend ${backend} here`);
  await tf.ready();
  tf.enableProdMode();
  return new TensorFlow(backend === 'webgpu' ? await describeAdapter() : DESCRIPTIONS[backend]);
}

class TensorFlow implements Library {
  readonly description: string;
  #training: MyNetTraining | NetTraining | undefined;
  #computation: PreparedComputation | undefined;
  #last: tf.Tensor | undefined;

  constructor(description: string) {
    this.description = description;
  }

  prepare(training: Training): Promise<void> {
    this.#training?.dispose();
    this.#training = 'net' in training ? new NetTraining(training.net) : new MyNetTraining(training.dropout);
    return Promise.resolve();
  }

  async train(steps: number, readEvery: number): Promise<void> {
    for (let i = 1; i <= steps; i++) {
      const loss = this.#step();
      if (i % readEvery === 0) await loss.data();
      loss.dispose();
    }
    await this.#finished();
  }

  async losses(steps: number): Promise<number[]> {
    const losses: number[] = [];
    for (let i = 0; i < steps; i++) {
      const loss = this.#step();
      losses.push(...(await loss.data()));
      loss.dispose();
    }
    return losses;
  }

  async compute(computation: Computation, times: number): Promise<void> {
    const { compute } = this.#computationOf(computation);
    for (let i = 0; i < times; i++) {
      this.#last?.dispose();
      this.#last = compute();
    }
    await this.#finished();
  }

  async elements(computation: Computation, places: readonly number[]): Promise<number[]> {
    const { compute, asTold } = this.#computationOf(computation);
    const values = await tf.tidy(() => asTold(compute())).data();
    return places.map((place) => values[place] ?? NaN);
  }

  #step(): tf.Scalar {
    if (!this.#training) throw new Error('prepare() comes first');
    return this.#training.step();
  }

  #computationOf(computation: Computation): PreparedComputation {
    const key = JSON.stringify(computation);
    if (this.#computation?.key === key) return this.#computation;
    this.#computation?.dispose();
    this.#computation = { key, ...prepareComputation(computation) };
    return this.#computation;
  }

  /** WebGPU: its compute pass is ended and its queue submitted and waited for; the others compute at once. */
  async #finished(): Promise<void> {
    if (tf.getBackend() !== 'webgpu') return;
    const backend = tf.backend() as WebGPUBackend;
    backend.ensureCommandEncoderReady();
    backend.endComputePassEncoder();
    backend.submitQueue();
    await backend.queue.onSubmittedWorkDone();
  }
}

import { compile, type Device, matmul, Variable } from '../../lib/index.js';
import { openDevice } from '../../lib/node/index.js';
import { openNullDevice } from '../host/null-device.js';
import { TrainingStep } from '../step/training-step.js';
import { makeWorkload, type Workload } from '../step/workload.js';
import { makeMatrices } from './matrices.js';
import type { Backend, Library } from './protocol.js';

/** This library on one of its devices, the CPU with so many threads. */
export async function openOurs(device: 'cpu' | 'webgpu', backend: Backend, threads: number): Promise<Library> {
  return new Ours(backend === 'null' ? await openNullDevice() : await openDevice(device, { threads }));
}

interface Product {
  readonly size: number;
  readonly factors: readonly [Variable, Variable];
  readonly multiply: ReturnType<typeof compileProduct>;
}

class Ours implements Library {
  readonly description: string;
  readonly #device: Device;
  readonly #work: Workload = makeWorkload();
  #step: TrainingStep | undefined;
  #product: Product | undefined;

  constructor(device: Device) {
    this.#device = device;
    this.description = device.info.description;
  }

  prepare(dropout: number): Promise<void> {
    this.#step?.dispose();
    this.#step = new TrainingStep(this.#device, this.#work, dropout);
    return Promise.resolve();
  }

  train(steps: number, readEvery: number): Promise<void> {
    return this.#prepared().run(steps, readEvery);
  }

  losses(steps: number): Promise<number[]> {
    return this.#prepared().losses(steps);
  }

  async multiply(size: number, times: number): Promise<void> {
    const { multiply } = this.#productOf(size);
    for (let i = 0; i < times; i++) await multiply();
    await this.#device.finished();
  }

  async productElement(size: number, row: number, column: number): Promise<number> {
    const values = await (await this.#productOf(size).multiply()).data();
    return values[row * size + column] ?? NaN;
  }

  #prepared(): TrainingStep {
    if (!this.#step) throw new Error('prepare() comes first');
    return this.#step;
  }

  #productOf(size: number): Product {
    if (this.#product?.size === size) return this.#product;
    for (const owned of this.#product ? [...this.#product.factors, this.#product.multiply] : []) owned.dispose();
    const [a, b] = makeMatrices(size);
    const factors = [new Variable('a', a, [size, size]), new Variable('b', b, [size, size])] as const;
    this.#product = { size, factors, multiply: compileProduct(...factors, this.#device) };
    return this.#product;
  }
}

function compileProduct(a: Variable, b: Variable, device: Device) {
  return compile(() => matmul(a.value, b.value), { device });
}

/** The program of the pages: what test/browser/browser.test.ts calls in them. It is bundled as users bundle theirs. */
import {
  compile,
  Dense,
  type Device,
  type DeviceInfo,
  fit,
  fromArrays,
  matmul,
  openDevice,
  RandomStream,
  ReLU,
  Sequential,
  SGD,
  tensor,
  tune,
} from 'kernelwright';

import { distinct, probeOn } from '../support/thread-probe.js';

const normal = (name: string, count: number) => new RandomStream(3, name).normal(count);
const square = (name: string, size = 300) => tensor(normal(name, size * size), { shape: [size, size] });

/** What the device says of itself, and a product of two matrices [300, 300], computed on it. */
async function productOn(device?: Device): Promise<{ info: DeviceInfo; bits: number[] }> {
  const multiply = compile((a, b) => matmul(a, b), device && { device });
  const product = await (await multiply(square('a'), square('b'))).data();
  const [plan] = multiply.plans();
  if (!plan) throw new Error('nothing was compiled');
  return { info: { ...plan.device.info }, bits: Array.from(new Uint32Array(Float32Array.from(product).buffer)) };
}

const page = {
  isIsolated: (): boolean => crossOriginIsolated,

  /** How many threads the machine runs, by what the browser says of it. */
  cores: (): number => navigator.hardwareConcurrency,

  /** On a CPU device that is opened with this number of threads; `before` is what it said when it was opened. */
  async product(threads: number) {
    const device = await openDevice('cpu', { threads });
    const before = { ...device.info };
    const product = await productOn(device);
    device.dispose();
    return { ...product, before };
  },

  /** On the device that serves where none is named. */
  productOnDefault: () => productOn(),

  /** How many threads compute in a loop that leaves the page no time for anything else: of so many, in up to 1,000 calls. */
  async busyThreads(module: string, threads: number): Promise<number> {
    const device = await openDevice('cpu', { threads });
    const probe = probeOn(device, module);
    const found = new Set<number>();
    for (let turn = 0; turn < 1000 && found.size < threads; turn++) {
      for (const address of distinct(await probe(0))) found.add(address);
    }
    device.dispose();
    return found.size;
  },

  /** Losses of some epochs on the device of this kind. */
  async train(kind: 'cpu' | 'webgpu') {
    const device = await openDevice(kind);
    const inputs = tensor(normal('inputs', 50 * 6), { shape: [50, 6] });
    const rows = await inputs.array();
    const data = fromArrays(
      rows as number[][],
      (rows as number[][]).map(([first = 0]) => Number(first > 0)),
    );
    const model = new Sequential([new Dense(9), new ReLU(), new Dense(2)]);
    const optimizer = new SGD({ learningRate: 0.1, momentum: 0.9 });
    const { loss } = await fit(model, data, { epochs: 4, batchSize: 16, optimizer, device });
    const info = { ...device.info };
    device.dispose();
    return { info, loss };
  },

  /** How a product of this size comes by its kernel on WebGPU, and what tuning complains of. */
  async tune(size = 300) {
    const device = await openDevice('webgpu');
    await tune(device);
    const multiply = compile((a, b) => matmul(a, b), { device });
    await multiply(square('a', size), square('b', size));
    const { choices, warnings } = await tune(device);
    device.dispose();
    return { sources: choices.map(({ source }) => source), warnings };
  },

  /** From now on this page has an IndexedDB like those of browsers that refuse it. */
  refuseIndexedDb(how: 'no such property' | 'reading it throws' | 'opening fails'): void {
    const get = () => {
      if (how === 'no such property') return undefined;
      if (how === 'reading it throws') throw new DOMException('the operation is insecure', 'SecurityError');
      return { open: failingRequest };
    };
    Object.defineProperty(globalThis, 'indexedDB', { get, configurable: true });
  },
};

/** A request of IndexedDB that fails, as in a private window. */
function failingRequest(): object {
  const request = {
    error: new DOMException('a mutation was not allowed', 'InvalidStateError'),
    onerror: () => undefined,
  };
  setTimeout(() => request.onerror());
  return request;
}

/** What the pages can be asked for. */
export type Page = typeof page;

Object.assign(globalThis, { page });

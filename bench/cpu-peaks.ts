import { readFile } from 'node:fs/promises';
import { measure, type Timed } from './measure.js';
import { PEAK_RUNS, type Peaks, perSecond } from './runner.js';

/** Each array of the copy: larger than caches are. */
const COPY_BYTES = 64 * 2 ** 20;
const STEPS = 1_000_000;
/** Multiply-adds in a step: 12 chains of vectors of four. */
const MULTIPLY_ADDS = 12 * 4;
const PAGE = 65_536;

/** Measures the roofs of one thread with bench/kernels/peaks.wat; the floor is the time of the empty call. */
export async function cpuPeaks(emptyCall: Timed): Promise<Peaks> {
  const memory = new WebAssembly.Memory({ initial: (2 * COPY_BYTES) / PAGE + 1 });
  const { instance } = await WebAssembly.instantiate(await assembled(), { env: { memory } });
  const time = async (name: string, ...values: readonly number[]): Promise<number> => {
    const call = instance.exports[name];
    if (!isFunction(call)) throw new Error(`peaks.wat exports no function ${name}`);
    const { fastestMilliseconds } = await measure((repeats) => {
      const start = performance.now();
      for (let repeat = 0; repeat < repeats; repeat++) call(...values);
      return Promise.resolve(performance.now() - start);
    }, PEAK_RUNS);
    return fastestMilliseconds;
  };
  return {
    gflops: perSecond(2 * MULTIPLY_ADDS * STEPS, await time('multiplyAdd', 0, STEPS)),
    gigabytesPerSecond: perSecond(2 * COPY_BYTES, await time('copy', PAGE, PAGE + COPY_BYTES, COPY_BYTES)),
    floorMilliseconds: (await measure(emptyCall, PEAK_RUNS)).fastestMilliseconds,
  };
}

async function assembled(): Promise<Uint8Array<ArrayBuffer>> {
  const { default: loadWabt } = await import('wabt');
  const text = await readFile(new URL('kernels/peaks.wat', import.meta.url), 'utf8');
  const wabt = await loadWabt();
  const module = wabt.parseWat('bench/kernels/peaks.wat', text, { simd: true });
  const { buffer } = module.toBinary({});
  module.destroy();
  return new Uint8Array(buffer);
}

function isFunction(value: unknown): value is (...values: readonly number[]) => void {
  return typeof value === 'function';
}

import type { SimdKernel } from '../../graph/simd.js';

/** An exported function of a kernel. */
export type SimdFunction = (...values: readonly number[]) => void;

/** Kernels of one memory: each module is compiled and instantiated once. */
export class SimdKernels {
  readonly #memory: WebAssembly.Memory;
  readonly #instances = new Map<string, Promise<WebAssembly.Exports>>();

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
  }

  async get({ module, entryPoint }: SimdKernel): Promise<SimdFunction> {
    const instance = this.#instances.get(module) ?? this.#instantiate(module);
    this.#instances.set(module, instance);
    const found = (await instance)[entryPoint];
    if (!isFunction(found)) throw new Error(`a SIMD kernel exports no function ${entryPoint}`);
    return found;
  }

  async #instantiate(module: string): Promise<WebAssembly.Exports> {
    const { instance } = await WebAssembly.instantiate(bytesOf(module), { env: { memory: this.#memory } });
    return instance.exports;
  }
}

/** A module of one function that uses a vector: what an engine without SIMD refuses. */
const PROBE = 'AGFzbQEAAAABBQFgAAF7AwIBAAoKAQgAQQD9D/1iCw==';

/** Whether this engine has WebAssembly SIMD; without it the references run. */
export function hasSimd(): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(bytesOf(PROBE));
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function isFunction(value: unknown): value is SimdFunction {
  return typeof value === 'function';
}

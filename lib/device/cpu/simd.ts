import type { SimdKernel } from '../../graph/simd.js';
import type { Heap } from './heap.js';

/** A kernel that is ready to be called. */
export interface LinkedKernel {
  readonly run: (...values: readonly number[]) => void;
  /** Address of its record for other threads: start of its module's bytes, how many there are, index of the export. */
  readonly record: number;
}

/** A module, and where its bytes lie. */
interface LoadedModule {
  readonly exports: WebAssembly.Exports;
  readonly names: readonly string[];
  readonly start: number;
  readonly bytes: number;
}

/** Kernels of one heap: each module is compiled and instantiated once, and stays. */
export class SimdKernels {
  readonly #heap: Heap;
  readonly #modules = new Map<string, Promise<LoadedModule>>();
  readonly #kernels = new Map<string, LinkedKernel>();

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  async get({ module, relaxed, entryPoint }: SimdKernel): Promise<LinkedKernel> {
    const chosen = relaxed !== undefined && hasRelaxedSimd() ? relaxed : module;
    const loading = this.#modules.get(chosen) ?? this.#load(chosen);
    this.#modules.set(chosen, loading);
    const loaded = await loading;
    const key = `${loaded.start} ${entryPoint}`;
    const kernel = this.#kernels.get(key) ?? this.#link(loaded, entryPoint);
    this.#kernels.set(key, kernel);
    return kernel;
  }

  async #load(hexadecimal: string): Promise<LoadedModule> {
    const bytes = bytesOf(this.#heap.isShared ? hexadecimal : withoutSharing(hexadecimal));
    const { memory } = this.#heap;
    const { module, instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
    return {
      exports: instance.exports,
      names: WebAssembly.Module.exports(module).map(({ name }) => name),
      start: this.#heap.place(bytes),
      bytes: bytes.length,
    };
  }

  #link({ exports, names, start, bytes }: LoadedModule, entryPoint: string): LinkedKernel {
    const run = exports[entryPoint];
    if (!isFunction(run)) throw new Error(`a SIMD kernel exports no function ${entryPoint}`);
    const record = Uint32Array.of(start, bytes, names.indexOf(entryPoint));
    return { run, record: this.#heap.place(new Uint8Array(record.buffer)) };
  }
}

/** A module of one function that uses a vector: what an engine without SIMD refuses. */
const SIMD = '0061736d010000000105016000017b030201000a0a0108004100fd0ffd620b';

/** A module of one function that calls f32x4.relaxed_madd. */
const RELAXED_SIMD = '0061736d0100000001060160017b017b030201000a0d010b00200020002000fd85020b';

/** Whether WebAssembly SIMD is to be had: an engine may lack it, a page's Content-Security-Policy forbid it. */
export function hasSimd(): boolean {
  if (!accepts(SIMD)) return false;
  try {
    new WebAssembly.Module(bytesOf(SIMD));
    return true;
  } catch {
    return false;
  }
}

/** Whether this engine has relaxed SIMD, whose multiply-add is one instruction. */
export function hasRelaxedSimd(): boolean {
  return accepts(RELAXED_SIMD);
}

function accepts(module: string): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(bytesOf(module));
}

/** The module for a memory that is not shared: the flags of the limits that follow the import's name, `memory`, say so. */
function withoutSharing(module: string): string {
  return module.replace('066d656d6f72790203', '066d656d6f72790201');
}

/** The bytes that a text of hexadecimal digits stands for. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

function isFunction(value: unknown): value is (...values: readonly number[]) => void {
  return typeof value === 'function';
}

import { bytesOf } from '../../lib/device/cpu/simd.js';
import type { SimdKernel } from '../../lib/graph/simd.js';

/** The memory in which the tests call SIMD kernels by hand. */
export const memory = new WebAssembly.Memory({ initial: 64, maximum: 65_536, shared: true });
const instances = new Map<string, WebAssembly.Instance>();

/** Calls a SIMD kernel without a device. */
export function callSimd({ module, entryPoint }: SimdKernel, values: readonly number[]): void {
  const instance =
    instances.get(module) ?? new WebAssembly.Instance(new WebAssembly.Module(bytesOf(module)), { env: { memory } });
  instances.set(module, instance);
  const run = instance.exports[entryPoint];
  if (!isFunction(run)) throw new Error(`a SIMD kernel exports no function ${entryPoint}`);
  // WebAssembly takes 0 for what is missing, and passes over what is too much.
  if (run.length !== values.length)
    throw new Error(`${entryPoint} takes ${run.length} arguments, got ${values.length}`);
  run(...values);
}

function isFunction(value: unknown): value is (...values: readonly number[]) => void {
  return typeof value === 'function';
}

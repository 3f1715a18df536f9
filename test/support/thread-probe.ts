import { compile } from '../../lib/compile.js';
import type { Device } from '../../lib/device/device.js';
import { applyOne } from '../../lib/graph/node.js';
import type { Operation } from '../../lib/graph/operation.js';

/**
 * Writes to output[i], in task i, the address of the scratch memory of the thread that ran it, having turned in circles
 * for a while. Where `only` is not 0, threads fail whose scratch memory is elsewhere.
 */
export const THREAD_PROBE = `(module
  (import "env" "memory" (memory 1))
  (func (export "probe") (param $only i32) (param $output i32) (param $scratch i32) (param $turns i32)
    (loop $next
      (local.set $turns (i32.sub (local.get $turns) (i32.const 1)))
      (br_if $next (local.get $turns)))
    (local.set $only (i32.load (local.get $only)))
    (if (i32.and (i32.ne (local.get $only) (i32.const 0)) (i32.ne (local.get $scratch) (local.get $only)))
      (then (unreachable)))
    (i32.store (local.get $output) (local.get $scratch))))`;

const TASKS = 50;

/** {@link THREAD_PROBE}, assembled, as a compiled function on a device: of `only`, what the tasks wrote. */
export function probeOn(device: Device, module: string): (only: number) => Promise<number[]> {
  const kernel = { module, entryPoint: 'probe' };
  const operation: Operation = {
    name: 'probe',
    infer: () => [{ shape: [TASKS], dtype: 'u32' }],
    reference: () => undefined,
    kernel: () => [],
    simd: () => [
      {
        tasks: Array.from({ length: TASKS }, (_, i) => [
          { kernel, arguments: [{ input: 0 }, { output: 0, offset: 4 * i }, { scratch: true }, 200_000] },
        ]),
        scratchBytes: 4,
      },
    ],
    gradient: { none: 'it is a test' },
    tolerance: { absolute: 0, relative: 0 },
    cases: [],
  };
  const who = compile((only) => applyOne(operation, [only], {}), { device });
  return async (only) => Array.from(await (await who(Uint32Array.of(only))).data());
}

/** Addresses that were found, each once, in order. */
export const distinct = (addresses: readonly number[]): number[] => [...new Set(addresses)].sort((a, b) => a - b);

import { readFile } from 'node:fs/promises';
import type { Operation, TensorSpec } from '../lib/graph/operation.js';
import type { SimdArgument } from '../lib/graph/simd.js';
import { loadAssembler } from '../tools/inline-kernels.js';
import type { Entry } from './entry.js';
import { type Peaks, perSecond } from './runner.js';

/** Each array of the copy: larger than caches are. */
const COPY_BYTES = 64 * 2 ** 20;
const STEPS = 1_000_000;
/** Multiply-adds in a step: 12 chains of vectors of four. */
const MULTIPLY_ADDS = 12 * 4;
/** What the copy moves at a time. */
const LINE_BYTES = 64;

/**
 * Measures the roofs of so many threads with bench/kernels/peaks.wat, a task each.
 *
 * @param fastest milliseconds of an entry's fastest execution
 */
export async function cpuPeaks(
  threads: number,
  fastest: (entry: Entry) => Promise<number>,
): Promise<Omit<Peaks, 'floorMilliseconds'>> {
  const assemble = await loadAssembler();
  const path = 'bench/kernels/peaks.wat';
  const module = assemble(path, await readFile(new URL('kernels/peaks.wat', import.meta.url), 'utf8'));
  const perThread = (
    task: (thread: number) => readonly SimdArgument[],
    entryPoint: string,
    output: TensorSpec,
  ): Entry => {
    const tasks = Array.from({ length: threads }, (_, thread) => [
      { kernel: { module, entryPoint }, arguments: task(thread) },
    ]);
    const operation: Operation = {
      name: entryPoint,
      infer: () => [output],
      reference: () => undefined,
      kernel: () => [],
      simd: () => [{ tasks }],
      gradient: { none: 'it is a benchmark' },
      tolerance: { absolute: 0, relative: 0 },
      cases: [],
    };
    return { operation, name: entryPoint, inputs: [output], attributes: {} };
  };

  const multiplyAdd = perThread((thread) => [{ output: 0, offset: LINE_BYTES * thread }, STEPS], 'multiplyAdd', {
    shape: [(LINE_BYTES / 4) * threads],
    dtype: 'f32',
  });
  const lines = COPY_BYTES / LINE_BYTES;
  const start = (thread: number): number => LINE_BYTES * Math.floor((lines * thread) / threads);
  const copy = perThread(
    (thread) => [
      { input: 0, offset: start(thread) },
      { output: 0, offset: start(thread) },
      start(thread + 1) - start(thread),
    ],
    'copy',
    { shape: [COPY_BYTES / 4], dtype: 'f32' },
  );
  return {
    gflops: perSecond(2 * MULTIPLY_ADDS * STEPS * threads, await fastest(multiplyAdd)),
    gigabytesPerSecond: perSecond(2 * COPY_BYTES, await fastest(copy)),
  };
}

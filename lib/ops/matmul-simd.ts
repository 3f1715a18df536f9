import { matmulWasm } from '../generated/wasm.js';
import { ceilDivide } from '../graph/launch.js';
import type { SimdPhase, SimdTask } from '../graph/simd.js';
import { forEachOffset, type Shape } from '../shape.js';
import { type MatmulAttributes, sizesOf } from './matmul-sizes.js';

/** A task of kernels/matmul.wat for each matrix of the batch; none for an empty sum, which the reference fills with 0. */
export function matmulSimdPhases(a: Shape, b: Shape, attributes: MatmulAttributes): SimdPhase[] | undefined {
  const { M, N, K, batch } = sizesOf(a, b, attributes);
  if (K === 0) return undefined;
  const [rowA, stepA] = attributes.transposeA ? [4, 4 * M] : [4 * K, 4];
  const [columnB, stepB] = attributes.transposeB ? [4 * K, 4] : [4, 4 * N];
  const scratchBytes = 128 + 1024 * (4 * ceilDivide(M, 4) + 8 * ceilDivide(N, 8));
  const tasks: SimdTask[] = [];
  forEachOffset(batch, ([startA = 0, startB = 0], i) => {
    const inputA = { input: 0, offset: 4 * startA };
    const inputB = { input: 1, offset: 4 * startB };
    const output = { output: 0, offset: 4 * i * M * N };
    const kernel = { module: matmulWasm, entryPoint: 'matmul' };
    tasks.push([
      { kernel, arguments: [inputA, rowA, stepA, inputB, stepB, columnB, output, M, N, K, { scratch: true }] },
    ]);
  });
  return [{ tasks, scratchBytes }];
}

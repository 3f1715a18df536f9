import { elementAt } from '../../element-at.js';
import { OptionError } from '../../errors.js';
import { bytesWasm } from '../../generated/wasm.js';
import { bytesWgsl, commonWgsl } from '../../generated/wgsl.js';
import { at, defineOperation } from '../../graph/define.js';
import { ceilDivide, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { any, f32, i32 } from '../../graph/operands.js';
import type { DType } from '../../graph/operation.js';
import { number } from '../../options.js';
import { type Shape, sizeOf } from '../../shape.js';
import { elementParts, rowParts } from '../simd-parts.js';

/** What bytes are multiplied by where they are read. */
export const scaleRule = number();

/** Throws OptionError for a scale of what is not bytes. */
export function checkNoScale(caller: string, dtype: DType, scale: number | undefined): void {
  if (scale !== undefined) throw new OptionError(`${caller}: scale goes with bytes (u8), found ${dtype}`);
}

const bytes = any('u8');

type BytesAttributes = { readonly scale: number };

/** A product that lies almost in the middle between two floats may become either. */
const TOLERANCE = { absolute: 0, relative: 1.2e-7 };

/** Bytes as numbers: byte · scale. `cast` is its public form. */
export const scaleBytes = defineOperation<BytesAttributes>()({
  name: 'scaleBytes',
  inputs: { bytes: bytes('...') },
  outputs: { output: f32('...') },
  reference({ bytes, output }, _, { scale }) {
    bytes.data.forEach((byte, i) => {
      output.set(i, byte * scale);
    });
  },
  kernel: ({ specs: { bytes }, attributes: { scale } }) => [
    { ...launchOf('scaleBytes', { R: 1, D: 1, I: sizeOf(bytes.shape) }, scale), bindings: ['bytes', 'output'] },
  ],
  simd({ specs: { bytes }, attributes: { scale } }) {
    const kernel = { module: bytesWasm, entryPoint: 'scaleBytes' };
    const tasks = elementParts(sizeOf(bytes.shape)).map(({ start, count }) => [
      { kernel, arguments: [at('bytes', start), at('output', 4 * start), count, ...scaleParts(scale)] },
    ]);
    return [{ tasks }];
  },
  gradient: { none: 'bytes are integers' },
  tolerance: TOLERANCE,
  cases: [[], [0], [1], [7], [3, 65], [64], [257]].map((shape, i) => ({
    inputs: { bytes: { shape, dtype: 'u8', fill: { below: 256 } } },
    attributes: { scale: elementAt([1 / 255, 1, -0.3, 1e-3], i % 4) },
  })),
  benchmarks: {
    vector: {
      inputs: { bytes: { shape: [2 ** 20], dtype: 'u8', fill: { below: 256 } } },
      attributes: { scale: 1 / 255 },
    },
  },
});

function rowsCase([shape, indices, scale]: readonly [
  table: readonly [number, ...Shape],
  indices: Shape,
  scale: number,
]) {
  return {
    inputs: {
      table: { shape, dtype: 'u8' as const, fill: { below: 256 } },
      indices: { shape: indices, dtype: 'i32' as const, fill: { below: shape[0] } },
    },
    attributes: { scale },
  };
}

/** Rows of a table of bytes as numbers: byte · scale. `gather` is its public form. */
export const gatherBytes = defineOperation<BytesAttributes>()({
  name: 'gatherBytes',
  inputs: { table: bytes('R', '...row'), indices: i32('...') },
  outputs: { output: f32('...', '...row') },
  reference({ table, indices, output }, { R }, { scale }) {
    const D = sizeOf(table.shape.slice(1));
    indices.data.forEach((row, i) => {
      const exists = row >= 0 && row < R;
      for (let d = 0; d < D; d++) output.set(i * D + d, exists ? table.at(row * D + d) * scale : NaN);
    });
  },
  kernel({ specs: { table, indices }, sizes: { R }, attributes: { scale } }) {
    const [D, I] = [sizeOf(table.shape.slice(1)), sizeOf(indices.shape)];
    return [{ ...launchOf('gatherBytes', { R, D, I }, scale), bindings: ['table', 'indices', 'output'] }];
  },
  simd({ specs: { table, indices }, sizes: { R }, attributes: { scale } }) {
    const [D, I] = [sizeOf(table.shape.slice(1)), sizeOf(indices.shape)];
    const kernel = { module: bytesWasm, entryPoint: 'gatherBytes' };
    const tasks = rowParts(I, D).map(({ start, count }) => {
      const rows = ['table', at('indices', 4 * start), at('output', 4 * start * D)] as const;
      return [{ kernel, arguments: [...rows, R, D, count, ...scaleParts(scale)] }];
    });
    return [{ tasks }];
  },
  gradient: { none: 'bytes are integers' },
  selectsRows: { table: 'table', indices: 'indices' },
  tolerance: TOLERANCE,
  cases: (
    [
      [[7, 3], [5], 1],
      [[50, 16], [4, 9], 1 / 255],
      [[3, 1], [2, 2, 2], -0.3],
      [[5], [7], 1 / 128],
      [[3, 65], [0], 1],
      [[2, 3, 7], [3], 1e-3],
    ] as const
  ).map(rowsCase),
  cost({ specs: { table, indices } }) {
    const taken = sizeOf(indices.shape) * sizeOf(table.shape.slice(1));
    return { flop: taken, bytes: 5 * taken + 4 * sizeOf(indices.shape) };
  },
  benchmarks: { mynetBatch: rowsCase([[440, 2352], [32], 1 / 255]) },
});

function launchOf(
  entryPoint: 'scaleBytes' | 'gatherBytes',
  { R, D, I }: { readonly R: number; readonly D: number; readonly I: number },
  scale: number,
) {
  return {
    kernel: { name: entryPoint, code: commonWgsl + bytesWgsl, entryPoint },
    uniformsAt: 3,
    uniforms: new Uniforms()
      .u32(R, D, I, 0)
      .f32(...scaleParts(scale))
      .bytes(),
    workgroups: foldWorkgroups(ceilDivide(I * D, 64)),
  };
}

/**
 * A scale as kernels take it: a float of 16 bits, whose product with a byte is exact in f32, and what is left of it. The
 * sum of the two products is rounded once, so that it is byte · scale as float64 rounds it to f32.
 */
export function scaleParts(scale: number): readonly [high: number, low: number] {
  const words = new Uint32Array(Float32Array.of(scale).buffer).map((word) => word & 0xffffff00);
  const [high = NaN] = new Float32Array(words.buffer);
  return [high, Math.fround(scale - high)];
}

export const bytesOperations = [scaleBytes, gatherBytes];

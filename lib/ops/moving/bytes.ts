import { OptionError, ShapeError } from '../../errors.js';
import { bytesWasm } from '../../generated/wasm.js';
import { bytesWgsl, commonWgsl } from '../../generated/wgsl.js';
import { type Binding, ceilDivide, foldWorkgroups, type Launch, Uniforms } from '../../graph/launch.js';
import { defineOperation, type DType } from '../../graph/operation.js';
import { number } from '../../options.js';
import { formatShape, type Shape, sizeOf } from '../../shape.js';
import { elementParts, rowParts } from '../simd-parts.js';

/** What bytes are multiplied by where they are read. */
export const scaleRule = number();

/** Throws OptionError for a scale of what is not bytes. */
export function checkNoScale(caller: string, dtype: DType, scale: number | undefined): void {
  if (scale !== undefined) throw new OptionError(`${caller}: scale goes with bytes (u8), found ${dtype}`);
}

type BytesAttributes = { readonly scale: number };

/** A product that lies almost in the middle between two floats may become either. */
const TOLERANCE = { absolute: 0, relative: 1.2e-7 };

/** Bytes as numbers: byte · scale. `cast` is its public form. */
export const scaleBytes = defineOperation<BytesAttributes>({
  name: 'scaleBytes',
  infer: ([bytes]) => [{ shape: bytes?.shape ?? [], dtype: 'f32' }],
  reference({ inputs: [bytes], outputs: [output], attributes: { scale } }) {
    bytes?.data.forEach((byte, i) => {
      if (output) output.data[i] = byte * scale;
    });
  },
  kernel({ inputs: [bytes], attributes: { scale } }) {
    const I = sizeOf(bytes?.shape ?? []);
    return [launchOf('scaleBytes', [{ input: 0 }, { output: 0 }], { R: 1, D: 1, I }, scale)];
  },
  simd({ inputs: [bytes], attributes: { scale } }) {
    const kernel = { module: bytesWasm, entryPoint: 'scaleBytes' };
    const tasks = elementParts(sizeOf(bytes?.shape ?? [])).map(({ start, count }) => {
      const [from, to] = [
        { input: 0, offset: start },
        { output: 0, offset: 4 * start },
      ];
      return [{ kernel, arguments: [from, to, count, ...scaleParts(scale)] }];
    });
    return [{ tasks }];
  },
  gradient: { none: 'bytes are integers' },
  takesBytes: true,
  tolerance: TOLERANCE,
  cases: [[], [0], [1], [7], [3, 65], [64], [257]].map((shape, i) => ({
    inputs: [{ shape, dtype: 'u8', fill: { below: 256 } }],
    attributes: { scale: [1 / 255, 1, -0.3, 1e-3][i % 4] ?? 1 },
  })),
});

/** R rows of D bytes, I indices. */
function sizesOf(table: Shape = [], indices: Shape = []) {
  return { R: table[0] ?? 0, D: sizeOf(table.slice(1)), I: sizeOf(indices) };
}

/** Rows of a table of bytes as numbers: byte · scale. `gather` is its public form. */
export const gatherBytes = defineOperation<BytesAttributes>({
  name: 'gatherBytes',
  infer([table, indices]) {
    if (table?.dtype !== 'u8' || table.shape.length === 0 || indices?.dtype !== 'i32') {
      throw new ShapeError(
        `gather: needs a table [rows, ..] and indices of type i32, found ${formatShape(table?.shape ?? [])} and ${indices?.dtype ?? 'nothing'}`,
      );
    }
    return [{ shape: [...indices.shape, ...table.shape.slice(1)], dtype: 'f32' }];
  },
  reference({ inputs: [table, indices], outputs: [output], attributes: { scale } }) {
    if (!table || !indices || !output) return;
    const { R, D } = sizesOf(table.shape, indices.shape);
    indices.data.forEach((row, i) => {
      const exists = row >= 0 && row < R;
      for (let d = 0; d < D; d++) output.data[i * D + d] = exists ? (table.data[row * D + d] ?? NaN) * scale : NaN;
    });
  },
  kernel: ({ inputs: [table, indices], attributes: { scale } }) => [
    launchOf('gatherBytes', [{ input: 0 }, { input: 1 }, { output: 0 }], sizesOf(table?.shape, indices?.shape), scale),
  ],
  simd({ inputs: [table, indices], attributes: { scale } }) {
    const { R, D, I } = sizesOf(table?.shape, indices?.shape);
    const kernel = { module: bytesWasm, entryPoint: 'gatherBytes' };
    const tasks = rowParts(I, D).map(({ start, count }) => {
      const rows = [{ input: 0 }, { input: 1, offset: 4 * start }, { output: 0, offset: 4 * start * D }];
      return [{ kernel, arguments: [...rows, R, D, count, ...scaleParts(scale)] }];
    });
    return [{ tasks }];
  },
  gradient: { none: 'bytes are integers' },
  takesBytes: true,
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
  ).map(([shape, indices, scale]) => ({
    inputs: [
      { shape, dtype: 'u8', fill: { below: 256 } },
      { shape: indices, dtype: 'i32', fill: { below: shape[0] } },
    ],
    attributes: { scale },
  })),
});

function launchOf(
  entryPoint: 'scaleBytes' | 'gatherBytes',
  bindings: readonly Binding[],
  { R, D, I }: ReturnType<typeof sizesOf>,
  scale: number,
): Launch {
  return {
    kernel: { name: entryPoint, code: commonWgsl + bytesWgsl, entryPoint },
    bindings,
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
function scaleParts(scale: number): readonly [high: number, low: number] {
  const words = new Uint32Array(Float32Array.of(scale).buffer).map((word) => word & 0xffffff00);
  const [high = NaN] = new Float32Array(words.buffer);
  return [high, Math.fround(scale - high)];
}

export const bytesOperations = [scaleBytes, gatherBytes];

import { stridedCopyWasm } from '../../generated/wasm.js';
import { commonWgsl, stridedCopyWgsl } from '../../generated/wgsl.js';
import { ceilDivide, foldWorkgroups, type Launch, Uniforms } from '../../graph/launch.js';
import { collapse, forEachOffset, sizeOf } from '../../shape.js';
import type { ArrayView } from '../../graph/operation.js';
import type { SimdPhase, SimdTask } from '../../graph/simd.js';
import { blockTasks, elementParts } from '../simd-parts.js';

/**
 * What transpose, slice, concat, broadcastTo, copy and assign have in common: a block of one tensor is moved into a
 * block of another, each walked with strides of its own.
 */
export interface Move {
  readonly sizes: readonly number[];
  readonly from: { readonly start: number; readonly strides: readonly number[] };
  readonly to: { readonly start: number; readonly strides: readonly number[] };
}

/** Reference: output[to.start + …] = input[from.start + …]. */
export function moveElements(move: Move, input: ArrayView, output: ArrayView): void {
  const walk = collapse({ sizes: move.sizes, strides: [move.from.strides, move.to.strides] });
  forEachOffset(walk, ([from = 0, to = 0]) => {
    output.data[move.to.start + to] = input.data[move.from.start + from] ?? 0;
  });
}

/** The launch of kernels/moving/strided_copy.wgsl for a move from input `input` to output 0. */
export function moveLaunch(name: string, move: Move, input = 0): Launch {
  const { sizes, strides } = collapse({ sizes: move.sizes, strides: [move.from.strides, move.to.strides] });
  const count = sizeOf(move.sizes);
  return {
    kernel: { name, code: commonWgsl + stridedCopyWgsl, entryPoint: 'stridedCopy' },
    bindings: [{ input }, { output: 0 }],
    uniforms: new Uniforms()
      .u32(count, sizes.length, move.from.start, move.to.start)
      .axes(sizes, 1)
      .axes(strides[0] ?? [], 0)
      .axes(strides[1] ?? [], 0)
      .bytes(),
    workgroups: foldWorkgroups(ceilDivide(count, 64)),
  };
}

/** Tasks of kernels/moving/strided_copy.wat for a move from input `input` to output 0. */
function moveTasks({ sizes, from, to }: Move, input: number): SimdTask[] | undefined {
  return blockTasks({ sizes, strides: [from.strides, to.strides] }, ({ rows, columns, tensors: [source, target] }) => {
    const [ofSource, ofTarget] = [source?.start ?? 0, target?.start ?? 0];
    return {
      kernel: { module: stridedCopyWasm, entryPoint: 'move' },
      arguments: [
        { input, offset: 4 * (from.start + ofSource) },
        4 * (source?.rowStride ?? 0),
        4 * (source?.columnStride ?? 0),
        { output: 0, offset: 4 * (to.start + ofTarget) },
        4 * (target?.rowStride ?? 0),
        4 * (target?.columnStride ?? 0),
        rows,
        columns,
      ],
    };
  });
}

/** The phase of moves to output 0, none of which touches what another one writes: move i is from input `first` + i. */
export function movePhase(moves: readonly Move[], first = 0): SimdPhase[] | undefined {
  const tasks = moves.map((move, i) => (sizeOf(move.sizes) === 0 ? [] : moveTasks(move, first + i)));
  return tasks.every((own) => own !== undefined) ? [{ tasks: tasks.flat() }] : undefined;
}

/** The phase that fills output 0, of `count` elements, with zeros. */
export function clearPhase(count: number): SimdPhase {
  const kernel = { module: stridedCopyWasm, entryPoint: 'fill' };
  return {
    tasks: elementParts(count).map((part) => [
      { kernel, arguments: [{ output: 0, offset: 4 * part.start }, part.count, 0] },
    ]),
  };
}

/** A move of everything, in order. */
export function wholeMove(count: number): Move {
  const all = { start: 0, strides: [1] };
  return { sizes: [count], from: all, to: all };
}

import { commonWgsl, stridedCopyWgsl } from '../generated/wgsl.js';
import { ceilDivide, foldWorkgroups, type Launch, Uniforms } from '../graph/launch.js';
import { collapse, forEachOffset, sizeOf } from '../shape.js';
import type { ArrayView } from '../graph/operation.js';

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

/** The launch of kernels/strided_copy.wgsl for a move from input `input` to output 0. */
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

/** A move of everything, in order. */
export function wholeMove(count: number): Move {
  const all = { start: 0, strides: [1] };
  return { sizes: [count], from: all, to: all };
}

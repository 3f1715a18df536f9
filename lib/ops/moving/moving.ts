import { elementAt } from '../../element-at.js';
import { stridedCopyWasm } from '../../generated/wasm.js';
import { commonWgsl, stridedCopyWgsl, transposeTilesWgsl, walkTwoWgsl } from '../../generated/wgsl.js';
import { at } from '../../graph/define.js';
import type { NamedCall, NamedLaunch, NamedPhase } from '../../graph/definition.js';
import { ceilDivide, foldWorkgroups, type KernelTarget, Uniforms } from '../../graph/launch.js';
import type { View } from '../../graph/operands.js';
import { collapse, forEachOffset, sizeOf } from '../../shape.js';
import { blockTasks } from '../simd-parts.js';

/**
 * What transpose, slice, concat, broadcastTo, copy and assign have in common: a block of one tensor is moved into a
 * block of another, each walked with strides of its own.
 */
export interface Move {
  readonly sizes: readonly number[];
  readonly from: { readonly start: number; readonly strides: readonly number[] };
  readonly to: { readonly start: number; readonly strides: readonly number[] };
}

/** The tensors of a move: its source, which may be one of an operand that stands for many, and its target. */
export interface MoveBetween<From extends string, To extends string> {
  readonly move: Move;
  readonly from: From;
  readonly index?: number;
  readonly to: To;
}

/** Reference: output[to.start + …] = input[from.start + …]. */
export function moveElements(move: Move, input: View, output: View): void {
  const walk = collapse({ sizes: move.sizes, strides: [move.from.strides, move.to.strides] });
  forEachOffset(walk, ([from, to]) => {
    output.set(move.to.start + to, input.at(move.from.start + from));
  });
}

/** The launch of kernels/moving/strided_copy.wgsl. */
export function moveLaunch<const From extends string, const To extends string>(
  name: string,
  { move, from, index = 0, to }: MoveBetween<From, To>,
): NamedLaunch<From | To> {
  const { sizes, strides } = collapse({ sizes: move.sizes, strides: [move.from.strides, move.to.strides] });
  const count = sizeOf(move.sizes);
  return {
    kernel: { name, code: commonWgsl + walkTwoWgsl + stridedCopyWgsl, entryPoint: 'stridedCopy' },
    bindings: [{ operand: from, index }, to],
    uniforms: new Uniforms()
      .u32(count, sizes.length, move.from.start, move.to.start)
      .axes(sizes, 1)
      .axes(strides[0], 0)
      .axes(strides[1], 0)
      .bytes(),
    workgroups: foldWorkgroups(ceilDivide(count, 64)),
  };
}

/** Fewer rows or columns would leave most of a tile empty. */
const LEAST_OF_A_TILE = 16;
const TILE = 32;

/** The launch of kernels/moving/transpose_tiles.wgsl where neighbours in one tensor are far apart in the other, else the same. */
export function transposeLaunch<const From extends string, const To extends string>(
  name: string,
  between: MoveBetween<From, To>,
  { isSoftware }: Pick<KernelTarget, 'isSoftware'>,
): NamedLaunch<From | To> {
  const { move, from, index = 0, to } = between;
  const { sizes, strides } = collapse({ sizes: move.sizes, strides: [move.from.strides, move.to.strides] });
  const [source, target] = strides;
  const [row, column] = [source.indexOf(1), target.indexOf(1)];
  // On software adapters a barrier takes longer than reading from far apart.
  if (isSoftware || row < 0 || column < 0 || row === column) return moveLaunch(name, between);
  const [rows, columns] = [elementAt(sizes, row), elementAt(sizes, column)];
  if (Math.min(rows, columns) < LEAST_OF_A_TILE) return moveLaunch(name, between);
  const outer = (axes: readonly number[]) => axes.filter((_, axis) => axis !== row && axis !== column);
  const places = sizeOf(outer(sizes));
  return {
    kernel: { name, code: commonWgsl + walkTwoWgsl + transposeTilesWgsl, entryPoint: 'transposeTiles' },
    bindings: [{ operand: from, index }, to],
    uniforms: new Uniforms()
      .u32(rows, columns, places, outer(sizes).length, move.from.start, move.to.start)
      .u32(elementAt(source, column), elementAt(target, row))
      .axes(outer(sizes), 1)
      .axes(outer(source), 0)
      .axes(outer(target), 0)
      .bytes(),
    workgroups: foldWorkgroups(places * ceilDivide(rows, TILE) * ceilDivide(columns, TILE)),
  };
}

/** The phase of moves by kernels/moving/strided_copy.wat, none of which touches what another one writes. */
export function movePhase<const From extends string, const To extends string>(
  moves: readonly MoveBetween<From, To>[],
): NamedPhase<From | To>[] | undefined {
  const tasks = moves.map((each) => (sizeOf(each.move.sizes) === 0 ? [] : moveTasks(each)));
  return tasks.every((own) => own !== undefined) ? [{ tasks: tasks.flat() }] : undefined;
}

function moveTasks<const From extends string, const To extends string>({
  move,
  from,
  index = 0,
  to,
}: MoveBetween<From, To>) {
  const strides = [move.from.strides, move.to.strides] as const;
  return blockTasks({ sizes: move.sizes, strides }, ({ rows, columns, tensors: [source, target] }) => ({
    kernel: { module: stridedCopyWasm, entryPoint: 'move' },
    arguments: [
      { operand: from, index, offset: 4 * (move.from.start + source.start) },
      4 * source.rowStride,
      4 * source.columnStride,
      at(to, 4 * (move.to.start + target.start)),
      4 * target.rowStride,
      4 * target.columnStride,
      rows,
      columns,
    ],
  }));
}

/** A block of a tensor: where it begins, and its axes. */
export interface Region {
  readonly start: number;
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
}

/** Tasks of kernels/moving/strided_copy.wat that fill a region of `operand` with an element whose bits are given. */
export function fillTasks<const Name extends string>(
  operand: Name,
  { start, sizes, strides }: Region,
  bits: number,
): (readonly NamedCall<Name>[])[] | undefined {
  const kernel = { module: stridedCopyWasm, entryPoint: 'fill' };
  return blockTasks({ sizes, strides: [strides] }, ({ rows, columns, tensors: [target] }) => ({
    kernel,
    arguments: [at(operand, 4 * (start + target.start)), 4 * target.rowStride, rows, columns, bits],
  }));
}

/** A move of everything, in order. */
export function wholeMove(count: number): Move {
  const all = { start: 0, strides: [1] };
  return { sizes: [count], from: all, to: all };
}

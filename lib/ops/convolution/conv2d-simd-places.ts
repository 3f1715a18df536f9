import { elementAt } from '../../element-at.js';
import { conv2dPicturesWasm } from '../../generated/wasm.js';
import { ceilDivide } from '../../graph/launch.js';
import type { SimdArgument, SimdCall, SimdKernel, SimdPhase } from '../../graph/simd.js';
import type { WindowAttributes } from './window.js';

// What a convolution's SIMD kernels read: the picture is not spread out, but walked through by tables of addresses. A
// block of places that are computed (targets) reads a block of other places (sources); where that reaches over the edge of
// the picture, it is copied with zeros around it.

const PAD: SimdKernel = { module: conv2dPicturesWasm, entryPoint: 'pad' };
const LIST: SimdKernel = { module: conv2dPicturesWasm, entryPoint: 'list' };
const LIST_MET: SimdKernel = { module: conv2dPicturesWasm, entryPoint: 'listMet' };

export type Address = Exclude<SimdArgument, number>;

export function moved<A extends Address>(argument: A, bytes: number): A & { readonly offset: number } {
  const { offset = 0 } = argument;
  return { ...argument, offset: offset + bytes };
}

/** Along one axis, targets that meet the same taps: `first`, `first + step` .., and for the t-th tap, the sources. */
export interface Steps {
  readonly first: number;
  readonly step: number;
  readonly count: number;
  /** The source of the first target and the first tap; from one target, and from one tap, to the next. */
  readonly source: number;
  readonly sourceStep: number;
  readonly tapStep: number;
  /** Which places of the window the taps are. */
  readonly taps: { readonly first: number; readonly step: number; readonly count: number };
}

/** Forward: target p reads p · stride + r · dilation - padding. All targets meet all taps, or those that are asked for. */
export function windowSteps(
  window: WindowAttributes,
  axis: 0 | 1,
  first: number,
  count: number,
  taps = { first: 0, count: elementAt(window.kernel, axis) },
): Steps {
  const { stride, dilation, before } = alongAxis(window, axis);
  return {
    ...{ first, step: 1, count, taps: { ...taps, step: 1 } },
    ...{ source: first * stride + taps.first * dilation - before, sourceStep: stride, tapStep: dilation },
  };
}

/**
 * Backward: target h reads p where p · stride + r · dilation - padding = h. Targets go in classes by the remainder of
 * h + padding: those of a class meet the same taps, evenly spaced, and sources that lie side by side. So nothing is divided
 * where it is summed.
 */
export function gradientSteps(window: WindowAttributes, axis: 0 | 1, from: number, count: number): Steps[] {
  const { stride, dilation, before, kernel } = alongAxis(window, axis);
  return Array.from({ length: Math.min(stride, count) }, (_, i): Steps => {
    const first = from + i;
    const rest = (first + before) % stride;
    const tapOf = (start: number): number => {
      for (let r = start; r < Math.min(start + stride, kernel); r++) if ((r * dilation) % stride === rest) return r;
      return kernel;
    };
    const r = tapOf(0);
    const step = Math.max(tapOf(r + 1) - r, 1);
    const taps = { first: r, step, count: Math.ceil((kernel - r) / step) };
    return {
      ...{ first, step: stride, count: Math.ceil((count - i) / stride), taps },
      ...{ source: (first + before - r * dilation) / stride, sourceStep: 1, tapStep: (-step * dilation) / stride },
    };
  });
}

function alongAxis({ kernel, stride, dilation, padding }: WindowAttributes, axis: 0 | 1) {
  return {
    kernel: elementAt(kernel, axis),
    stride: elementAt(stride, axis),
    dilation: elementAt(dilation, axis),
    before: elementAt(padding, 2 * axis),
  };
}

/** The sources that a block's steps reach: from the first one on, so many; none where no target meets a tap. */
function reachOf(steps: readonly Steps[]): { readonly from: number; readonly count: number } {
  const ends = steps.flatMap(({ count, source, sourceStep, tapStep, taps }) => {
    const [overTargets, overTaps] = [(count - 1) * sourceStep, (taps.count - 1) * tapStep];
    return taps.count === 0 ? [] : [source, source + overTargets, source + overTaps, source + overTargets + overTaps];
  });
  const from = ends.reduce((least, end) => Math.min(least, end), Infinity);
  const to = ends.reduce((most, end) => Math.max(most, end), -Infinity);
  return ends.length === 0 ? { from: 0, count: 0 } : { from, count: to - from + 1 };
}

/** A tensor of pictures whose places are read: some of its channels. */
export interface Source {
  readonly argument: Address;
  readonly size: readonly [height: number, width: number];
  readonly channels: number;
  readonly from: number;
  readonly count: number;
}

/** A block of targets: of some pictures some rows, and of these all columns, or of one row some. */
export interface Block {
  readonly picture: number;
  readonly pictures: number;
  readonly row: number;
  readonly rows: number;
  readonly column: number;
  readonly columns: number;
}

export function placesOf({ pictures, rows, columns }: Block): number {
  return pictures * rows * columns;
}

/** The place of a block's first target, counted over all pictures of a size. */
export function firstPlaceOf({ picture, row, column }: Block, [height, width]: Source['size']): number {
  return (picture * height + row) * width + column;
}

/** Where the sources of a block lie, after `calls`. */
export interface Region {
  readonly calls: readonly SimdCall[];
  /** Bytes of scratch memory that it takes. */
  readonly bytes: number;
  /** Bytes from a picture, a row and a column to the next. */
  readonly pitches: readonly [picture: number, row: number, column: number];
  /** The address of a source in the first picture. */
  readonly at: (row: number, column: number) => Address;
}

export function regionOf(
  source: Source,
  block: Block,
  rows: readonly Steps[],
  columns: readonly Steps[],
  scratch: Address,
): Region {
  const { argument, size, count } = source;
  const [ofRows, ofColumns] = [reachOf(rows), reachOf(columns)];
  const [inside, above] = insideOf(ofRows, size[0]);
  const [across, left] = insideOf(ofColumns, size[1]);
  const given = regionInPlace(source, block);
  if (inside === ofRows.count && across === ofColumns.count) return given;
  const line = 4 * count * ofColumns.count;
  const pitches = [ofRows.count * line, line, 4 * count] as const;
  const isEmpty = inside * across === 0;
  const start = given.at(Math.max(ofRows.from, 0), Math.max(ofColumns.from, 0));
  const [bandRows, top] = isEmpty ? [0, ofRows.count] : [inside, above];
  const call = {
    kernel: PAD,
    arguments: [
      ...[isEmpty ? argument : start, ...given.pitches, scratch],
      ...[block.pictures, bandRows, isEmpty ? ofColumns.count : across, count],
      ...[top, ofRows.count - top - bandRows, isEmpty ? 0 : left, isEmpty ? 0 : ofColumns.count - left - across],
    ],
  };
  return {
    calls: [call],
    bytes: block.pictures * pitches[0],
    pitches,
    at: (row, column) => moved(scratch, (row - ofRows.from) * pitches[1] + (column - ofColumns.from) * pitches[2]),
  };
}

/** Where the sources of a block lie in the picture itself, of which nothing beside it is read. */
export function regionInPlace({ argument, size, channels, from }: Source, { picture }: Block): Region {
  const [height, width] = size;
  const pitches = [4 * channels * width * height, 4 * channels * width, 4 * channels] as const;
  const at = (row: number, column: number): Address =>
    moved(argument, picture * pitches[0] + row * pitches[1] + column * pitches[2] + 4 * from);
  return { calls: [], bytes: 0, pitches, at };
}

/** How many of a reach lie in the picture, and how many before it. */
function insideOf({ from, count }: ReturnType<typeof reachOf>, size: number): readonly [number, number] {
  const before = Math.min(Math.max(-from, 0), count);
  return [Math.max(Math.min(from + count, size) - Math.max(from, 0), 0), before];
}

/** What a table lists: two values of 32 bits, and how they grow in each of three loops, the last one innermost. */
export interface Listing {
  readonly start: readonly [a: SimdArgument, b: SimdArgument];
  readonly loops: readonly Loop[];
}

type Loop = readonly [count: number, a: number, b: number];

export function listCall(table: Address, { start, loops }: Listing): SimdCall {
  const three = [...loops, ...Array.from({ length: 3 - loops.length }, () => [1, 0, 0])];
  return { kernel: LIST, arguments: [table, ...start, ...three.flat()] };
}

/**
 * The same of places of some rows, some columns and all pictures, these in fours, with a mask for each four: which taps lie
 * in a picture of this size.
 */
export function listMetCall(
  table: Address,
  masks: Address,
  { start, loops: [ofPictures, ofRows, ofColumns] }: Listing & { readonly loops: readonly [Loop, Loop, Loop] },
  [height, width]: Source['size'],
  [rows, columns]: readonly [Steps, Steps],
): SimdCall {
  const reached = ({ source, sourceStep, taps, tapStep }: Steps) => [source, sourceStep, taps.count, tapStep];
  return {
    kernel: LIST_MET,
    arguments: [
      ...[table, masks, ...start, ...ofRows, ...ofColumns, ...ofPictures],
      ...[...reached(rows), height, ...reached(columns), width],
    ],
  };
}

/** Places that lie in the picture, out of those that all targets of an axis meet. */
export function shareMet(steps: readonly Steps[], size: number): number {
  let [met, all] = [0, 0];
  for (const { count, source, sourceStep, taps, tapStep } of steps) {
    for (let target = 0; target < count; target++) {
      for (let tap = 0; tap < taps.count; tap++, all++) {
        const at = source + target * sourceStep + tap * tapStep;
        if (at >= 0 && at < size) met++;
      }
    }
  }
  return all === 0 ? 1 : met / all;
}

/** Bytes of a table of so many entries, with three more that repeat the last one. */
export function tableBytes(entries: number): number {
  return 16 * Math.ceil((8 * (entries + 3)) / 16);
}

/**
 * Blocks of at most so many places, in order: whole pictures, else whole rows of one, else a part of a row. Of fewer places
 * where the copy of what they read would take more bytes than `mostBytes`.
 */
export function blocksOf(
  pictures: number,
  [height, width]: Source['size'],
  most: number,
  bytesOf: (block: Block) => number = () => 0,
  mostBytes = 0,
): Block[] {
  const perPicture = height * width;
  const ofRows = evenParts(height, most >= perPicture ? height : Math.max(Math.floor(most / width), 1));
  const ofColumns = evenParts(width, Math.min(most, width));
  const inPictures = evenParts(pictures, Math.max(Math.floor(most / perPicture), 1)).map(([picture, count]) =>
    ofRows.flatMap(([row, rows]) =>
      ofColumns.map(([column, columns]): Block => ({ picture, pictures: count, row, rows, column, columns })),
    ),
  );
  const isSmall = inPictures[0]?.every((block) => bytesOf(block) <= mostBytes) ?? true;
  return isSmall || most === 1
    ? inPictures.flat()
    : blocksOf(pictures, [height, width], ceilDivide(most, 2), bytesOf, mostBytes);
}

/** The fewest parts of at most so many items, as even as can be: start and size of each. */
export function evenParts(items: number, most: number, unit = 1): (readonly [start: number, size: number])[] {
  const count = Math.ceil(items / most);
  const size = unit * Math.ceil(items / count / unit);
  return Array.from({ length: Math.ceil(items / size) }, (_, i) => [i * size, Math.min(size, items - i * size)]);
}

/** Calls that follow each other, and the scratch memory they need. */
export interface Work {
  readonly calls: readonly SimdCall[];
  readonly bytes: number;
}

/** A phase of at most so many tasks. */
export function phaseOf(work: readonly Work[], tasks: number): SimdPhase {
  return {
    tasks: evenParts(work.length, ceilDivide(work.length, tasks)).map(([start, count]) =>
      work.slice(start, start + count).flatMap(({ calls }) => calls),
    ),
    scratchBytes: work.reduce((most, { bytes }) => Math.max(most, bytes), 0),
  };
}

/** Flop of a task: it must take far longer than to claim it. */
const TASK_FLOP = 2 ** 20;
/** A task more would mean that more is packed twice, and be of no use to a few threads. */
const MOST_TASKS = 16;

/** How many tasks so much work is worth. */
export function tasksFor(flop: number): number {
  return Math.min(Math.max(Math.floor(flop / TASK_FLOP), 1), MOST_TASKS);
}

import {
  depthwiseRelaxedWasm,
  depthwiseWasm,
  depthwiseWindowsRelaxedWasm,
  depthwiseWindowsWasm,
} from '../../generated/wasm.js';
import type { BlockFinish } from '../../fusion/simd-calls.js';
import { ceilDivide } from '../../graph/launch.js';
import type { SimdArgument, SimdCall, SimdKernel, SimdPhase } from '../../graph/simd.js';
import { sizeOf } from '../../shape.js';
import { tasksOf } from '../simd-parts.js';
import type { Meeting, PerAxis } from './depthwise-axes.js';
import type { Windowed } from './depthwise-launches.js';

/** Elements of a block that is computed at once: 64 KiB, which stay in the second-level cache for the stages. */
const BLOCK_ELEMENTS = 16_384;
/** Of a thread's scratch memory what belongs to the stages themselves. */
const STAGE_SCRATCH_BYTES = 128;

/** Tasks of kernels/convolution/depthwise.wat: blocks of pictures of the target. */
export function depthwisePhases(windowed: Windowed, finish?: BlockFinish): SimdPhase[] {
  const { channels, target } = windowed;
  const pixelBytes = 4 * channels;
  const parts = partsIn(windowed);
  // The kernel's zeros are gone when stages begin.
  const blockAt = Math.max(STAGE_SCRATCH_BYTES, 16 * ceilDivide(pixelBytes, 16));
  const blocks = blocksOf(windowed);
  const calls = blocks.map((block) => {
    const { pixel, pixels } = block;
    const scratch = { argument: { scratch: true as const, offset: blockAt }, pitch: pixelBytes };
    const to: Exclude<SimdArgument, number> =
      finish?.target === 'scratch'
        ? scratch.argument
        : { ...(finish ? finish.target : { output: 0 }), offset: pixel * pixelBytes };
    return [
      ...parts[0].flatMap((rows) =>
        parts[1].flatMap((columns) => partCall(windowed, block, [rows, columns], to) ?? []),
      ),
      ...(finish?.calls({ row: pixel, column: 0, rows: pixels, columns: channels, scratch }) ?? []),
    ];
  });
  const tasks = tasksOf(calls, windowed.pictures * sizeOf(target) * channels).map((own) => own.flat());
  const most = finish ? Math.max(...blocks.map(({ pixels }) => pixels)) * pixelBytes : 0;
  return [{ tasks, scratchBytes: blockAt + most }];
}

/** Part of the target: whole pictures, or rows of one. Its elements lie side by side. */
interface Block {
  readonly picture: number;
  readonly pictures: number;
  readonly row: number;
  readonly rows: number;
  /** Pixels are counted on over all pictures. */
  readonly pixel: number;
  readonly pixels: number;
}

function blocksOf({ pictures, channels, target: [height, width] }: Windowed): Block[] {
  const block = (picture: number, count: number, row: number, rows: number): Block => ({
    ...{ picture, pictures: count, row, rows },
    pixel: (picture * height + row) * width,
    pixels: count * rows * width,
  });
  const together = Math.floor(BLOCK_ELEMENTS / (height * width * channels));
  const rows = Math.max(Math.floor(BLOCK_ELEMENTS / (width * channels)), 1);
  const blocks: Block[] = [];
  for (let picture = 0; picture < pictures; picture += Math.max(together, 1)) {
    if (together > 0) blocks.push(block(picture, Math.min(together, pictures - picture), 0, height));
    else {
      for (let row = 0; row < height; row += rows) blocks.push(block(picture, 1, row, Math.min(rows, height - row)));
    }
  }
  return blocks;
}

/**
 * Places of the target along an axis that meet the same taps: from `first` on each `every`th. The source of the first of
 * `taps` taps lies at  stride · place + offset,  places counted among these, that of the next one `step` further.
 */
interface Part {
  readonly first: number;
  readonly every: number;
  readonly taps: number;
  readonly firstTap: number;
  readonly tapStep: number;
  readonly stride: number;
  readonly step: number;
  readonly offset: number;
  /** The other way around: a source at u is met by places 2 · u + offset, and the next two behind, by a tap each. */
  readonly spreads?: boolean;
}

/** One part for a convolution; for its gradient as many as the stride. Taps go in the order of their sources. */
function partsOf({ sourceStep, targetStep, first, tapStep, taps }: Meeting): Part[] {
  return Array.from({ length: sourceStep }, (_, place) => {
    const sourceAt = (tap: number): number => (targetStep * place + first + tapStep * tap) / sourceStep;
    const met = Array.from({ length: taps }, (_, tap) => tap).filter((tap) => Number.isInteger(sourceAt(tap)));
    if (tapStep < 0) met.reverse();
    const [one = 0, two = one + 1] = met;
    return {
      ...{ first: place, every: sourceStep, taps: met.length, firstTap: one, tapStep: two - one },
      stride: targetStep,
      step: met.length > 1 ? sourceAt(two) - sourceAt(one) : 1,
      offset: met.length > 0 ? sourceAt(one) : 0,
    };
  });
}

/** The parts of both axes. Even and odd columns of a gradient at stride 2 are one where the kernel computes them together. */
function partsIn({ meetings: [rows, columns], channels }: Windowed): PerAxis<readonly Part[]> {
  const rowParts = partsOf(rows);
  const { sourceStep, first, tapStep, taps } = columns;
  const areTogether = sourceStep === 2 && tapStep === -1 && taps === 3 && channels >= 4;
  if (!areTogether || rowParts.some((part) => part.taps > 2)) return [rowParts, partsOf(columns)];
  const together = { first: 0, every: 1, taps, firstTap: 0, tapStep: 1, stride: 1, step: 1, offset: -first };
  return [rowParts, [{ ...together, spreads: true }]];
}

const KERNELS = {
  windows: { module: depthwiseWindowsWasm, relaxed: depthwiseWindowsRelaxedWasm, entryPoint: 'windows' },
  threeByOne: kernelOf('threeByOne'),
  threeByTwo: kernelOf('threeByTwo'),
  spreadByTwo: kernelOf('spreadByTwo'),
} as const satisfies Record<string, SimdKernel>;

function kernelOf(entryPoint: string): SimdKernel {
  return { module: depthwiseWasm, relaxed: depthwiseRelaxedWasm, entryPoint };
}

function kernelFor([rows, columns]: PerAxis<Part>, channels: number): SimdKernel {
  if (columns.spreads) return KERNELS.spreadByTwo;
  const isThree = columns.taps === 3 && columns.step === 1 && rows.taps <= 3 && channels >= 4;
  if (isThree && columns.stride === 1) return KERNELS.threeByOne;
  if (isThree && columns.stride === 2) return KERNELS.threeByTwo;
  return KERNELS.windows;
}

/** The call that computes the places of a block that belong to these parts; undefined where there are none. */
function partCall(
  { channels, source, target, meetings }: Windowed,
  { picture, pictures, row, rows: height }: Block,
  parts: PerAxis<Part>,
  to: Exclude<SimdArgument, number>,
): SimdCall | undefined {
  const [rows, columns] = parts;
  const before = (place: number, { first, every }: Part): number => Math.max(ceilDivide(place - first, every), 0);
  const firstRow = before(row, rows);
  const [countRows, countColumns] = [before(row + height, rows) - firstRow, before(target[1], columns)];
  if (countRows === 0 || countColumns === 0) return undefined;
  const pixelBytes = 4 * channels;
  const rowBytes = target[1] * pixelBytes;
  const taps = meetings[1].taps;
  const start = (rows.first + rows.every * firstRow - row) * rowBytes + columns.first * pixelBytes;
  return {
    kernel: kernelFor(parts, channels),
    arguments: [
      { input: 0, offset: picture * sizeOf(source) * pixelBytes },
      ...source,
      { ...to, offset: (to.offset ?? 0) + start },
      ...[target[0] * rowBytes, rows.every * rowBytes, columns.every * pixelBytes],
      ...[pictures, firstRow, countRows, countColumns, channels],
      { input: 1, offset: (rows.firstTap * taps + columns.firstTap) * pixelBytes },
      ...[rows.tapStep * taps * pixelBytes, columns.tapStep * pixelBytes, rows.taps, columns.taps],
      ...[rows.stride, columns.stride, rows.step, columns.step, rows.offset, columns.offset],
      { scratch: true },
    ],
  };
}

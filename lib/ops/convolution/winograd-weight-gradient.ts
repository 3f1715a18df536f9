import { elementAt } from '../../element-at.js';
import { type BlockFinish, finishedOutput } from '../../fusion/simd-calls.js';
import { ceilDivide } from '../../graph/launch.js';
import type { SimdPhase } from '../../graph/simd.js';
import {
  type Address,
  type Block,
  evenParts,
  firstPlaceOf,
  moved,
  phaseOf,
  tasksFor,
  type Work,
} from './conv2d-simd-places.js';
import type { Conv2dAttributes, Conv2dSizes } from './conv2d-sizes.js';
import {
  isThreeByThree,
  LINE_BYTES,
  TILE_PLACES,
  tileBlocks,
  tilesOf,
  transformedTiles,
  winogradKernel,
  winogradPays,
} from './winograd.js';

// The adjoint of the filters' part in F(4 x 2, 3 x 3): gradients of tiles are transformed as a filter's outputs are, and multiplied
// with the transformed pictures, tile by tile; what is summed at each place is transformed once, to 3 x 3 taps.

const GRADIENTS = winogradKernel('gradients');
const MULTIPLY = winogradKernel('multiplyGradients');
const WEIGHTS = winogradKernel('weights');
const SCRATCH = { scratch: true, offset: 0 } as const;

/** Tiles that are summed on their own; output channels of a task. */
const BLOCK_TILES = 64;
const TASK_ROWS = 64;
/** Bytes of all parts of the sums, unless one takes more; elements of weights that wait in the cache. */
const PART_BYTES = 2 ** 21;
const WEIGHT_ELEMENTS = 2 ** 15;
/** To add a part of a weight, and to transform the sums, takes as long as so many flop. */
const ADDING_FLOP = 400;

/** The gradient as a matrix [O, R · S · C / groups]; undefined where windows are others, or too few. */
export function winogradWeightGradientPhases(
  sizes: Conv2dSizes,
  attributes: Conv2dAttributes,
  finish?: BlockFinish,
): SimdPhase[] | undefined {
  const { N, C, P, Q, O } = sizes;
  const tiles = tilesOf({ pictures: N, rows: P, columns: Q });
  if (!isThreeByThree(attributes) || C % 8 > 0 || O % 4 > 0 || !winogradPays(N, [P, Q], C, O)) return undefined;

  const sumPitches = { place: 4 * O * C + LINE_BYTES, part: TILE_PLACES * (4 * O * C + LINE_BYTES) };
  const wanted = tasksFor(2 * TILE_PLACES * tiles * C * O);
  const rows = evenParts(O, TASK_ROWS, 4);
  const blocks = tileBlocks(N, [P, Q], BLOCK_TILES);
  const most = Math.max(Math.floor(PART_BYTES / sumPitches.part), 1);
  const parts = evenParts(blocks.length, ceilDivide(blocks.length, Math.min(ceilDivide(wanted, rows.length), most)));
  const sums = rows.flatMap((own) =>
    parts.map(([start, count], part) => {
      const sumsAt = { shared: true, offset: part * sumPitches.part } as const;
      return sumsOf(sizes, attributes, own, blocks.slice(start, start + count), sumsAt);
    }),
  );
  const tasks = tasksFor(ADDING_FLOP * O * C);
  const weights = evenParts(O, Math.min(ceilDivide(O, tasks), Math.max(Math.floor(WEIGHT_ELEMENTS / (9 * C)), 1)));
  const ends = weights.map((own) => weightsOf(sizes, own, parts.length, sumPitches, finish));
  const sharedBytes = parts.length * sumPitches.part;
  return [
    { ...phaseOf(sums, wanted), sharedBytes },
    { ...phaseOf(ends, tasks), sharedBytes },
  ];
}

type Rows = readonly [start: number, count: number];

/** The calls that sum some blocks of tiles for some output channels. */
function sumsOf(
  { H, W, C, P, Q, O }: Conv2dSizes,
  { padding }: Conv2dAttributes,
  [row, rows]: Rows,
  blocks: readonly Block[],
  sumsAt: Address,
): Work {
  const source = { argument: { input: 0 }, size: [H, W], channels: C } as const;
  const before = [elementAt(padding, 0), elementAt(padding, 2)];
  let bytes = 0;
  const calls = blocks.flatMap((block, i) => {
    const tiles = tilesOf(block);
    const panelPitch = 16 * tiles;
    const placePitch = (rows / 4) * panelPitch + LINE_BYTES;
    const tilesAt = moved(SCRATCH, TILE_PLACES * placePitch);
    const transformed = transformedTiles(source, before, block, tilesAt);
    const gradients = { input: 1, offset: 4 * (firstPlaceOf(block, [P, Q]) * O + row) };
    bytes = Math.max(bytes, transformed.end.offset + Math.max(transformed.scratchBytes, 24 * 4 * rows));
    return [
      transformed.call,
      {
        kernel: GRADIENTS,
        arguments: [
          ...[gradients, 4 * O * P * Q, 4 * O * Q, 4 * O, block.pictures, block.rows, block.columns, 4 * rows],
          ...[SCRATCH, panelPitch, placePitch, transformed.end],
        ],
      },
      {
        kernel: MULTIPLY,
        arguments: [
          ...[SCRATCH, placePitch, tilesAt, transformed.tilePitch, transformed.placePitch, tiles],
          ...[moved(sumsAt, 4 * row * C), 4 * C, 4 * O * C + LINE_BYTES, rows, C, Number(i > 0)],
        ],
      },
    ];
  });
  return { calls, bytes };
}

/** The calls that add the parts of some rows, make weights of the sums, and then what is to be done with them. */
function weightsOf(
  { C }: Conv2dSizes,
  [row, rows]: Rows,
  parts: number,
  sumPitches: { readonly place: number; readonly part: number },
  finish: BlockFinish | undefined,
): Work {
  const pitch = 4 * 9 * C;
  const isInScratch = finish?.target === 'scratch';
  const output = finishedOutput(finish);
  const linesAt = moved(SCRATCH, isInScratch ? rows * pitch : 0);
  const call = {
    kernel: WEIGHTS,
    arguments: [
      ...[{ shared: true, offset: 4 * row * C } as const, parts, sumPitches.part, sumPitches.place, 4 * C],
      ...[isInScratch ? SCRATCH : { ...output, offset: row * pitch }, pitch, rows, 4 * C, linesAt],
    ],
  };
  const done = finish?.calls({ row, rows, column: 0, columns: 9 * C, scratch: { argument: SCRATCH, pitch } }) ?? [];
  return { calls: [call, ...done], bytes: linesAt.offset + 36 * 4 * C };
}

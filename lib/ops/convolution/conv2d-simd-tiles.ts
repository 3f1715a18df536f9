import { ceilDivide } from '../../graph/launch.js';
import { type Block, blocksOf, evenParts, shareMet, type Source, tasksFor, windowSteps } from './conv2d-simd-places.js';
import type { Conv2dAttributes, Conv2dSizes } from './conv2d-sizes.js';

// How the gradient of a weight, [O, R, S, C / groups], is divided for kernels/convolution/conv2d_weight_gradient.wat: into
// tiles, and of many places into parts that are added up afterwards.

/** Fewer output channels would spend too much on packing the picture for them; more fill the second-level cache. */
const TILE_ROWS = { least: 64, most: 128 };
/** Channels of the picture that are packed at once. */
export const PACKED_COLUMNS = 32;
/** Elements of a tile, 128 KiB, which waits in the second-level cache for what is done with it; of a part of one. */
const TILE_ELEMENTS = { whole: 2 ** 15, part: 2 ** 17 };
/** Places whose addresses are in a table, and bytes of the picture's copy. */
const MOST_PLACES = 4096;
export const REGION_BYTES = 2 ** 18;
/** Of so many places, parts cost next to nothing, and each reads its pictures once. Of most places, they must be some. */
const PART_PLACES = { least: 1024, most: 2 ** 15 };
const MOST_PARTS = 16;
/** Of what windows cover, so much lies in the picture at most where the rest is left out, tap by tap. */
const MOST_SHARE = 0.95;

export interface Taps {
  readonly first: number;
  readonly count: number;
}

/** A part of the gradient: output channels, taps, and runs of input channels. */
export interface Tile {
  readonly group: number;
  readonly row: number;
  readonly rows: number;
  readonly taps: readonly [rows: Taps, columns: Taps];
  /** Places of a row of the window that have a matrix of their own; 1 where a run goes over all of them. */
  readonly tapColumns: number;
  /** Runs that follow each other in one matrix: all rows of the window, or 1. */
  readonly joined: number;
  readonly from: number;
  readonly run: number;
  /** Those of the input channels that are read. */
  readonly channels: number;
  /** Places of the output whose windows are read: all, or those that have this tap in the picture. */
  readonly places: readonly [rows: Taps, columns: Taps];
}

/** The tiles of a gradient, and in how many parts its places go. */
export interface Tiling {
  readonly tiles: readonly Tile[];
  readonly parts: number;
  readonly tasks: number;
}

export function tilingOf(sizes: Conv2dSizes, attributes: Conv2dAttributes): Tiling {
  const { N, P, Q, O, R, S, groupC, groupO } = sizes;
  const { groups, dilation } = attributes;
  const tasks = tasksFor(2 * N * P * Q * O * R * S * groupC);
  // Few channels: taps of a row lie side by side, in the picture and in the gradient.
  const isRow = groups === 1 && dilation[1] === 1 && groupC < PACKED_COLUMNS;
  // Very few: all taps are packed at once.
  const joined = isRow && R * S * groupC <= PACKED_COLUMNS ? R : 1;
  const single = isRow ? undefined : singleTaps(sizes, attributes);
  const places = N * P * Q;
  const parts = Math.min(
    single ? ceilDivide(places, PART_PLACES.most) : Math.max(Math.floor(places / PART_PLACES.least), 1),
    MOST_PARTS,
  );
  const [run, tapColumns] = isRow ? [S * groupC, 1] : [groupC, S];
  const perTile = single ? 1 : R * tapColumns;
  const perGroup = ceilDivide(tasks, groups * parts * (single?.length ?? 1));
  const ofRows = evenParts(
    groupO,
    Math.min(Math.max(ceilDivide(groupO, perGroup), TILE_ROWS.least), TILE_ROWS.most),
    4,
  );
  const longest = Math.floor(
    TILE_ELEMENTS[parts > 1 ? 'part' : 'whole'] / (Math.min(groupO, TILE_ROWS.most) * perTile),
  );
  const runs = Math.max(Math.ceil(run / Math.max(longest, 1)), ceilDivide(perGroup, ofRows.length));
  const ofRun = isRow ? [[0, run] as const] : evenParts(run, PACKED_COLUMNS * ceilDivide(run, runs * PACKED_COLUMNS));
  const together = joined > 1 ? R : ceilDivide(R, ceilDivide(perGroup, ofRows.length * ofRun.length));
  const all = { places: [wholeOf(P), wholeOf(Q)] as const, tapColumns };
  const tapsOf =
    single ??
    evenParts(R, together).map(([first, count]) => ({ ...all, taps: [{ first, count }, wholeOf(S)] as const }));
  const tiles = Array.from({ length: groups }, (_, group) =>
    ofRows.flatMap(([row, rows]) =>
      ofRun.flatMap(([from, own]) =>
        tapsOf.map((taps) => ({
          ...{ group, row: group * groupO + row, rows, ...taps },
          ...{ joined, from, run: own, channels: isRow ? groupC : own },
        })),
      ),
    ),
  ).flat();
  return { tiles, parts, tasks };
}

function wholeOf(count: number): Taps {
  return { first: 0, count };
}

/** Each tap on its own, with the places that have it in the picture, where these are few enough. */
function singleTaps({ H, W, P, Q, R, S }: Conv2dSizes, attributes: Conv2dAttributes) {
  const rows = placesByTap(attributes, 0, P, H, R);
  const columns = placesByTap(attributes, 1, Q, W, S);
  const share = shareMet([windowSteps(attributes, 0, 0, P)], H) * shareMet([windowSteps(attributes, 1, 0, Q)], W);
  if (share > MOST_SHARE || [...rows, ...columns].some(({ count }) => count === 0)) return undefined;
  return rows.flatMap((ofRows, r) =>
    columns.map((ofColumns, s) => ({
      ...{ places: [ofRows, ofColumns] as const, tapColumns: 1 },
      taps: [
        { first: r, count: 1 },
        { first: s, count: 1 },
      ] as const,
    })),
  );
}

/** For each tap of an axis, the places that have it in the picture. */
function placesByTap(attributes: Conv2dAttributes, axis: 0 | 1, places: number, size: number, taps: number): Taps[] {
  return Array.from({ length: taps }, (_, tap) => {
    const { source, sourceStep } = windowSteps(attributes, axis, 0, places, { first: tap, count: 1 });
    const first = Math.max(Math.ceil(-source / sourceStep), 0);
    const end = Math.min(Math.floor((size - 1 - source) / sourceStep) + 1, places);
    return { first, count: Math.max(end - first, 0) };
  });
}

/** The places of a tile in blocks, these in parts. */
export function blocksOfTile(
  { N }: Conv2dSizes,
  { places: [rows, columns] }: Tile,
  parts: number,
  bytesOf: (block: Block) => number,
): readonly (readonly Block[])[] {
  const size: Source['size'] = [rows.count, columns.count];
  const most = Math.min(MOST_PLACES, ceilDivide(N * rows.count * columns.count, parts));
  const blocks = blocksOf(N, size, most, bytesOf, REGION_BYTES).map((block) => ({
    ...block,
    row: block.row + rows.first,
    column: block.column + columns.first,
  }));
  return evenParts(blocks.length, ceilDivide(blocks.length, parts)).map(([start, count]) =>
    blocks.slice(start, start + count),
  );
}

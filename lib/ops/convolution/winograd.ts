import { elementAt } from '../../element-at.js';
import { conv2dWinogradRelaxedWasm, conv2dWinogradWasm } from '../../generated/wasm.js';
import { ceilDivide } from '../../graph/launch.js';
import type { SimdCall, SimdKernel } from '../../graph/simd.js';
import { type Address, type Block, evenParts, moved, type Source } from './conv2d-simd-places.js';
import type { Conv2dAttributes } from './conv2d-sizes.js';

// Winograd's minimal filtering F(4 x 2, 3 x 3), Lavin and Gray 2016: tiles of 4 x 2 places of the output, whose windows cover
// 6 x 4 of the picture. At each of these 24 places of the transformed tiles, tiles times channels is a product of its own.

/** A function of kernels/convolution/conv2d_winograd.wat. */
export function winogradKernel(entryPoint: string): SimdKernel {
  return { module: conv2dWinogradWasm, relaxed: conv2dWinogradRelaxedWasm, entryPoint };
}

const PICTURES = winogradKernel('pictures');

export const TILE_PLACES = 24;
const TILE = { rows: 4, columns: 2 } as const;
/** To transform a filter, and write it to memory, takes as long as so many flop. */
export const FILTER_FLOP = 1700;
/** More bytes from one place of the tiles to the next, so that the 24 do not fall on the same lines of the cache. */
export const LINE_BYTES = 64;

export function tileColumnsOf(columns: number): number {
  return ceilDivide(columns, TILE.columns);
}

export function tilesOf({ pictures, rows, columns }: Pick<Block, 'pictures' | 'rows' | 'columns'>): number {
  return pictures * ceilDivide(rows, TILE.rows) * tileColumnsOf(columns);
}

/** Products take tiles in fours; what is computed of more than there are is read by nobody. */
export function inFours(tiles: number): number {
  return 4 * ceilDivide(tiles, 4);
}

/** Whether windows are of 3 x 3 places side by side, at each place, and channels are all of one group. */
export function isThreeByThree({ kernel, stride, dilation, groups }: Conv2dAttributes): boolean {
  return groups === 1 && String([...kernel, ...stride, ...dilation]) === '3,3,1,1,1,1';
}

/** Words of transformed filters are 24 times so many, 24 MiB: more would stay in no cache. */
const MOST_FILTERS = 2 ** 18;

/**
 * Whether pictures take less time by tiles than window by window, both in flop of a product: windows go at 59 GFLOP/s, what tiles
 * multiply at 53, and they take some time to transform a tile of one and of the other channels, and a filter.
 */
export function winogradPays(pictures: number, [rows, columns]: Source['size'], k: number, n: number): boolean {
  const tiles = tilesOf({ pictures, rows, columns });
  const windows = 18 * pictures * rows * columns * k * n;
  return k * n <= MOST_FILTERS && windows > tiles * (54 * k * n + 350 * k + 200 * n) + FILTER_FLOP * k * n;
}

/** Blocks of about so many tiles, in order: whole pictures, or whole rows of tiles of one. */
export function tileBlocks(pictures: number, [rows, columns]: Source['size'], most: number): Block[] {
  const whole = { pictures: 1, rows, columns };
  const perPicture = tilesOf(whole);
  const tileRows = ceilDivide(rows, TILE.rows);
  const ofRows = perPicture <= most ? tileRows : Math.max(Math.floor(most / tileColumnsOf(columns)), 1);
  return evenParts(pictures, Math.max(Math.floor(most / perPicture), 1)).flatMap(([picture, count]) =>
    evenParts(tileRows, ofRows).map(([tileRow, own]) => {
      const row = tileRow * TILE.rows;
      return { picture, pictures: count, row, rows: Math.min(own * TILE.rows, rows - row), column: 0, columns };
    }),
  );
}

/** The transformed tiles of a block, `[place][tile][channel]`. */
export interface TransformedTiles {
  readonly call: SimdCall;
  /** Bytes from one tile, and from one place, to the next. */
  readonly tilePitch: number;
  readonly placePitch: number;
  /** Where they end, and how much of the memory from there on the call needs meanwhile. */
  readonly end: Address & { readonly offset: number };
  readonly scratchBytes: number;
}

/** The tiles whose windows begin `before` the block's places, in pictures that are all read. */
export function transformedTiles(
  { argument, size: [height, width], channels }: Omit<Source, 'from' | 'count'>,
  before: readonly number[],
  block: Block,
  to: Address,
): TransformedTiles {
  const bytes = 4 * channels;
  const tileColumns = tileColumnsOf(block.columns);
  const line = TILE.columns * (tileColumns + 1);
  const left = elementAt(before, 1);
  const inside = Math.min(width, line - left);
  const tilePitch = bytes + LINE_BYTES;
  const placePitch = inFours(tilesOf(block)) * tilePitch + LINE_BYTES;
  const end = moved(to, TILE_PLACES * placePitch);
  const call = {
    kernel: PICTURES,
    arguments: [
      ...[moved(argument, block.picture * height * width * bytes), height * width * bytes, width * bytes],
      ...[height, inside * bytes, left * bytes, block.row - elementAt(before, 0)],
      ...[block.pictures, ceilDivide(block.rows, TILE.rows), tileColumns, bytes],
      ...[to, tilePitch, placePitch, end],
    ],
  };
  return { call, tilePitch, placePitch, end, scratchBytes: 7 * (line * bytes + LINE_BYTES) };
}

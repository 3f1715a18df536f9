import { conv2dWeightGradientRelaxedWasm, conv2dWeightGradientWasm, matmulPartsWasm } from '../../generated/wasm.js';
import type { BlockFinish, Rows } from '../../fusion/simd-calls.js';
import { ceilDivide } from '../../graph/launch.js';
import type { SimdCall, SimdKernel, SimdPhase } from '../../graph/simd.js';

import {
  type Address,
  type Block,
  blocksOf,
  evenParts,
  firstPlaceOf,
  listCall,
  moved,
  phaseOf,
  placesOf,
  type Region,
  regionOf,
  tableBytes,
  tasksFor,
  windowSteps,
  type Work,
} from './conv2d-simd-places.js';
import type { Conv2dAttributes, Conv2dSizes } from './conv2d-sizes.js';

const WEIGHTS: SimdKernel = {
  module: conv2dWeightGradientWasm,
  relaxed: conv2dWeightGradientRelaxedWasm,
  entryPoint: 'weights',
};
const ADD_PART: SimdKernel = { module: matmulPartsWasm, entryPoint: 'addPart' };
const ADD_LOST: SimdKernel = { module: matmulPartsWasm, entryPoint: 'addLost' };
const SCRATCH = { scratch: true } as const;

/** Fewer output channels would spend too much on packing the picture for them; more fill the second-level cache. */
const TILE_ROWS = { least: 64, most: 128 };
/** Channels of the picture that are packed at once: kernels/convolution/conv2d_weight_gradient.wat. */
const PACKED_COLUMNS = 32;
/** Elements of a tile of the gradient, 128 KiB, which waits in the second-level cache for what is done with it. */
const TILE_ELEMENTS = 2 ** 15;
/** Places whose addresses are in a table, and bytes of the picture's copy. */
const MOST_PLACES = 4096;
const REGION_BYTES = 2 ** 18;
/** Sums of more places are formed in parts: blocks that are added one after the other lose 1e-5 of a sum of 500,000. */
const PART_PLACES = 8192;
/** Of the kernel's tile and panels of the picture, and of an output channel's part of the panels of its gradients. */
const KERNEL_BYTES = 128 + 4 * 256 * PACKED_COLUMNS;
const CHANNEL_BYTES = 4 * 256;

/** A part of the gradient [O, R, S, C / groups]: output channels, rows of the window, and runs of input channels. */
interface Tile {
  readonly group: number;
  readonly row: number;
  readonly rows: number;
  readonly taps: { readonly first: number; readonly count: number };
  /** Places of a row of the window; 1 where a run goes over all of them. */
  readonly tapColumns: number;
  readonly from: number;
  readonly run: number;
  /** Those of the input channels that are read. */
  readonly channels: number;
}

/** Where things lie while a tile is computed. */
interface Places {
  readonly target: Matrices;
  /** What is summed in parts: a part, and what rounding took from the sum. */
  readonly part: Matrices;
  readonly lost: Matrices;
  readonly tapsAt: Address;
  readonly rowsAt: Address;
  readonly regionAt: Address;
}

/** A matrix [rows, run] for each tap: the first one, bytes from one row to the next, and from one matrix. */
interface Matrices extends Rows {
  readonly tap: number;
}

function ofTap({ argument, pitch, tap }: Matrices, index: number): Rows {
  return { argument: moved(argument, index * tap), pitch };
}

/** Tasks of kernels/convolution/conv2d_weight_gradient.wat: the gradient as a matrix [O, R · S · C / groups], by tiles. */
export function weightGradientSimdPhases(
  sizes: Conv2dSizes,
  attributes: Conv2dAttributes,
  finish?: BlockFinish,
): SimdPhase[] | undefined {
  const { N, P, Q, O, R, S, groupC } = sizes;
  const flop = 2 * N * P * Q * O * R * S * groupC;
  if (flop === 0) return undefined;
  const wanted = tasksFor(flop);
  const tiles = tilesOf(sizes, attributes, wanted);
  const work = tiles.map((tile) => new TileWork(sizes, attributes, tile).work(finish));
  return [phaseOf(work, wanted)];
}

function tilesOf(
  { R, S, groupC, groupO }: Conv2dSizes,
  { groups, dilation }: Conv2dAttributes,
  wanted: number,
): Tile[] {
  // Few channels: taps of a row lie side by side, in the picture and in the gradient.
  const isRow = groups === 1 && dilation[1] === 1 && groupC < PACKED_COLUMNS;
  const [run, tapColumns] = isRow ? [S * groupC, 1] : [groupC, S];
  const { least, most } = TILE_ROWS;
  const perGroup = Math.ceil(wanted / groups);
  const ofRows = evenParts(groupO, Math.min(Math.max(ceilDivide(groupO, perGroup), least), most), 4);
  const longest = Math.floor(TILE_ELEMENTS / (Math.min(groupO, most) * R * tapColumns));
  const parts = Math.max(Math.ceil(run / Math.max(longest, 1)), ceilDivide(perGroup, ofRows.length));
  const ofRun = isRow ? [[0, run] as const] : evenParts(run, PACKED_COLUMNS * ceilDivide(run, parts * PACKED_COLUMNS));
  const ofTaps = evenParts(R, ceilDivide(R, ceilDivide(perGroup, ofRows.length * ofRun.length)));
  return Array.from({ length: groups }, (_, group) => group).flatMap((group) =>
    ofRows.flatMap(([row, rows]) =>
      ofRun.flatMap(([from, own]) =>
        ofTaps.map(([first, count]) => ({
          ...{ group, row: group * groupO + row, rows, taps: { first, count } },
          ...{ tapColumns, from, run: own, channels: isRow ? groupC : own },
        })),
      ),
    ),
  );
}

/** What computes a tile. */
class TileWork {
  readonly #sizes: Conv2dSizes;
  readonly #attributes: Conv2dAttributes;
  readonly #tile: Tile;
  readonly #tapCount: number;
  readonly #blocks: readonly Block[];

  constructor(sizes: Conv2dSizes, attributes: Conv2dAttributes, tile: Tile) {
    this.#sizes = sizes;
    this.#attributes = attributes;
    this.#tile = tile;
    this.#tapCount = tile.taps.count * tile.tapColumns;
    const { N, P, Q } = sizes;
    this.#blocks = blocksOf(N, [P, Q], MOST_PLACES, (block) => this.#region(block, SCRATCH).bytes, REGION_BYTES);
  }

  /** The calls, also those of what is to be done with the tile, and the scratch memory they need. */
  work(finish: BlockFinish | undefined): Work {
    const [sizes, tile, blocks] = [this.#sizes, this.#tile, this.#blocks];
    const { row, rows, from, run } = tile;
    const places = blocks.reduce((most, block) => Math.max(most, placesOf(block)), 1);
    const parts = evenParts(blocks.length, Math.max(Math.floor(PART_PLACES / places), 1));
    // In scratch memory rows are whole vectors.
    const pitch = 16 * ceilDivide(run, 4);
    const matrices = { pitch, tap: rows * pitch };
    const bytes = this.#tapCount * matrices.tap;
    const tapsAt = { ...SCRATCH, offset: KERNEL_BYTES + CHANNEL_BYTES * 4 * ceilDivide(rows, 4) };
    const rowsAt = moved(tapsAt, tableBytes(this.#tapCount));
    const tileAt = moved(rowsAt, tableBytes(places));
    const scratch = { argument: tileAt, ...matrices };
    const regionAt = moved(tileAt, (parts.length > 1 ? 3 : 1) * bytes);
    const K = sizes.R * sizes.S * sizes.groupC;
    const column = tile.taps.first * sizes.S * sizes.groupC + from;
    const tapElements = (sizes.S / tile.tapColumns) * sizes.groupC;
    const output = finish && finish.target !== 'scratch' ? finish.target : { output: 0 };
    const own = { argument: { ...output, offset: 4 * (row * K + column) }, pitch: 4 * K, tap: 4 * tapElements };
    const at: Places = {
      ...{ tapsAt, rowsAt, regionAt, target: finish?.target === 'scratch' ? scratch : own },
      part: { argument: moved(tileAt, bytes), ...matrices },
      lost: { argument: moved(tileAt, 2 * bytes), ...matrices },
    };
    const sums = parts.flatMap(([start, count], part) => [
      ...blocks
        .slice(start, start + count)
        .flatMap((block, i) => this.#block(block, at, part === 0 ? at.target : at.part, i > 0)),
      ...(part > 0 ? this.#addPart(at, part === 1) : []),
    ]);
    const done = this.#everyTap((tap) => {
      const block = { row, column: column + tap * tapElements, rows, columns: run, scratch: ofTap(scratch, tap) };
      return finish?.calls(block) ?? [];
    });
    const regionBytes = blocks.reduce((most, block) => Math.max(most, this.#region(block, SCRATCH).bytes), 0);
    return {
      calls: [...sums, ...(parts.length > 1 ? this.#addLost(at) : []), ...done],
      bytes: regionAt.offset + regionBytes,
    };
  }

  /** The calls that add what some places give to the gradient. */
  #block(block: Block, { tapsAt, rowsAt, regionAt }: Places, to: Matrices, accumulates: boolean): SimdCall[] {
    const { P, Q, O } = this.#sizes;
    const { row, rows, taps, tapColumns, run } = this.#tile;
    const region = this.#region(block, regionAt);
    const [ofRows, ofColumns] = this.#steps(block);
    const [picturePitch, rowPitch, columnPitch] = region.pitches;
    const gradients = { input: 1, offset: 4 * firstPlaceOf(block, [P, Q]) * O };
    const listRows = listCall(rowsAt, {
      start: [region.at(ofRows.source, ofColumns.source), gradients],
      loops: [
        [block.pictures, picturePitch, 4 * O * block.rows * block.columns],
        [block.rows, ofRows.sourceStep * rowPitch, 4 * O * block.columns],
        [block.columns, ofColumns.sourceStep * columnPitch, 4 * O],
      ],
    });
    const listTaps = listCall(tapsAt, {
      start: [0, 0],
      loops: [
        [taps.count, ofRows.tapStep * rowPitch, tapColumns * to.tap],
        [tapColumns, ofColumns.tapStep * columnPitch, to.tap],
      ],
    });
    const weights = {
      kernel: WEIGHTS,
      arguments: [
        ...[rowsAt, placesOf(block), tapsAt, this.#tapCount, 4 * O, 4 * row],
        ...[to.argument, to.pitch, rows, run, Number(accumulates), SCRATCH],
      ],
    };
    return [...region.calls, listRows, listTaps, weights];
  }

  #steps({ row, rows, column, columns }: Block) {
    return [
      windowSteps(this.#attributes, 0, row, rows, this.#tile.taps),
      windowSteps(this.#attributes, 1, column, columns),
    ] as const;
  }

  /** Adds a part to the sum, whose pitch need not be that of whole vectors. */
  #addPart({ target, part, lost }: Places, isFirst: boolean): SimdCall[] {
    const { rows, run } = this.#tile;
    return this.#everyTap((tap) => {
      const [sum, errors, added] = [ofTap(target, tap), ofTap(lost, tap).argument, ofTap(part, tap).argument];
      return [{ kernel: ADD_PART, arguments: [sum.argument, sum.pitch, errors, added, rows, run, Number(isFirst)] }];
    });
  }

  #addLost({ target, lost }: Places): SimdCall[] {
    const { rows, run } = this.#tile;
    return this.#everyTap((tap) => {
      const sum = ofTap(target, tap);
      return [{ kernel: ADD_LOST, arguments: [sum.argument, sum.pitch, ofTap(lost, tap).argument, rows, run] }];
    });
  }

  #everyTap(use: (tap: number) => readonly SimdCall[]): SimdCall[] {
    return Array.from({ length: this.#tapCount }, (_, tap) => use(tap)).flat();
  }

  #region(block: Block, scratch: Address): Region {
    const { H, W, C, groupC } = this.#sizes;
    const { group, from, channels: count } = this.#tile;
    const source = { argument: { input: 0 }, size: [H, W], channels: C, from: group * groupC + from, count } as const;
    const [ofRows, ofColumns] = this.#steps(block);
    return regionOf(source, block, [ofRows], [ofColumns], scratch);
  }
}

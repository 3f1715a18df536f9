import { type BlockFinish, type Rows, finishedOutput } from '../../fusion/simd-calls.js';
import { conv2dWeightGradientRelaxedWasm, conv2dWeightGradientWasm } from '../../generated/wasm.js';
import { ceilDivide } from '../../graph/launch.js';
import type { SimdCall, SimdKernel, SimdPhase } from '../../graph/simd.js';
import {
  type Address,
  type Block,
  firstPlaceOf,
  listCall,
  moved,
  phaseOf,
  placesOf,
  type Region,
  regionOf,
  type Steps,
  tableBytes,
  tasksFor,
  windowSteps,
  type Work,
} from './conv2d-simd-places.js';
import { blocksOfTile, PACKED_COLUMNS, type Tile, tilingOf } from './conv2d-simd-tiles.js';
import type { Conv2dAttributes, Conv2dSizes } from './conv2d-sizes.js';

const WEIGHTS: SimdKernel = {
  module: conv2dWeightGradientWasm,
  relaxed: conv2dWeightGradientRelaxedWasm,
  entryPoint: 'weights',
};
const ADD_PARTS: SimdKernel = { module: conv2dWeightGradientWasm, entryPoint: 'addParts' };
const SCRATCH = { scratch: true } as const;

/** Of the kernel's tile and panels of the picture, and of an output channel's part of the panels of its gradients. */
const KERNEL_BYTES = 128 + 4 * 256 * PACKED_COLUMNS;
const CHANNEL_BYTES = 4 * 256;
/** To add an element of a part takes as long as so many flop. */
const ADDING_FLOP = 16;

/** A matrix [rows, joined runs] for each tap, or for several: the first one, bytes from one row to the next, and from one matrix. */
interface Matrices extends Rows {
  readonly tap: number;
}

type StepsOfAxes = readonly [rows: Steps, columns: Steps];

/** Tasks of kernels/convolution/conv2d_weight_gradient.wat: the gradient as a matrix [O, R · S · C / groups], by tiles. */
export function weightGradientSimdPhases(
  sizes: Conv2dSizes,
  attributes: Conv2dAttributes,
  finish?: BlockFinish,
): SimdPhase[] | undefined {
  const { N, P, Q, O, R, S, groupC } = sizes;
  if (N * P * Q * O * R * S * groupC === 0) return undefined;
  const { tiles, parts, tasks } = tilingOf(sizes, attributes);
  let sharedBytes = 0;
  const sums: Work[] = [];
  const ends: Work[] = [];
  for (const tile of tiles) {
    const work = new TileWork(sizes, attributes, tile, parts);
    if (work.parts === 1) {
      sums.push(work.whole(finish));
      continue;
    }
    const shared = { shared: true, offset: sharedBytes } as const;
    sharedBytes += work.parts * work.bytes;
    sums.push(...Array.from({ length: work.parts }, (_, part) => work.part(part, shared)));
    ends.push(...work.added(shared, finish));
  }
  if (ends.length === 0) return [phaseOf(sums, tasks)];
  const adding = tasksFor(ADDING_FLOP * parts * O * R * S * groupC);
  return [
    { ...phaseOf(sums, tasks), sharedBytes },
    { ...phaseOf(ends, adding), sharedBytes },
  ];
}

/** What computes a tile. */
class TileWork {
  readonly parts: number;
  /** Bytes of a part of the tile, whose rows are whole vectors. */
  readonly bytes: number;
  readonly #sizes: Conv2dSizes;
  readonly #attributes: Conv2dAttributes;
  readonly #tile: Tile;
  readonly #tapCount: number;
  /** Columns of a matrix, and how many there are. */
  readonly #columns: number;
  readonly #matrices: number;
  readonly #blocks: readonly (readonly Block[])[];

  constructor(sizes: Conv2dSizes, attributes: Conv2dAttributes, tile: Tile, parts: number) {
    this.#sizes = sizes;
    this.#attributes = attributes;
    this.#tile = tile;
    this.#tapCount = tile.taps[0].count * tile.tapColumns;
    this.#columns = tile.run * tile.joined;
    this.#matrices = this.#tapCount / tile.joined;
    this.#blocks = blocksOfTile(sizes, tile, parts, (block) => this.#region(block, this.#steps(block), SCRATCH).bytes);
    this.parts = this.#blocks.length;
    this.bytes = this.#matrices * this.#inRows(SCRATCH).tap;
  }

  /** The tile at once, and what is to be done with it. */
  whole(finish: BlockFinish | undefined): Work {
    const scratch = this.#inRows({ ...SCRATCH, offset: this.#tileAt });
    const isInScratch = finish?.target === 'scratch';
    const { calls, bytes } = this.#sum(
      this.#blocks.flat(),
      isInScratch ? scratch : this.#inPlace(finish),
      this.#tileAt + (isInScratch ? this.bytes : 0),
    );
    const done = this.#everyTap((tap) => this.#finished(finish, tap, ofTap(scratch, tap)));
    return { calls: [...calls, ...done], bytes };
  }

  /** A part of the places, into one of the matrices from `shared` on. */
  part(part: number, shared: Address): Work {
    const target = this.#inRows(moved(shared, part * this.bytes));
    return this.#sum(this.#blocks[part] ?? [], target, this.#tileAt);
  }

  /** All parts added, tap by tap, and what is to be done with the sums. */
  added(shared: Address, finish: BlockFinish | undefined): Work[] {
    const { rows } = this.#tile;
    const own = this.#inRows(shared);
    const isInScratch = finish?.target === 'scratch';
    const scratch = { argument: { ...SCRATCH, offset: 0 }, pitch: own.pitch };
    return Array.from({ length: this.#matrices }, (_, tap) => {
      const target = isInScratch ? scratch : ofTap(this.#inPlace(finish), tap);
      const add: SimdCall = {
        kernel: ADD_PARTS,
        arguments: [
          ...[ofTap(own, tap).argument, this.parts, this.bytes, own.pitch],
          ...[target.argument, target.pitch, rows, this.#columns],
        ],
      };
      return { calls: [add, ...this.#finished(finish, tap, scratch)], bytes: isInScratch ? own.tap : 0 };
    });
  }

  /** Where what is computed first lies in the scratch memory: behind what the kernel needs. */
  get #tileAt(): number {
    return KERNEL_BYTES + CHANNEL_BYTES * 4 * ceilDivide(this.#tile.rows, 4);
  }

  /** The tile's matrices where rows are whole vectors. */
  #inRows(argument: Address): Matrices {
    const pitch = 16 * ceilDivide(this.#columns, 4);
    return { argument, pitch, tap: this.#tile.rows * pitch };
  }

  /** The tile's matrices in the gradient. */
  #inPlace(finish: BlockFinish | undefined): Matrices {
    const { R, S, groupC } = this.#sizes;
    const output = finishedOutput(finish);
    const offset = 4 * (this.#tile.row * R * S * groupC + this.#columnOf(0));
    return { argument: { ...output, offset }, pitch: 4 * R * S * groupC, tap: 4 * this.#tapElements };
  }

  /** Elements of the gradient from one of the tile's matrices to the next. */
  get #tapElements(): number {
    const { S, groupC } = this.#sizes;
    return this.#tile.tapColumns === this.#tile.taps[1].count ? groupC : S * groupC;
  }

  /** The column of the gradient where a matrix begins. */
  #columnOf(tap: number): number {
    const { S, groupC } = this.#sizes;
    const { taps, from } = this.#tile;
    return (taps[0].first * S + taps[1].first) * groupC + from + tap * this.#tapElements;
  }

  #finished(finish: BlockFinish | undefined, tap: number, scratch: Rows): readonly SimdCall[] {
    const { row, rows } = this.#tile;
    return finish?.calls({ row, rows, column: this.#columnOf(tap), columns: this.#columns, scratch }) ?? [];
  }

  #everyTap(use: (tap: number) => readonly SimdCall[]): SimdCall[] {
    return Array.from({ length: this.#matrices }, (_, tap) => use(tap)).flat();
  }

  /** The calls that sum some blocks of places; scratch memory from `free` on is theirs. */
  #sum(blocks: readonly Block[], target: Matrices, free: number): Work {
    const tapsAt = { ...SCRATCH, offset: free };
    const rowsAt = moved(tapsAt, tableBytes(this.#tapCount));
    const listed = blocks.reduce((most, block) => Math.max(most, placesOf(block)), 0);
    const regionAt = moved(rowsAt, tableBytes(listed));
    let regionBytes = 0;
    const calls = blocks.flatMap((block, i) => {
      const steps = this.#steps(block);
      const region = this.#region(block, steps, regionAt);
      regionBytes = Math.max(regionBytes, region.bytes);
      return [
        ...region.calls,
        ...this.#listed(block, steps, region, target, tapsAt, rowsAt),
        {
          kernel: WEIGHTS,
          arguments: [
            ...[rowsAt, placesOf(block), tapsAt, this.#tapCount, this.#tile.joined, 4 * this.#tile.row],
            ...[target.argument, target.pitch, this.#tile.rows, this.#tile.run, Number(i > 0), SCRATCH],
          ],
        },
      ];
    });
    return { calls, bytes: regionAt.offset + regionBytes };
  }

  /** The calls that write the tables of a block. */
  #listed(
    block: Block,
    [ofRows, ofColumns]: StepsOfAxes,
    region: Region,
    target: Matrices,
    tapsAt: Address,
    rowsAt: Address,
  ): SimdCall[] {
    const { P, Q, O } = this.#sizes;
    const { taps, tapColumns } = this.#tile;
    const [picturePitch, rowPitch, columnPitch] = region.pitches;
    const gradients = { input: 1, offset: 4 * firstPlaceOf(block, [P, Q]) * O };
    const places = listCall(rowsAt, {
      start: [region.at(ofRows.source, ofColumns.source), gradients],
      loops: [
        [block.pictures, picturePitch, 4 * O * P * Q],
        [block.rows, ofRows.sourceStep * rowPitch, 4 * O * Q],
        [block.columns, ofColumns.sourceStep * columnPitch, 4 * O],
      ],
    });
    const ofTaps = listCall(tapsAt, {
      start: [0, 0],
      loops: [
        [taps[0].count, ofRows.tapStep * rowPitch, tapColumns * target.tap],
        [tapColumns, ofColumns.tapStep * columnPitch, target.tap],
      ],
    });
    return [places, ofTaps];
  }

  #steps({ row, rows, column, columns }: Block): StepsOfAxes {
    const { taps } = this.#tile;
    return [
      windowSteps(this.#attributes, 0, row, rows, taps[0]),
      windowSteps(this.#attributes, 1, column, columns, taps[1]),
    ];
  }

  #region(block: Block, [ofRows, ofColumns]: StepsOfAxes, scratch: Address): Region {
    const { H, W, C, groupC } = this.#sizes;
    const { group, from, channels: count } = this.#tile;
    const source = { argument: { input: 0 }, size: [H, W], channels: C, from: group * groupC + from, count } as const;
    return regionOf(source, block, [ofRows], [ofColumns], scratch);
  }
}

function ofTap({ argument, pitch, tap }: Matrices, index: number): Rows {
  return { argument: moved(argument, index * tap), pitch };
}

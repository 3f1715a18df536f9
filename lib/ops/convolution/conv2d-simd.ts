import { type BlockFinish, type Rows, finishedOutput } from '../../fusion/simd-calls.js';
import { conv2dRowsRelaxedWasm, conv2dRowsWasm } from '../../generated/wasm.js';
import { ceilDivide } from '../../graph/launch.js';
import type { SimdArgument, SimdCall, SimdKernel, SimdPhase } from '../../graph/simd.js';

import {
  type Address,
  type Block,
  blocksOf,
  evenParts,
  firstPlaceOf,
  gradientSteps,
  listCall,
  listMetCall,
  moved,
  phaseOf,
  type Region,
  regionInPlace,
  regionOf,
  shareMet,
  type Source,
  type Steps,
  tableBytes,
  tasksFor,
  windowSteps,
  type Work,
} from './conv2d-simd-places.js';
import type { Conv2dAttributes, Conv2dSizes } from './conv2d-sizes.js';

// output[p, o] = Σ_(r,s,c) picture[p, r, s, c] · weight[o, r, s, c], p a place [n, p, q] of the output. Backward the weight is
// transposed: picture[p, c] = Σ_(r,s,o) output[p, r, s, o] · weight[o, r, s, c], p a place of the picture, taps those that met it.

const MULTIPLY: SimdKernel = { module: conv2dRowsWasm, relaxed: conv2dRowsRelaxedWasm, entryPoint: 'multiply' };
const CLEAR: SimdKernel = { module: conv2dRowsWasm, entryPoint: 'clear' };
const SCRATCH = { scratch: true } as const;

/** Where places are fewer, a weight is packed for too few of them: tasks are divided by channels. */
const LEAST_PLACES = 128;
const MOST_PLACES = 1024;
/** With fewer channels, runs over all taps of a row are faster than runs of a tap that leave out some. */
const LEAST_CHANNELS = 16;
/** Of what windows cover, so much lies in the picture at most where the rest is left out. */
const MOST_SHARE = 0.95;
/** Pictures whose same places go together. */
const ACROSS_PICTURES = 16;
/** Elements of what is computed, 256 KiB, and bytes of what is read, which stay in the second-level cache. */
const BLOCK_ELEMENTS = 2 ** 16;
const REGION_BYTES = 2 ** 18;
/** k that are packed at once, and columns: kernels/convolution/conv2d_rows.wat. */
const PACKED_K = 256;
const PACKED_COLUMNS = 32;
/** Of the tile, its rows and the panels. */
const KERNEL_BYTES = 192 + 4 * PACKED_K * PACKED_COLUMNS;

/** Channels from one on. */
type Part = readonly [start: number, count: number];

/** A convolution or its input gradient as a product: places times channels, summed over taps and channels. */
interface Product {
  readonly pictures: number;
  /** What is read: size of its pictures, its channels and those of a group. */
  readonly read: { readonly size: Source['size']; readonly channels: number; readonly group: number };
  /** What is computed. */
  readonly computed: { readonly size: Source['size']; readonly channels: number; readonly group: number };
  readonly steps: (axis: 0 | 1, from: number, count: number) => readonly Steps[];
  readonly taps: number;
  /** Elements of a run: those of a tap, or of the taps of a row of the window where these lie side by side. */
  readonly run: number;
  /** Whether only places in the picture are read, and rows are listed so that four meet the same taps. */
  readonly isSparse: boolean;
  /** The weight, in bytes: from a group, a row and a column of the window, an element of a run, and a channel to the next. */
  readonly weight: Readonly<Record<'group' | 'row' | 'column' | 'element' | 'channel', number>>;
}

/** Tasks of kernels/convolution/conv2d_rows.wat: the output of a convolution, [N · P · Q, O], by blocks. */
export function conv2dSimdPhases(
  { N, H, W, C, P, Q, O, R, S, groupC, groupO }: Conv2dSizes,
  attributes: Conv2dAttributes,
  finish?: BlockFinish,
): SimdPhase[] | undefined {
  // Taps of a row lie side by side, in the picture and in the weight.
  const isRow = attributes.groups === 1 && attributes.dilation[1] === 1;
  const product = {
    pictures: N,
    read: { size: [H, W], channels: C, group: groupC },
    computed: { size: [P, Q], channels: O, group: groupO },
    steps: (axis: 0 | 1, from: number, count: number) => [windowSteps(attributes, axis, from, count)],
    taps: R * S,
    run: isRow ? S * C : groupC,
    weight: {
      ...{ group: 4 * groupO * R * S * groupC, row: 4 * S * groupC, column: 4 * groupC },
      ...{ element: 4, channel: 4 * R * S * groupC },
    },
  } as const;
  return phasesOf(
    isSparse(product) ? { ...product, isSparse: true, run: groupC } : { ...product, isSparse: false },
    finish,
  );
}

/** The gradient with respect to the picture, [N · H · W, C]. */
export function inputGradientSimdPhases(
  { N, H, W, C, P, Q, O, R, S, groupC, groupO }: Conv2dSizes,
  attributes: Conv2dAttributes,
  finish?: BlockFinish,
): SimdPhase[] | undefined {
  const product = {
    pictures: N,
    read: { size: [P, Q], channels: O, group: groupO },
    computed: { size: [H, W], channels: C, group: groupC },
    steps: (axis: 0 | 1, from: number, count: number) => gradientSteps(attributes, axis, from, count),
    taps: R * S,
    run: groupO,
    weight: {
      ...{ group: 4 * groupO * R * S * groupC, row: 4 * S * groupC, column: 4 * groupC },
      ...{ element: 4 * R * S * groupC, channel: 4 },
    },
  } as const;
  return phasesOf({ ...product, isSparse: isSparse(product) }, finish);
}

/** Whether it pays to leave out what lies beside the picture. Channels must be enough to look at each tap on its own. */
function isSparse({ pictures, read, computed, steps, taps }: Omit<Product, 'isSparse'>): boolean {
  const [height, width] = computed.size;
  const share = shareMet(steps(0, 0, height), read.size[0]) * shareMet(steps(1, 0, width), read.size[1]);
  return taps < 32 && read.group >= LEAST_CHANNELS && (4 * ceilDivide(pictures, 4) * share) / pictures < MOST_SHARE;
}

function phasesOf(product: Product, finish: BlockFinish | undefined): SimdPhase[] | undefined {
  const { pictures, computed, read, taps } = product;
  const places = pictures * computed.size[0] * computed.size[1];
  const flop = 2 * places * computed.channels * taps * read.group;
  if (flop === 0) return undefined;
  const wanted = tasksFor(flop);
  const blocks = blocksFor(product, wanted);
  const ofPlaces = Math.min(blocks.length, wanted);
  const unit = computed.group === computed.channels ? PACKED_COLUMNS : computed.group;
  const columns = Math.max(Math.floor(computed.channels / Math.ceil(wanted / ofPlaces)), 1);
  const parts = evenParts(computed.channels, unit * ceilDivide(columns, unit), unit);
  return [
    phaseOf(
      parts.flatMap((part) => blocks.map((block) => callsOf(product, block, part, finish))),
      wanted,
    ),
  ];
}

/** Blocks of places: enough for all tasks where they do not get too small, and not too large for the cache. */
function blocksFor(product: Product, wanted: number): Block[] {
  const { pictures, computed, isSparse } = product;
  const { size, channels } = computed;
  const fitting = Math.max(LEAST_PLACES, Math.min(MOST_PLACES, Math.floor(BLOCK_ELEMENTS / channels)));
  const most = Math.min(Math.max(ceilDivide(pictures * size[0] * size[1], wanted), LEAST_PLACES), fitting);
  if (isSparse) {
    const across = evenParts(pictures, ACROSS_PICTURES, 4);
    return across.flatMap(([picture, count]) =>
      blocksOf(1, size, Math.max(Math.floor(most / count), 1)).map((block) => ({ ...block, picture, pictures: count })),
    );
  }
  const bytesOf = (block: Block): number =>
    regionOf(sourceOf(product), block, ...stepsOf(product, block), SCRATCH).bytes;
  return blocksOf(pictures, size, most, bytesOf, REGION_BYTES);
}

function sourceOf({ read: { size, channels } }: Product): Source {
  return { argument: { input: 0 }, size, channels, from: 0, count: channels };
}

function stepsOf({ steps }: Product, { row, rows, column, columns }: Block) {
  return [steps(0, row, rows), steps(1, column, columns)] as const;
}

/** The calls that compute some channels of a block, and then what is to be done with it; the scratch memory they need. */
function callsOf(product: Product, block: Block, [channel, channels]: Part, finish: BlockFinish | undefined): Work {
  const { computed, isSparse, taps } = product;
  const [rows, columns] = stepsOf(product, block);
  const perPicture = block.rows * block.columns;
  const listed = (isSparse ? 4 * ceilDivide(block.pictures, 4) : block.pictures) * perPicture;
  const tapsAt = { ...SCRATCH, offset: KERNEL_BYTES };
  const masksAt = moved(tapsAt, tableBytes(taps));
  const rowsAt = moved(masksAt, isSparse ? 16 * ceilDivide(listed, 16) : 0);
  const regionAt = moved(rowsAt, tableBytes(listed));
  const region = isSparse
    ? regionInPlace(sourceOf(product), block)
    : regionOf(sourceOf(product), block, rows, columns, regionAt);
  const scratchAt = moved(regionAt, region.bytes);
  const first = firstPlaceOf(block, computed.size);
  const size = computed.size[0] * computed.size[1];
  const isInScratch = finish?.target === 'scratch';
  const output = finishedOutput(finish);
  const target = isInScratch
    ? { argument: scratchAt, pitch: 4 * channels, picturePitch: 4 * channels * perPicture }
    : {
        argument: { ...output, offset: 4 * (first * computed.channels + channel) },
        ...{ pitch: 4 * computed.channels, picturePitch: 4 * computed.channels * size },
      };
  const products = rows.flatMap((ofRows) =>
    columns.flatMap((ofColumns) =>
      classCalls(product, [channel, channels], { block, region, target, tapsAt, masksAt, rowsAt }, ofRows, ofColumns),
    ),
  );
  // Pictures that are not whole do not lie side by side.
  const together = perPicture === size ? block.pictures : 1;
  const done = Array.from({ length: block.pictures / together }, (_, i) =>
    finish?.calls({
      ...{ row: first + i * size, rows: together * perPicture, column: channel, columns: channels },
      scratch: { argument: moved(scratchAt, 4 * i * perPicture * channels), pitch: 4 * channels },
    }),
  );
  const bytes = scratchAt.offset + (isInScratch ? 4 * block.pictures * perPicture * channels : 0);
  return { calls: [...region.calls, ...products, ...done.flatMap((calls) => calls ?? [])], bytes };
}

/** Where things lie while a block is computed. */
interface Places {
  readonly block: Block;
  readonly region: Region;
  /** What is computed: its first place, and bytes from one place, and from one picture, to the next. */
  readonly target: Rows & { readonly picturePitch: number };
  readonly tapsAt: Address;
  readonly masksAt: Address;
  readonly rowsAt: Address;
}

/** The calls that compute those places of a block that meet the same taps. */
function classCalls(product: Product, part: Part, places: Places, rows: Steps, columns: Steps): SimdCall[] {
  const { run, read, weight, isSparse } = product;
  const { block, region, target, tapsAt, masksAt, rowsAt } = places;
  const [picturePitch, rowPitch, columnPitch] = region.pitches;
  const tapColumns = run === read.group ? columns.taps.count : 1;
  const tapCount = rows.taps.count * tapColumns;
  const first = (rows.first - block.row) * block.columns + columns.first - block.column;
  const listing = {
    start: [tapCount === 0 ? 0 : region.at(rows.source, columns.source), moved(target.argument, first * target.pitch)],
    loops: [
      [block.pictures, picturePitch, target.picturePitch],
      [rows.count, rows.sourceStep * rowPitch, rows.step * block.columns * target.pitch],
      [columns.count, columns.sourceStep * columnPitch, columns.step * target.pitch],
    ],
  } as const;
  if (tapCount === 0) {
    const count = block.pictures * rows.count * columns.count;
    return [listCall(rowsAt, listing), { kernel: CLEAR, arguments: [rowsAt, count, 0, part[1]] }];
  }
  const listRows = isSparse
    ? listMetCall(rowsAt, masksAt, listing, read.size, [rows, columns])
    : listCall(rowsAt, listing);
  const listTaps = listCall(tapsAt, {
    start: [0, rows.taps.first * weight.row + columns.taps.first * weight.column],
    loops: [
      [rows.taps.count, rows.tapStep * rowPitch, rows.taps.step * weight.row],
      [tapColumns, columns.tapStep * columnPitch, columns.taps.step * weight.column],
    ],
  });
  const count = (isSparse ? 4 * ceilDivide(block.pictures, 4) : block.pictures) * rows.count * columns.count;
  const tables = [rowsAt, count, isSparse ? masksAt : 0, tapsAt, tapCount];
  return [listRows, listTaps, ...multiplyCalls(product, part, tables)];
}

/** A call for each group of channels. */
function multiplyCalls(product: Product, [channel, channels]: Part, tables: readonly SimdArgument[]): SimdCall[] {
  const { computed, read, run, weight } = product;
  const atOnce = run <= PACKED_K ? [Math.floor(PACKED_K / run), run] : [1, evenParts(run, PACKED_K, 4)[0]?.[1] ?? run];
  const firstGroup = Math.floor(channel / computed.group);
  const groups = ceilDivide(channel + channels, computed.group) - firstGroup;
  return Array.from({ length: groups }, (_, i) => {
    const group = firstGroup + i;
    const from = Math.max(channel, group * computed.group);
    const own = Math.min(channel + channels, (group + 1) * computed.group) - from;
    const offset = group * weight.group + (from - group * computed.group) * weight.channel;
    return {
      kernel: MULTIPLY,
      arguments: [
        ...[...tables, run, ...atOnce, 4 * group * read.group],
        ...[{ input: 1, offset }, weight.element, weight.channel, 4 * (from - channel), own, SCRATCH],
      ],
    };
  });
}

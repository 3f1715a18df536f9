import type { BlockFinish, Rows } from '../../fusion/simd-calls.js';
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
  moved,
  phaseOf,
  placesOf,
  type Region,
  regionOf,
  type Source,
  type Steps,
  tableBytes,
  tasksFor,
  windowSteps,
  type Work,
} from './conv2d-simd-places.js';
import type { Conv2dAttributes, Conv2dSizes } from './conv2d-sizes.js';

const MULTIPLY: SimdKernel = { module: conv2dRowsWasm, relaxed: conv2dRowsRelaxedWasm, entryPoint: 'multiply' };
const CLEAR: SimdKernel = { module: conv2dRowsWasm, entryPoint: 'clear' };
const SCRATCH = { scratch: true } as const;

/** Where places are fewer, a weight is packed for too few of them: tasks are divided by channels. */
const LEAST_PLACES = 128;
const MOST_PLACES = 1024;
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
  /** The elements of a run, one tap or the taps of a row of the window where those lie side by side. */
  readonly run: number;
  readonly taps: number;
  /** The weight, in bytes: from a group, a row and a column of the window, an element of a run, and a channel to the next. */
  readonly weight: Readonly<Record<'group' | 'row' | 'column' | 'element' | 'channel', number>>;
}

/** Tasks of kernels/convolution/conv2d_rows.wat: the output of a convolution, [N · P · Q, O], by blocks. */
export function conv2dSimdPhases(
  sizes: Conv2dSizes,
  attributes: Conv2dAttributes,
  finish?: BlockFinish,
): SimdPhase[] | undefined {
  const { N, H, W, C, P, Q, O, R, S, groupC, groupO } = sizes;
  // Taps of a row lie side by side, in the picture and in the weight.
  const isRow = attributes.groups === 1 && attributes.dilation[1] === 1;
  const run = isRow ? S * C : groupC;
  const product: Product = {
    pictures: N,
    read: { size: [H, W], channels: C, group: groupC },
    computed: { size: [P, Q], channels: O, group: groupO },
    steps: (axis, from, count) => [windowSteps(attributes, axis, from, count)],
    ...{ run, taps: R * S },
    weight: {
      ...{ group: 4 * groupO * R * S * groupC, row: 4 * S * groupC, column: 4 * groupC },
      ...{ element: 4, channel: 4 * R * S * groupC },
    },
  };
  return phasesOf(product, finish);
}

/** The gradient with respect to the picture, [N · H · W, C]. */
export function inputGradientSimdPhases(
  { N, H, W, C, P, Q, O, R, S, groupC, groupO }: Conv2dSizes,
  attributes: Conv2dAttributes,
  finish?: BlockFinish,
): SimdPhase[] | undefined {
  const product: Product = {
    pictures: N,
    read: { size: [P, Q], channels: O, group: groupO },
    computed: { size: [H, W], channels: C, group: groupC },
    steps: (axis, from, count) => gradientSteps(attributes, axis, from, count),
    ...{ run: groupO, taps: R * S },
    weight: {
      ...{ group: 4 * groupO * R * S * groupC, row: 4 * S * groupC, column: 4 * groupC },
      ...{ element: 4 * R * S * groupC, channel: 4 },
    },
  };
  return phasesOf(product, finish);
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
  const { pictures, computed, read } = product;
  const { size, channels } = computed;
  const most = Math.max(LEAST_PLACES, Math.min(MOST_PLACES, Math.floor(BLOCK_ELEMENTS / channels)));
  const places = Math.max(ceilDivide(pictures * size[0] * size[1], wanted), LEAST_PLACES);
  const source = { argument: SCRATCH, size: read.size, channels: read.channels, from: 0, count: read.channels };
  const bytesOf = (block: Block): number => regionOf(source, block, ...stepsOf(product, block), SCRATCH).bytes;
  return blocksOf(pictures, size, Math.min(places, most), bytesOf, REGION_BYTES);
}

function stepsOf({ steps }: Product, { row, rows, column, columns }: Block) {
  return [steps(0, row, rows), steps(1, column, columns)] as const;
}

/** The calls that compute some channels of a block, and then what is to be done with it; the scratch memory they need. */
function callsOf(product: Product, block: Block, [channel, channels]: Part, finish: BlockFinish | undefined): Work {
  const { computed, read, taps } = product;
  const places = placesOf(block);
  const [rows, columns] = stepsOf(product, block);
  const tapsAt = { ...SCRATCH, offset: KERNEL_BYTES };
  const rowsAt = moved(tapsAt, tableBytes(taps));
  const regionAt = moved(rowsAt, tableBytes(places));
  const source = { argument: { input: 0 }, size: read.size, channels: read.channels, from: 0, count: read.channels };
  const region = regionOf(source, block, rows, columns, regionAt);
  const scratch = { argument: moved(regionAt, region.bytes), pitch: 4 * channels };
  const first = firstPlaceOf(block, computed.size);
  const isInScratch = finish?.target === 'scratch';
  const output = finish && finish.target !== 'scratch' ? finish.target : { output: 0 };
  const pitch = 4 * computed.channels;
  const target = isInScratch ? scratch : { argument: { ...output, offset: first * pitch + 4 * channel }, pitch };
  const products = rows.flatMap((ofRows) =>
    columns.flatMap((ofColumns) =>
      classCalls(product, [channel, channels], { block, region, target, tapsAt, rowsAt }, ofRows, ofColumns),
    ),
  );
  const done = finish?.calls({ row: first, column: channel, rows: places, columns: channels, scratch }) ?? [];
  const bytes = regionAt.offset + region.bytes + (isInScratch ? 4 * places * channels : 0);
  return { calls: [...region.calls, ...products, ...done], bytes };
}

/** Where things lie while a block is computed. */
interface Places {
  readonly block: Block;
  readonly region: Region;
  /** What is computed: its first place, and bytes from one place to the next. */
  readonly target: Rows;
  readonly tapsAt: Address;
  readonly rowsAt: Address;
}

/** The calls that compute those places of a block that meet the same taps. */
function classCalls(product: Product, part: Part, places: Places, rows: Steps, columns: Steps): SimdCall[] {
  const { run, read, weight } = product;
  const { block, region, target, tapsAt, rowsAt } = places;
  const [picturePitch, rowPitch, columnPitch] = region.pitches;
  const isEmpty = rows.taps.count * columns.taps.count === 0;
  const first = (rows.first - block.row) * block.columns + columns.first - block.column;
  const listRows = listCall(rowsAt, {
    start: [isEmpty ? 0 : region.at(rows.source, columns.source), moved(target.argument, first * target.pitch)],
    loops: [
      [block.pictures, picturePitch, block.rows * block.columns * target.pitch],
      [rows.count, rows.sourceStep * rowPitch, rows.step * block.columns * target.pitch],
      [columns.count, columns.sourceStep * columnPitch, columns.step * target.pitch],
    ],
  });
  const count = block.pictures * rows.count * columns.count;
  if (isEmpty) return [listRows, { kernel: CLEAR, arguments: [rowsAt, count, 0, part[1]] }];
  const tapColumns = run === read.group ? columns.taps.count : 1;
  const listTaps = listCall(tapsAt, {
    start: [0, rows.taps.first * weight.row + columns.taps.first * weight.column],
    loops: [
      [rows.taps.count, rows.tapStep * rowPitch, rows.taps.step * weight.row],
      [tapColumns, columns.tapStep * columnPitch, columns.taps.step * weight.column],
    ],
  });
  return [listRows, listTaps, ...multiplyCalls(product, part, [rowsAt, count, tapsAt, rows.taps.count * tapColumns])];
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

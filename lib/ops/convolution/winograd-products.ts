import { elementAt } from '../../element-at.js';
import { type BlockFinish, finishedOutput } from '../../fusion/simd-calls.js';
import { ceilDivide } from '../../graph/launch.js';
import type { SimdPhase } from '../../graph/simd.js';
import {
  type Block,
  evenParts,
  firstPlaceOf,
  moved,
  phaseOf,
  placesOf,
  type Source,
  tasksFor,
  type Work,
} from './conv2d-simd-places.js';
import type { Conv2dAttributes, Conv2dSizes } from './conv2d-sizes.js';
import {
  FILTER_FLOP,
  inFours,
  isThreeByThree,
  LINE_BYTES,
  TILE_PLACES,
  tileBlocks,
  tilesOf,
  transformedTiles,
  winogradKernel,
  winogradPays,
} from './winograd.js';

const FILTERS = winogradKernel('filters');
const MULTIPLY = winogradKernel('multiply');
const OUTPUTS = winogradKernel('outputs');
const SCRATCH = { scratch: true, offset: 0 } as const;
const FILTERS_AT = { shared: true, offset: 0 } as const;

/** Tiles of a block: what is read of a place's filters serves so many. */
const BLOCK_TILES = 32;
const PANEL = 8;
/** Columns that are multiplied before they are transformed back: with 32 tiles, 196 KiB. */
const CHUNK = 64;
/** Scratch memory for 8 times 32 filters: their taps, and these when their rows are transformed. */
const FILTER_BYTES = 27 * 4 * 8 * 32;

/** A convolution or its input gradient. */
interface Product {
  readonly pictures: number;
  readonly read: { readonly size: Source['size']; readonly channels: number };
  readonly computed: { readonly size: Source['size']; readonly channels: number };
  /** Rows and columns of zeros in front of what is read. */
  readonly before: readonly [rows: number, columns: number];
  /** The weight, in bytes: its first tap; to the next tap, what is summed over, what is computed. */
  readonly weight: Readonly<Record<'first' | 'tap' | 'element' | 'channel', number>>;
}

/** The output of a convolution, [N · P · Q, O]; undefined where windows are others, or too few. */
export function winogradPhases(
  { N, H, W, C, P, Q, O }: Conv2dSizes,
  attributes: Conv2dAttributes,
  finish?: BlockFinish,
): SimdPhase[] | undefined {
  if (!isThreeByThree(attributes)) return undefined;
  const { padding } = attributes;
  return phasesOf(
    {
      pictures: N,
      read: { size: [H, W], channels: C },
      computed: { size: [P, Q], channels: O },
      before: [elementAt(padding, 0), elementAt(padding, 2)],
      weight: { first: 0, tap: 4 * C, element: 4, channel: 4 * 9 * C },
    },
    finish,
  );
}

/** The gradient with respect to the picture, [N · H · W, C]: a convolution by the turned filters. */
export function winogradInputGradientPhases(
  { N, H, W, C, P, Q, O }: Conv2dSizes,
  attributes: Conv2dAttributes,
  finish?: BlockFinish,
): SimdPhase[] | undefined {
  const [top, left] = [2 - elementAt(attributes.padding, 0), 2 - elementAt(attributes.padding, 2)];
  if (!isThreeByThree(attributes) || top < 0 || left < 0) return undefined;
  return phasesOf(
    {
      pictures: N,
      read: { size: [P, Q], channels: O },
      computed: { size: [H, W], channels: C },
      before: [top, left],
      weight: { first: 8 * 4 * C, tap: -4 * C, element: 4 * 9 * C, channel: 4 },
    },
    finish,
  );
}

function phasesOf(product: Product, finish: BlockFinish | undefined): SimdPhase[] | undefined {
  const { pictures, read, computed, weight } = product;
  const [k, n] = [read.channels, computed.channels];
  if (k % 4 > 0 || n % PANEL > 0 || !winogradPays(pictures, computed.size, k, n)) return undefined;

  const filterPitch = 4 * k * n + LINE_BYTES;
  const filters = evenParts(n, ceilDivide(n, tasksFor(FILTER_FLOP * k * n)), PANEL).map(([from, own]) => ({
    kernel: FILTERS,
    arguments: [
      ...[{ input: 1, offset: weight.first + from * weight.channel }, weight.tap, weight.element, weight.channel],
      ...[k, own / PANEL, moved(FILTERS_AT, 4 * k * from), filterPitch, SCRATCH],
    ],
  }));
  const blocks = tileBlocks(pictures, computed.size, BLOCK_TILES);
  const tiles = blocks.reduce((sum, block) => sum + tilesOf(block), 0);
  const wanted = tasksFor(2 * TILE_PLACES * tiles * k * n);
  const parts = evenParts(n, Math.max(Math.floor(n / ceilDivide(wanted, blocks.length)), CHUNK), PANEL);
  const work = parts.flatMap((part) => blocks.map((block) => workOf(product, block, part, filterPitch, finish)));
  const sharedBytes = TILE_PLACES * filterPitch;
  return [
    { tasks: filters.map((call) => [call]), scratchBytes: FILTER_BYTES, sharedBytes },
    { ...phaseOf(work, wanted), sharedBytes },
  ];
}

/** The calls that compute some channels of a block, and then what is to be done with it. */
function workOf(
  { read, computed, before }: Product,
  block: Block,
  [channel, channels]: readonly [start: number, count: number],
  filterPitch: number,
  finish: BlockFinish | undefined,
): Work {
  const tiles = tilesOf(block);
  const chunk = Math.min(CHUNK, channels);
  const productPitch = 4 * inFours(tiles) * chunk + LINE_BYTES;
  const tilesAt = moved(SCRATCH, TILE_PLACES * productPitch);
  const transformed = transformedTiles({ argument: { input: 0 }, ...read }, before, block, tilesAt);
  const finishedAt = transformed.end;

  const place = firstPlaceOf(block, computed.size);
  const [height, width] = computed.size;
  const places = placesOf(block);
  const isInScratch = finish?.target === 'scratch';
  const output = finishedOutput(finish);
  const target = isInScratch
    ? { argument: finishedAt, pitch: 4 * channels, pictureRows: block.rows }
    : {
        argument: { ...output, offset: 4 * (place * computed.channels + channel) },
        ...{ pitch: 4 * computed.channels, pictureRows: height },
      };
  const linesAt = moved(finishedAt, isInScratch ? 4 * places * channels : 0);

  const products = evenParts(channels, chunk, PANEL).flatMap(([from, own]) => [
    {
      kernel: MULTIPLY,
      arguments: [
        ...[tilesAt, transformed.tilePitch, transformed.placePitch, tiles, read.channels],
        ...[moved(FILTERS_AT, 4 * read.channels * (channel + from)), filterPitch, own / PANEL],
        ...[SCRATCH, 4 * chunk, productPitch],
      ],
    },
    {
      kernel: OUTPUTS,
      arguments: [
        ...[SCRATCH, productPitch, 4 * chunk, 4 * own, block.pictures, block.rows, block.columns],
        ...[moved(target.argument, 4 * from), width * target.pictureRows * target.pitch],
        ...[width * target.pitch, target.pitch, linesAt],
      ],
    },
  ]);
  // Several pictures are whole ones, so all places lie side by side.
  const scratch = { argument: finishedAt, pitch: 4 * channels };
  const done = finish?.calls({ row: place, rows: places, column: channel, columns: channels, scratch }) ?? [];
  return {
    calls: [transformed.call, ...products, ...done],
    bytes: Math.max(finishedAt.offset + transformed.scratchBytes, linesAt.offset + 20 * 4 * chunk),
  };
}

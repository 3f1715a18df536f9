import { DataError } from '../errors.js';
import { checkArgument, checkOptions, type OptionRule, type OptionRules, text, wholeNumber } from '../options.js';
import { formatShape, sizeOf } from '../shape.js';
import type { TitleOptions } from './curves.js';
import { dataAddress, type Picture, pictureOf, type PictureShape, pictureShapeOf } from './picture.js';
import { type Cell, drawSheet } from './sheet.js';
import { LIGHT } from './theme.js';

/** The weight of a first layer, in the layout of files: what `stateOf` gives. */
export interface FirstWeight {
  /** [units, inputs] of a Dense, [channels out, channels in, height, width] of a Conv2d. */
  readonly shape: readonly number[];
  /** Its numbers, row-major. */
  readonly data: ArrayLike<number>;
  /** Of a Dense: the shape of the pictures that it reads, such as [3, 28, 28]. */
  readonly inputShape?: readonly number[];
}

/** Options of {@link drawWeights}. */
export interface DrawWeightsOptions extends TitleOptions {
  /** How many units are shown, at most: the first ones. Default 64. */
  readonly limit?: number;
  /** Tiles in a row. Default 16. */
  readonly columns?: number;
}

const RULES: OptionRules<DrawWeightsOptions> = {
  ...{ limit: wholeNumber({ min: 1 }), columns: wholeNumber({ min: 1 }), title: text, subtitle: text },
};
const weightRule: OptionRule = {
  expected: 'a weight: shape and data',
  accepts: (value) => typeof value === 'object' && value !== null && 'shape' in value && 'data' in value,
};

/** Width of a tile. */
const TILE = 52;

/**
 * Draws the weights of a first layer as tiles, as SVG: of each unit the picture that it answers to most. Grey is a weight of 0;
 * each tile is stretched to its own largest weight.
 *
 * @throws DataError for weights that no picture can be made of: not of 1 or 3 channels, or a Dense without `inputShape`
 * @throws KernelwrightError, with the command to install them, without the packages `vega` and `vega-lite`
 */
export async function drawWeights(weight: FirstWeight, options: DrawWeightsOptions = {}): Promise<string> {
  checkOptions('drawWeights', options, RULES);
  const { limit, columns = 16, title } = options;
  const { cells, units, ...size } = weightCells(weight, limit);
  const part = cells.length < units ? `the first ${cells.length} of ${units} units` : undefined;
  const { subtitle = part } = options;
  return drawSheet({
    ...(title !== undefined && { title }),
    ...(subtitle !== undefined && { subtitle }),
    ...{ cells, columns, ...size, gap: 8 },
    description: `Weights of the first layer: ${part ?? `${units} units`}, each as a picture.`,
  });
}

/** @internal The cells of a sheet, all of one size. */
export function weightCells(weight: FirstWeight, limit = 64) {
  const tiles = weightTiles(weight);
  const [{ width, height } = { width: 1, height: 1 }] = tiles;
  const tileHeight = Math.round(Math.min(2 * TILE, (TILE * height) / width));
  const cells = tiles.slice(0, limit).map((tile, i): Cell => ({
    marks: {
      images: [{ x: 0, y: 0, width: TILE, height: tileHeight, url: dataAddress(tile, TILE) }],
      texts: [{ x: TILE / 2, y: tileHeight + 13, text: String(i), colour: LIGHT.muted, align: 'center' }],
    },
    description: `Unit ${i}.`,
  }));
  return { cells, width: TILE, height: tileHeight + 16, units: tiles.length };
}

/** @internal Each unit as a picture. */
export function weightTiles(weight: FirstWeight): Picture[] {
  checkArgument('drawWeights', 'the weight', weight, weightRule);
  const { shape, data } = weight;
  const tile = tileShape(weight);
  const units = shape[0] ?? 0;
  const size = tile.width * tile.height * tile.channels;
  if (data.length !== units * size || units === 0) {
    throw new DataError(`drawWeights: ${data.length} numbers for a weight of shape ${formatShape(shape)}`);
  }
  const all = Float32Array.from(data);
  return Array.from({ length: units }, (_, unit) => {
    const own = all.subarray(unit * size, (unit + 1) * size);
    const largest = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    if (!Number.isFinite(largest)) throw new DataError(`drawWeights: a weight of unit ${unit} is not finite`);
    return pictureOf(own, tile, (value) => Math.round(128 + (largest > 0 ? (127 * value) / largest : 0)));
  });
}

function tileShape({ shape, inputShape }: FirstWeight): PictureShape {
  const [, channels = 0, height = 0, width = 0] = shape;
  if (shape.length === 4 && (channels === 1 || channels === 3))
    return { width, height, channels, isChannelsFirst: true };
  const read = inputShape && pictureShapeOf(inputShape);
  if (shape.length === 2 && read && sizeOf(inputShape) === shape[1]) return read;
  const given = inputShape ? `, inputShape ${formatShape(inputShape)}` : '';
  throw new DataError(
    `drawWeights: no pictures can be made of a weight of shape ${formatShape(shape)}${given}: expected [out, 1 or 3, height, width], ` +
      'or [units, inputs] with the inputShape of a picture',
  );
}

import { DataError } from '../errors.js';
import { checkArgument, checkOptions, list, type OptionRules, text, wholeNumber } from '../options.js';
import { formatShape, sizeOf } from '../shape.js';
import type { TitleOptions } from './curves.js';
import { type Picture, pictureRule, pictureShapeOf, type PictureShape } from './picture.js';
import {
  answerMarks,
  answerOf,
  CELL_WIDTH,
  describeAnswer,
  highest,
  joined,
  pictureMarks,
  type Prediction,
} from './predictions.js';
import { drawSheet } from './sheet.js';

/** How much each pixel of a picture matters. */
export interface SaliencyMap {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** Numbers of 0 or more, [height, width]. */
  readonly values: ArrayLike<number>;
}

/** A picture with what a model says of it, and which of its pixels matter for that. */
export interface ExplainedPrediction extends Prediction {
  readonly picture: Picture;
  /** How much each of its pixels matters. */
  readonly saliency: SaliencyMap;
}

/** Options of {@link drawSaliency}. */
export interface DrawSaliencyOptions extends TitleOptions {
  /** Pictures in a row. Default 5. */
  readonly columns?: number;
}

const RULES: OptionRules<DrawSaliencyOptions> = { columns: wholeNumber({ min: 1 }), title: text, subtitle: text };

/**
 * Maps of what `saliency` gives for pictures: of each pixel the largest magnitude among its channels (Simonyan et al. 2013,
 * section 3.1).
 *
 * @param gradients [N, ...inputShape], the values of the tensor
 * @param inputShape [height, width, channels] or [channels, height, width] with 1 or 3 channels
 * @throws DataError for another shape, or where the numbers do not make whole pictures
 */
export function saliencyMaps(gradients: ArrayLike<number>, inputShape: readonly number[]): SaliencyMap[] {
  const shape = pictureShapeOf(inputShape);
  const size = sizeOf(inputShape);
  if (!shape || gradients.length % size !== 0) {
    throw new DataError(
      `saliencyMaps: ${gradients.length} numbers are no pictures of ${formatShape(inputShape)}: expected [height, width, channels] ` +
        'or [channels, height, width] with 1 or 3 channels',
    );
  }
  return Array.from({ length: gradients.length / size }, (_, i) => mapOf(gradients, i * size, shape));
}

function mapOf(
  gradients: ArrayLike<number>,
  start: number,
  { width, height, channels, isChannelsFirst }: PictureShape,
): SaliencyMap {
  const [pixelStride, channelStride] = isChannelsFirst ? [1, width * height] : [channels, 1];
  const magnitudes = new Float32Array(width * height);
  for (let i = 0; i < magnitudes.length; i++) {
    for (let channel = 0; channel < channels; channel++) {
      const magnitude = Math.abs(gradients[start + i * pixelStride + channel * channelStride] ?? NaN);
      magnitudes[i] = Math.max(magnitudes[i] ?? 0, magnitude);
    }
  }
  return { width, height, values: magnitudes };
}

/**
 * Draws pictures with the pixels that matter for the class that was predicted in orange, as SVG. Each map is stretched to
 * its own largest values.
 *
 * @throws DataError for a map that does not fit its size, or is not finite
 * @throws KernelwrightError, with the command to install them, without the packages `vega` and `vega-lite`
 */
export async function drawSaliency(
  predictions: readonly ExplainedPrediction[],
  options: DrawSaliencyOptions = {},
): Promise<string> {
  checkOptions('drawSaliency', options, RULES);
  const { columns = 5, ...titles } = options;
  return drawSheet({ ...titles, columns, ...saliencyCells(predictions) });
}

/** @internal The cells of a sheet, all of one size. */
export function saliencyCells(predictions: readonly ExplainedPrediction[]) {
  checkArgument('drawSaliency', 'the predictions', predictions, list);
  const shown = predictions.map((prediction) => {
    const answer = answerOf(prediction);
    checkArgument('drawSaliency', 'the picture', prediction.picture, pictureRule);
    return { answer, picture: highlighted(prediction.picture, prediction.saliency) };
  });
  const pictureHeight = highest(shown.map(({ picture }) => picture));
  const hasMistakes = shown.some(({ answer }) => answer.isRight === false);
  return {
    width: CELL_WIDTH,
    height: pictureHeight + (hasMistakes ? 56 : 40),
    cells: shown.map(({ answer, picture }) => ({
      marks: joined(pictureMarks(picture, pictureHeight), answerMarks(answer, pictureHeight)),
      description: `What matters in the picture. ${describeAnswer(answer)}`,
    })),
  };
}

/** The part of pixels that are drawn in the full colour. */
const STRONGEST = 0.01;
const HIGHLIGHT = [0xff, 0x6a, 0x00] as const;

/** @internal The picture in dark grey, with what matters in it in orange. */
export function highlighted({ width, height, pixels }: Picture, map: SaliencyMap): Picture {
  const values = Float64Array.from(map.values);
  if (
    values.length !== map.width * map.height ||
    values.length === 0 ||
    !values.every((value) => Number.isFinite(value))
  ) {
    throw new DataError(
      `drawSaliency: a map of ${map.width} x ${map.height} with ${values.length} values: expected one finite number for each pixel`,
    );
  }
  const strongest = values.toSorted()[Math.ceil((1 - STRONGEST) * (values.length - 1))] ?? 0;
  const mixed = new Uint8Array(pixels.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at =
        Math.floor(((y + 0.5) * map.height) / height) * map.width + Math.floor(((x + 0.5) * map.width) / width);
      const share = strongest > 0 ? Math.min(1, (values[at] ?? 0) / strongest) : 0;
      const pixel = 3 * (y * width + x);
      const [red = 0, green = 0, blue = 0] = pixels.subarray(pixel, pixel + 3);
      const grey = 0.6 * (0.299 * red + 0.587 * green + 0.114 * blue);
      HIGHLIGHT.forEach((level, channel) => (mixed[pixel + channel] = Math.round(grey * (1 - share) + level * share)));
    }
  }
  return { width, height, pixels: mixed };
}

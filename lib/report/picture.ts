import { PNG } from 'pngjs';
import type { ExampleData } from '../data/training-data.js';
import { resizeBilinear } from '../data/resize.js';
import { DataError, ShapeError } from '../errors.js';
import type { OptionRule } from '../options.js';
import { formatShape, type Shape, sizeOf } from '../shape.js';

/** A picture in colour, as `decodePicture` gives it. */
export interface Picture {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** u8 [height, width, 3]: red, green, blue. */
  readonly pixels: Uint8Array;
}

/** @internal */
export const pictureRule: OptionRule = {
  expected: 'a picture: width, height, and pixels u8 [height, width, 3]',
  accepts: isPicture,
};

function isPicture(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { width, height, pixels } = value as Partial<Record<keyof Picture, unknown>>;
  const isSize = (size: unknown): size is number => typeof size === 'number' && Number.isSafeInteger(size) && size > 0;
  return isSize(width) && isSize(height) && pixels instanceof Uint8Array && pixels.length === 3 * width * height;
}

/** @internal How the numbers of one picture lie: those of a channel, and those of a row. */
export interface PictureShape {
  readonly width: number;
  readonly height: number;
  /** 1 for grey, 3 for colour. */
  readonly channels: number;
  readonly isChannelsFirst: boolean;
}

/** @internal [height, width, channels] or [channels, height, width] with 1 or 3 channels; undefined for what is no picture. */
export function pictureShapeOf(shape: Shape): PictureShape | undefined {
  const [first = 0, second = 0, third = 0] = shape;
  if (shape.length !== 3 || sizeOf(shape) === 0) return undefined;
  const areChannels = (size: number): boolean => size === 1 || size === 3;
  if (areChannels(third)) return { height: first, width: second, channels: third, isChannelsFirst: false };
  if (areChannels(first)) return { height: second, width: third, channels: first, isChannelsFirst: true };
  return undefined;
}

/**
 * The inputs of data as pictures that can be shown: [N, height, width, channels] or [N, channels, height, width], with one
 * channel or three. Numbers from 0 to 1 (bytes: their scale counts) become 0 to 255. Where others are among them, because
 * they are normalized, all of them are stretched between the least and the greatest: colours are then about right.
 *
 * @throws ShapeError for inputs of another shape
 * @throws DataError where one of the numbers is not finite
 */
export function picturesOf(data: ExampleData): Picture[] {
  const { inputs, inputShape, scale } = data;
  const shape = pictureShapeOf(inputShape);
  if (!shape) {
    throw new ShapeError(
      `picturesOf: inputs ${formatShape(inputShape)} are no pictures: expected [height, width, channels] or ` +
        `[channels, height, width] with 1 or 3 channels`,
    );
  }
  const factor = inputs instanceof Uint8Array ? (scale ?? 1) : 1;
  let [least, greatest] = [0, 1];
  for (const value of inputs) {
    if (!Number.isFinite(value)) throw new DataError(`picturesOf: a number of the inputs is ${value}`);
    least = Math.min(least, value * factor);
    greatest = Math.max(greatest, value * factor);
  }
  const size = sizeOf(inputShape);
  return Array.from({ length: inputs.length / size }, (_, i) =>
    pictureOf(inputs.subarray(i * size, (i + 1) * size), shape, (value) =>
      Math.round((255 * (value * factor - least)) / (greatest - least)),
    ),
  );
}

/** @internal A picture of numbers, each of which `level` makes one from 0 to 255. */
export function pictureOf(
  values: Float32Array | Uint8Array,
  { width, height, channels, isChannelsFirst }: PictureShape,
  level: (value: number) => number,
): Picture {
  const pixels = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) {
    for (let colour = 0; colour < 3; colour++) {
      const channel = channels === 1 ? 0 : colour;
      pixels[3 * i + colour] = level(
        values[isChannelsFirst ? channel * width * height + i : i * channels + channel] ?? NaN,
      );
    }
  }
  return { width, height, pixels };
}

/** @internal The size of a picture that is to fill a box without being cut. */
export function fitted(picture: Picture, width: number, height: number): { width: number; height: number } {
  const scale = Math.min(width / picture.width, height / picture.height);
  return { width: picture.width * scale, height: picture.height * scale };
}

/**
 * @internal A `data:` address of the picture as PNG, with about as many pixels as `width` asks for on a display of high density:
 * larger ones are made smaller, and the pixels of smaller ones stay squares.
 */
export function dataAddress(picture: Picture, width: number): string {
  const wanted = Math.max(1, Math.round(2 * width));
  const { width: columns, height: rows, pixels } = resized(picture, wanted);
  const png = new PNG({ width: columns, height: rows, colorType: 2 });
  for (let i = 0; i < columns * rows; i++) {
    png.data.set(pixels.subarray(3 * i, 3 * i + 3), 4 * i);
    png.data[4 * i + 3] = 255;
  }
  return `data:image/png;base64,${PNG.sync.write(png, { colorType: 2, deflateLevel: 9 }).toString('base64')}`;
}

function resized(picture: Picture, wanted: number): Picture {
  if (picture.width > wanted) return atMost(picture, wanted);
  return enlarged(picture, Math.max(1, Math.floor(wanted / picture.width)));
}

/** @internal A picture of no more columns than that. */
export function atMost(picture: Picture, columns: number): Picture {
  const { width, height, pixels } = picture;
  if (width <= columns) return picture;
  const size = { width: columns, height: Math.max(1, Math.round((height * columns) / width)) };
  return { ...size, pixels: resizeBilinear(pixels, { width, height, channels: 3 }, size) };
}

/** @internal Each pixel as a square of so many pixels. */
export function enlarged({ width, height, pixels }: Picture, times: number): Picture {
  if (times === 1) return { width, height, pixels };
  const row = width * times;
  const large = new Uint8Array(3 * row * height * times);
  for (let y = 0; y < height * times; y++) {
    for (let x = 0; x < row; x++) {
      const from = 3 * (Math.floor(y / times) * width + Math.floor(x / times));
      large.set(pixels.subarray(from, from + 3), 3 * (y * row + x));
    }
  }
  return { width: row, height: height * times, pixels: large };
}

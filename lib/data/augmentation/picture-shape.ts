import { DataError } from '../../errors.js';
import { formatShape, type Shape } from '../../shape.js';
import type { PictureLayout } from '../picture-layout.js';

/** What an input is, as a picture. */
export interface PictureShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Where the channels are; 'none': the input is [height, width]. */
  readonly layout: PictureLayout | 'none';
}

/** Channels of pictures, at most, where the shape is to tell where they are. */
const MOST_CHANNELS = 4;

/** An input's shape as that of a picture. Throws DataError for other shapes, and for one that may be read in two ways. */
export function pictureShapeOf(shape: Shape, layout?: PictureLayout): PictureShape {
  const [first = 0, second = 0, third = 0] = shape;
  if (shape.length === 2 && first * second > 0) return { height: first, width: second, channels: 1, layout: 'none' };
  if (shape.length !== 3 || first * second * third === 0) {
    throw new DataError(
      `augmentation takes pictures, [height, width, channels], [channels, height, width] or [height, width]: found ${formatShape(shape)}`,
    );
  }
  const where = layout ?? layoutOf(first, third);
  if (where === 'channels-last') return { height: first, width: second, channels: third, layout: where };
  if (where === 'channels-first') return { height: second, width: third, channels: first, layout: where };
  throw new DataError(
    `augmentation: where the channels of ${formatShape(shape)} are is not plain: give it the option layout`,
  );
}

function layoutOf(first: number, last: number): PictureLayout | undefined {
  const [isFirst, isLast] = [first <= MOST_CHANNELS, last <= MOST_CHANNELS];
  if (isFirst === isLast) return undefined;
  return isFirst ? 'channels-first' : 'channels-last';
}

/** The shape of an input that is such a picture. */
export function inputShapeOf({ height, width, channels, layout }: PictureShape): Shape {
  if (layout === 'none') return [height, width];
  return layout === 'channels-last' ? [height, width, channels] : [channels, height, width];
}

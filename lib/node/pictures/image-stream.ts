import { join } from 'node:path';
import type { StreamedLabelledData } from '../../data/streamed-data.js';
import type { PictureLayout } from '../../data/picture-layout.js';
import type { PictureSize } from '../../data/resize.js';
import { DataError } from '../../errors.js';
import { checkArgument, checkOptions, oneOf, type OptionRules, required, text, wholeNumber } from '../../options.js';
import { printable } from '../../printable.js';
import { storePicture } from './image-folder.js';
import { limited } from './map-limited.js';
import { checkSize, PICTURE_RULES, type PictureOptions, readWhole, resized } from './picture.js';
import { listPictures } from './picture-files.js';

/** Options of {@link imageStream}. */
export interface ImageStreamOptions extends PictureOptions {
  /** The size that every picture is resized to. */
  readonly size: PictureSize;
  /** The order of the numbers; 'channels-first' by default. */
  readonly layout?: PictureLayout;
  /** Pictures that are read ahead of the step at hand, at most. Default 64. */
  readonly prefetch?: number;
}

/** Pictures with their classes that are read while they are used, and the file that each one comes from. */
export interface ImageStream extends StreamedLabelledData {
  /** The path of each picture inside the directory, with '/' between the parts on every system. */
  readonly files: readonly string[];
}

const RULES: OptionRules<ImageStreamOptions> = {
  ...PICTURE_RULES,
  size: required(PICTURE_RULES.size),
  layout: oneOf('channels-first', 'channels-last'),
  prefetch: wholeNumber({ min: 0 }),
};

/**
 * A folder of pictures that does not fit into memory, for `fit`, `evaluate`, `predict` and `DataLoader`: it is
 * listed, as {@link imageFolder} lists it, and a picture is read from the disk when its batch is near. Batches and their order are,
 * bit for bit, those of `imageFolder(directory, { …, dtype: 'u8' })`, from any place of any epoch on, and so are results on a CPU;
 * those of a GPU may differ in the last digits, where its compiler fuses multiplications and additions otherwise.
 *
 *     const training = await imageStream('pictures/train', { size: { width: 224, height: 224 }, layout: 'channels-last' });
 *     await fit(model, training, { epochs: 10, optimizer, batchSize: 64 });
 *
 * In memory are `prefetch` pictures and those of one batch, as bytes in their new size (3 · width · height each), and up to four
 * files that are being decoded: at most about 0.6 GB, where a picture has `maxPixels`. On the device is one batch.
 *
 * What cannot be read shows when its batch comes, and ends the training with a DataError that names the file ({@link audit}
 * finds such files ahead); so does a file that has vanished meanwhile.
 *
 * @param directory the folder that holds the sub-folders
 * @param options see {@link ImageStreamOptions}
 * @throws OptionError where an option is unknown, missing or out of range
 * @throws DataError where the directory is missing, not a folder, or has fewer than two classes, or one without a picture
 */
export async function imageStream(directory: string, options: ImageStreamOptions): Promise<ImageStream> {
  checkArgument('imageStream', 'directory', directory, text);
  checkOptions('imageStream', options, RULES);
  checkSize('imageStream', options);
  const { size, layout = 'channels-first', prefetch } = options;
  const { classNames, files, labels } = await listPictures(directory);
  const inTurn = limited();
  return {
    inputShape: layout === 'channels-first' ? [3, size.height, size.width] : [size.height, size.width, 3],
    dtype: 'u8',
    scale: 1 / 255,
    labels,
    classNames,
    files,
    ...(prefetch !== undefined && { prefetch }),
    read: (row) => inTurn(() => readInput(directory, files[row] ?? '', { ...options, layout })),
  };
}

async function readInput(
  directory: string,
  file: string,
  options: PictureOptions & { readonly layout: PictureLayout },
): Promise<Uint8Array> {
  try {
    const { pixels } = resized(await readWhole(join(directory, file), printable(file), options), options);
    const input = new Uint8Array(pixels.length);
    storePicture(pixels, options.layout, input);
    return input;
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new DataError(`Cannot go on reading pictures from ${printable(directory)}: ${error.message}`);
  }
}

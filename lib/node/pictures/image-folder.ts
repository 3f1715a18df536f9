import { join } from 'node:path';
import { allocate } from '../../allocate.js';
import type { PictureLayout } from '../../data/picture-layout.js';
import type { LabelledData } from '../../data/training-data.js';
import { DataError } from '../../errors.js';
import { callback, checkArgument, checkOptions, oneOf, type OptionRules, text } from '../../options.js';
import { printable } from '../../printable.js';
import type { WholePicture } from './decoded-picture.js';
import { mapLimited } from './map-limited.js';
import { checkSize, PICTURE_RULES, type PictureOptions, readWhole, resized } from './picture.js';
import { listPictures, type PictureFiles } from './picture-files.js';

/** Options of {@link imageFolder}. Without `size`, all pictures must have the same size already. */
export interface ImageFolderOptions extends PictureOptions {
  /** The order of the numbers; 'channels-first' by default. */
  readonly layout?: PictureLayout;
  /** What the numbers are kept as: 'f32', or 'u8', bytes, in a quarter of the memory, also on the device; 'f32' by default. */
  readonly dtype?: 'f32' | 'u8';
  /** Called after every picture with how many were read so far, and how many there are: for a progress bar. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Pictures with their classes, and the file that each one comes from. */
export interface ImageSet extends LabelledData {
  /** The path of each picture inside the directory, with '/' between the parts on every system. */
  readonly files: readonly string[];
}

/** @internal */
export const IMAGE_FOLDER_RULES: OptionRules<ImageFolderOptions> = {
  ...PICTURE_RULES,
  layout: oneOf('channels-first', 'channels-last'),
  dtype: oneOf('f32', 'u8'),
  onProgress: callback,
};

/**
 * Reads a folder of pictures with one sub-folder for each class:
 *
 *     wrenches/HookWrench/img_0001.png      class 0, 'HookWrench'
 *     wrenches/HookWrench/dark/1.jpg        class 0
 *     wrenches/SpannerWrench/img_0065.png   class 1, 'SpannerWrench'
 *
 * Classes are the sub-folders sorted by code point, and so are the files in each. A picture, PNG or JPEG by its first bytes, is decoded
 * ({@link decodePicture}), resized (`resizeBilinear`), and each of its numbers v from 0 to 255 becomes v / 255,
 * rounded to float32: at once, or, with `dtype: 'u8'`, where a model reads it (`scale` is 1 / 255 then), with the same
 * result, bit for bit. Folders inside of a class belong to it, as in Keras's `image_dataset_from_directory`. Hidden files and
 * folders, and files whose ending is no picture's (notes, Thumbs.db), are passed over. What is read is what is a regular
 * file, or a link to one.
 *
 * @param directory the folder that holds the sub-folders
 * @param options see {@link ImageFolderOptions}
 * @returns inputs f32 or u8, [N, 3, height, width] with 'channels-first', otherwise [N, height, width, 3]
 * @throws OptionError where an option is unknown or out of range
 * @throws DataError where the directory is missing, not a folder, or has fewer than two classes; for classes without a
 *   picture (all are named); for pictures that are no files, broken, of another format, too large, or, without `size`,
 *   of another size than the first: all are listed, each with its reason, and nothing is returned
 */
export async function imageFolder(directory: string, options: ImageFolderOptions = {}): Promise<ImageSet> {
  checkArgument('imageFolder', 'directory', directory, text);
  checkOptions('imageFolder', options, IMAGE_FOLDER_RULES);
  checkSize('imageFolder', options);
  return readImageSet(directory, await listPictures(directory), options);
}

/** @internal Is given each picture of a folder as it is decoded, or why it cannot be. */
export type Inspect = (index: number, picture: WholePicture | string) => void;

/** @internal {@link imageFolder} of a folder that is listed and options that are checked. */
export async function readImageSet(
  directory: string,
  { classNames, files, labels }: PictureFiles,
  options: ImageFolderOptions,
  inspect?: Inspect,
): Promise<ImageSet> {
  const { size, layout = 'channels-first', dtype = 'f32', onProgress } = options;
  let done = 0;
  const read = await mapLimited(files, async (file, index) => {
    const whole = await wholeOrReason(directory, file, options);
    inspect?.(index, whole);
    onProgress?.(++done, files.length);
    return typeof whole === 'string' ? whole : resized(whole, options);
  });
  const pictures = read.filter((result) => typeof result !== 'string');
  const { width, height } = size ?? pictures[0] ?? { width: 0, height: 0 };
  const problems = read.flatMap((result, i) => {
    if (typeof result === 'string') return result;
    if (result.width === width && result.height === height) return [];
    return `${printable(files[i] ?? '')}: ${result.width} x ${result.height} pixels, not ${width} x ${height}; give the option size`;
  });
  if (problems.length > 0) {
    throw new DataError(
      `${problems.length} of ${files.length} pictures in ${printable(directory)} cannot be used:\n  ${problems.join('\n  ')}`,
    );
  }

  const values = 3 * height * width;
  const inputs = allocate<Float32Array | Uint8Array>(
    dtype === 'u8' ? Uint8Array : Float32Array,
    files.length * values,
    `imageFolder: ${files.length} pictures of ${width} x ${height}`,
  );
  for (const [i, { pixels }] of pictures.entries()) {
    storePicture(pixels, layout, inputs.subarray(i * values, (i + 1) * values));
  }
  const inputShape = layout === 'channels-first' ? [3, height, width] : [height, width, 3];
  return { inputs, inputShape, ...(dtype === 'u8' && { scale: 1 / 255 }), labels, classNames, files };
}

/** @internal The picture of a file, or the reason why it cannot be used. */
export async function wholeOrReason(
  directory: string,
  file: string,
  options: PictureOptions,
): Promise<WholePicture | string> {
  try {
    return await readWhole(join(directory, file), printable(file), options);
  } catch (error) {
    if (error instanceof DataError) return error.message;
    throw error;
  }
}

/** @internal Writes pixels u8 [height, width, 3] in the wanted order: as they are where these are bytes, else as v / 255. */
export function storePicture(pixels: Uint8Array, layout: PictureLayout, input: Float32Array | Uint8Array): void {
  const plane = pixels.length / 3;
  const divisor = input instanceof Uint8Array ? 1 : 255;
  const [pixelStride, channelStride] = layout === 'channels-first' ? [1, plane] : [3, 1];
  for (let i = 0; i < plane; i++) {
    for (let channel = 0; channel < 3; channel++) {
      input[i * pixelStride + channel * channelStride] = (pixels[3 * i + channel] ?? NaN) / divisor;
    }
  }
}

import { type Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { allocate } from '../allocate.js';
import type { LabelledData } from '../data/training-data.js';
import { resizeBilinear, type PictureSize } from '../data/resize.js';
import { DataError, OptionError } from '../errors.js';
import { compareCodePoints } from '../io/code-points.js';
import { checkArgument, checkOptions, oneOf, type OptionRules, required, text, wholeNumber } from '../options.js';
import { printable } from '../printable.js';
import { BEGINNING_BYTES } from './png-chunks.js';
import { checkBeginning, decodePng, type DecodedPng, MAX_PIXELS, rgb, type Rgb } from './png.js';
import { withFile } from './read-file.js';
import { codeOf, reasonOf } from './reasons.js';

/** The order of the numbers of one picture: [3, height, width] or [height, width, 3]. */
export type PictureLayout = 'channels-first' | 'channels-last';

/** Options of {@link imageFolder}. */
export interface ImageFolderOptions {
  /** The size that every picture is resized to; without it, all must have the same size already. */
  readonly size?: PictureSize;
  /** The colour behind transparent pixels; white by default. */
  readonly background?: Rgb;
  /** The order of the numbers; 'channels-first' by default. */
  readonly layout?: PictureLayout;
  /** Larger pictures are refused before they are decoded; see {@link DecodePngOptions}. Default 2^25. */
  readonly maxPixels?: number;
  /** What the numbers are kept as: 'f32', or 'u8', bytes, in a quarter of the memory, also on the device; 'f32' by default. */
  readonly dtype?: 'f32' | 'u8';
}

/** Pictures with their classes, and the file that each one comes from. */
export interface ImageSet extends LabelledData {
  /** The path of each picture inside the directory, with '/' between the parts on every system. */
  readonly files: readonly string[];
}

const EDGE = required(wholeNumber({ min: 1 }));
const SIZE_RULES: OptionRules<PictureSize> = { width: EDGE, height: EDGE };
const RULES: OptionRules<ImageFolderOptions> = {
  size: {
    expected: 'an object with width and height',
    accepts: (value) => typeof value === 'object' && value !== null,
  },
  background: rgb,
  layout: oneOf('channels-first', 'channels-last'),
  maxPixels: wholeNumber({ min: 1 }),
  dtype: oneOf('f32', 'u8'),
};

/** Pictures that are read at the same time. Decoding has one thread, so more would only hold more files in memory. */
const CONCURRENT_READS = 4;

/** Endings of picture files that are not PNG: such a file is surely meant to be an example, so it is not passed over. */
const OTHER_PICTURES = /^\.(jpe?g|jfif|gif|bmp|webp|tiff?|heic|heif|avif)$/i;

/**
 * Reads a folder of pictures with one sub-folder for each class:
 *
 *     wrenches/HookWrench/img_0001.png      class 0, 'HookWrench'
 *     wrenches/SpannerWrench/img_0065.png   class 1, 'SpannerWrench'
 *
 * Classes are the sub-folders sorted by code point, and so are the files in each. A picture is decoded
 * ({@link decodePng}), resized ({@link resizeBilinear}), and each of its numbers v from 0 to 255 becomes v / 255,
 * rounded to float32: at once, or, with `dtype: 'u8'`, where a model reads it (`scale` is 1 / 255 then), with the same
 * result, bit for bit. Hidden files and folders, files that are no pictures (notes, Thumbs.db), and folders inside of a
 * class are passed over. What is read is what is a regular file, or a link to one, and begins as a PNG file.
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
  checkOptions('imageFolder', options, RULES);
  const { size, layout = 'channels-first', dtype = 'f32', maxPixels = MAX_PIXELS } = options;
  if (size) checkSize(size, maxPixels);
  const classNames = await classFolders(directory);
  const listed = await Promise.all(classNames.map((name) => pictureFiles(directory, name)));
  const empty = classNames.filter((_, label) => listed[label]?.length === 0);
  if (empty.length > 0)
    throw new DataError(`No picture in ${empty.map((name) => printable(join(directory, name))).join(', ')}`);

  const files = listed.flat();
  const read = await mapLimited(files, (file) => readPicture(directory, file, options));
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
  const labels = new Int32Array(listed.flatMap((members, label) => members.map(() => label)));
  const inputShape = layout === 'channels-first' ? [3, height, width] : [height, width, 3];
  return { inputs, inputShape, ...(dtype === 'u8' && { scale: 1 / 255 }), labels, classNames, files };
}

/** The names of the sub-folders, sorted. */
async function classFolders(directory: string): Promise<string[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(directory, { withFileTypes: true });
  } catch (error) {
    const reason = codeOf(error) === 'ENOTDIR' ? 'it is not a folder' : reasonOf(error);
    throw new DataError(`Cannot read pictures from ${printable(directory)}: ${reason}`);
  }
  const names = await namesOfKind(directory, entries, 'folder');
  if (names.length === 0) {
    throw new DataError(
      `${printable(directory)} has no sub-folder; expected one for each class, with PNG pictures in it`,
    );
  }
  if (names.length === 1) {
    const [only = ''] = names;
    throw new DataError(
      `${printable(directory)} has one class only, ${printable(only)}; expected two sub-folders or more`,
    );
  }
  return names;
}

/** The pictures of a class, whether they can be read or not: paths inside `directory`, sorted. */
async function pictureFiles(directory: string, className: string): Promise<string[]> {
  const folder = join(directory, className);
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw new DataError(`Cannot read pictures from ${printable(folder)}: ${reasonOf(error)}`);
  }
  const names = await namesOfKind(folder, entries, 'file');
  return names
    .filter((name) => isPng(name) || OTHER_PICTURES.test(extname(name)))
    .map((name) => `${className}/${name}`);
}

/** The files or the folders of a listing, without the hidden ones, sorted; a link counts as what it points to. */
async function namesOfKind(folder: string, entries: readonly Dirent[], kind: 'file' | 'folder'): Promise<string[]> {
  const names: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    let isFolder = entry.isDirectory();
    if (entry.isSymbolicLink()) {
      // A link to nowhere counts as a file, so that reading it says what is wrong.
      isFolder = await stat(join(folder, entry.name)).then(
        (target) => target.isDirectory(),
        () => false,
      );
    }
    if (isFolder === (kind === 'folder')) names.push(entry.name);
  }
  return names.sort(compareCodePoints);
}

/** The picture of a file, resized where a size is given, or the reason why it cannot be used. */
async function readPicture(
  directory: string,
  file: string,
  { background, size, maxPixels = MAX_PIXELS }: ImageFolderOptions,
): Promise<DecodedPng | string> {
  const source = printable(file);
  if (!isPng(file)) return `${source}: only PNG is read; convert it`;
  let bytes: Uint8Array;
  try {
    bytes = await withFile(join(directory, file), async ({ size: fileBytes, read }) => {
      checkBeginning(await read(0, BEGINNING_BYTES), fileBytes, source, maxPixels);
      return read();
    });
  } catch (error) {
    return error instanceof DataError ? error.message : `${source}: ${reasonOf(error)}`;
  }
  try {
    const picture = decodePng(bytes, { source, maxPixels, ...(background && { background }) });
    if (size === undefined) return picture;
    const { width, height, pixels } = picture;
    return { ...size, pixels: resizeBilinear(pixels, { width, height, channels: 3 }, size) };
  } catch (error) {
    if (error instanceof DataError) return error.message;
    throw error;
  }
}

/** Writes pixels u8 [height, width, 3] in the wanted order: as they are where these are bytes, else as v / 255. */
function storePicture(pixels: Uint8Array, layout: PictureLayout, input: Float32Array | Uint8Array): void {
  const plane = pixels.length / 3;
  const divisor = input instanceof Uint8Array ? 1 : 255;
  const [pixelStride, channelStride] = layout === 'channels-first' ? [1, plane] : [3, 1];
  for (let i = 0; i < plane; i++) {
    for (let channel = 0; channel < 3; channel++) {
      input[i * pixelStride + channel * channelStride] = (pixels[3 * i + channel] ?? NaN) / divisor;
    }
  }
}

function isPng(name: string): boolean {
  return extname(name).toLowerCase() === '.png';
}

function checkSize(size: PictureSize, maxPixels: number): void {
  checkOptions('imageFolder: size', size, SIZE_RULES);
  const { width, height } = size;
  if (width * height <= maxPixels) return;
  throw new OptionError(`imageFolder: size ${width} x ${height} has more pixels than maxPixels, ${maxPixels}`);
}

/** What `work` gives for every item, in their order; {@link CONCURRENT_READS} are worked on at a time. */
async function mapLimited<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const remaining = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of remaining) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: CONCURRENT_READS }, worker));
  return results;
}

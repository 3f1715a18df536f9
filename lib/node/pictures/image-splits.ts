import { join } from 'node:path';
import { DataError } from '../../errors.js';
import { checkArgument, checkOptions, text } from '../../options.js';
import { printable } from '../../printable.js';
import {
  IMAGE_FOLDER_RULES,
  type ImageFolderOptions,
  type ImageSet,
  type Inspect,
  readImageSet,
} from './image-folder.js';
import { checkSize } from './picture.js';
import { foldersIn, listPictures, type PictureFiles } from './picture-files.js';

/** Pictures to train on, and those held out, as they were divided on the disk. */
export interface ImageSplits {
  /** The pictures to train on. */
  readonly training: ImageSet;
  /** Those to be measured by while training. */
  readonly validation?: ImageSet;
  /** Those to be measured by at the end. */
  readonly test?: ImageSet;
}

/** Where the parts of a set of pictures are: paths of folders with one sub-folder a class. */
export interface SplitFolders {
  /** The pictures to train on. */
  readonly training: string;
  /** Those to be measured by while training. */
  readonly validation?: string;
  /** Those to be measured by at the end. */
  readonly test?: string;
}

/** A part of a divided set of pictures. */
export type SplitName = keyof SplitFolders;

/** What folders are called, in small letters. */
const NAMES: Readonly<Record<SplitName, readonly string[]>> = {
  training: ['train', 'training'],
  validation: ['valid', 'val', 'validation'],
  test: ['test', 'testing'],
};

/**
 * Reads pictures that are divided already, as {@link imageFolder} reads each part:
 *
 *     wrenches/train/HookWrench/1.png
 *     wrenches/valid/HookWrench/2.png
 *     wrenches/test/SpannerWrench/3.jpg
 *
 * The folders are `train` (or `training`), `valid` (`val`, `validation`) and `test` (`testing`), in any case of letters; the
 * first one must be there, and all must have the same classes.
 *
 * @param directory the folder that holds them
 * @param options see {@link ImageFolderOptions}; `onProgress` counts over all parts
 * @throws OptionError where an option is unknown or out of range
 * @throws DataError where the directory holds other folders, or two for one part, where the classes differ, and for all that
 *   {@link imageFolder} throws it for
 */
export async function imageSplits(directory: string, options: ImageFolderOptions = {}): Promise<ImageSplits> {
  checkArgument('imageSplits', 'directory', directory, text);
  checkOptions('imageSplits', options, IMAGE_FOLDER_RULES);
  checkSize('imageSplits', options);
  const folders = await splitFolders(directory);
  if (folders) return readSplits(folders, options);
  const names = (await foldersIn(directory)).map(printable).join(', ');
  throw new DataError(
    `${printable(directory)} is not divided: it holds ${names || 'no folders'}; expected train, valid and test, or some of them, ` +
      'each with one sub-folder a class (imageFolder reads one such folder)',
  );
}

/**
 * The parts of a directory, where all of its folders are named like parts and one is to train on; else undefined.
 *
 * @internal
 * @throws DataError where it cannot be listed, or two folders are one part
 */
export async function splitFolders(directory: string): Promise<SplitFolders | undefined> {
  const names = await foldersIn(directory);
  const found = new Map<string, string>();
  for (const name of names) {
    const part = Object.entries(NAMES).find(([, known]) => known.includes(name.toLowerCase()))?.[0];
    if (part === undefined) return undefined;
    const other = found.get(part);
    if (other !== undefined) {
      throw new DataError(`${printable(directory)} has two folders of one part: ${printable(`${other} and ${name}`)}`);
    }
    found.set(part, name);
  }
  const [training, validation, test] = ['training', 'validation', 'test'].map((part) => {
    const name = found.get(part);
    return name === undefined ? undefined : join(directory, name);
  });
  if (training === undefined) return undefined;
  return { training, ...(validation !== undefined && { validation }), ...(test !== undefined && { test }) };
}

/** @internal {@link imageSplits} of folders that are known and options that are checked. */
export async function readSplits(
  { training, validation, test }: SplitFolders,
  options: ImageFolderOptions,
  inspect?: (folder: string, pictures: PictureFiles) => Inspect,
): Promise<ImageSplits> {
  const listed = new Map<string, PictureFiles>();
  for (const folder of [training, validation, test]) {
    if (folder !== undefined) listed.set(folder, await listPictures(folder));
  }
  checkSameClasses(listed);
  const total = [...listed.values()].reduce((sum, { files }) => sum + files.length, 0);
  let done = 0;
  const read = new Map<string, ImageSet>();
  const problems: string[] = [];
  for (const [folder, pictures] of listed) {
    const onProgress = (): void => options.onProgress?.(++done, total);
    try {
      const set = await readImageSet(folder, pictures, { ...options, onProgress }, inspect?.(folder, pictures));
      read.set(folder, set);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      problems.push(error.message); // those of the other parts are told as well
    }
  }
  const [first] = read.values();
  for (const [folder, { inputShape }] of read) {
    if (!first || first.inputShape.join() === inputShape.join()) continue;
    const [here, there] = [inputShape.join(' x '), first.inputShape.join(' x ')];
    problems.push(`the pictures of ${printable(folder)} are ${here}, not ${there}; give the option size`);
  }
  if (!first || problems.length > 0) throw new DataError(problems.join('\n'));
  const setOf = (name: Exclude<SplitName, 'training'>, folder: string | undefined): Omit<ImageSplits, 'training'> => {
    const set = folder === undefined ? undefined : read.get(folder);
    return set ? { [name]: set } : {};
  };
  return { training: first, ...setOf('validation', validation), ...setOf('test', test) };
}

function checkSameClasses(listed: ReadonlyMap<string, PictureFiles>): void {
  const all = [...new Set([...listed.values()].flatMap(({ classNames }) => classNames))];
  const gaps = [...listed].flatMap(([folder, { classNames }]) => {
    const missing = all.filter((name) => !classNames.includes(name));
    return missing.length === 0 ? [] : `${printable(folder)} has no ${missing.map(printable).join(', ')}`;
  });
  if (gaps.length > 0) throw new DataError(`The classes differ: ${gaps.join('; ')}`);
}

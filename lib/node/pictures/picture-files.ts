import { type Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { DataError } from '../../errors.js';
import { compareCodePoints } from '../../io/code-points.js';
import { printable } from '../../printable.js';
import { codeOf, reasonOf } from '../reasons.js';

/** The pictures of a folder with one sub-folder a class, before any of them is read. */
export interface PictureFiles {
  readonly classNames: readonly string[];
  /** Paths inside the folder, class by class, with '/' between the parts on every system. */
  readonly files: readonly string[];
  /** The class of each. */
  readonly labels: Int32Array;
  /** Paths of files that are passed over, because their ending is no picture's. */
  readonly others: readonly string[];
}

/** The files of a folder and of the folders inside: paths inside of it, sorted. */
interface FilesBelow {
  /** Whether they can be read or not. */
  readonly pictures: readonly string[];
  /** Those whose ending is no picture's. */
  readonly others: readonly string[];
}

/** Endings of pictures, also of those that are not read: such a file is surely meant to be an example, so it is not passed over. */
const PICTURES = /^\.(png|jpe?g|jpe|jfif|gif|bmp|webp|tiff?|heic|heif|avif)$/i;

/** Throws DataError where the folder is none, has fewer than two classes, or classes without a picture. */
export async function listPictures(directory: string): Promise<PictureFiles> {
  const listed = await listClasses(directory);
  const [only = '', ...others] = listed.classNames;
  if (others.length === 0) {
    throw new DataError(
      `${printable(directory)} has one class only, ${printable(only)}; expected two sub-folders or more`,
    );
  }
  const empty = listed.classNames.filter((_, label) => !listed.labels.includes(label));
  if (empty.length > 0) {
    throw new DataError(`No picture in ${empty.map((name) => printable(join(directory, name))).join(', ')}`);
  }
  return listed;
}

/** {@link listPictures} of one class or more, with pictures or without. Throws DataError where the folder is none, or has no sub-folder. */
export async function listClasses(directory: string): Promise<PictureFiles> {
  const classNames = await foldersIn(directory);
  if (classNames.length === 0) {
    throw new DataError(
      `${printable(directory)} has no sub-folder; expected one for each class, with PNG or JPEG pictures in it`,
    );
  }
  const listed = await Promise.all(classNames.map((name) => filesBelow(join(directory, name))));
  const named = (part: keyof FilesBelow): string[] =>
    listed.flatMap((files, label) => files[part].map((file) => `${classNames[label] ?? ''}/${file}`));
  const labels = new Int32Array(listed.flatMap(({ pictures }, label) => pictures.map(() => label)));
  return { classNames, files: named('pictures'), labels, others: named('others') };
}

/** The names of the sub-folders, sorted. Throws DataError where it cannot be listed. */
export async function foldersIn(directory: string): Promise<string[]> {
  return (await list(directory)).folders;
}

/** Throws DataError where it cannot be listed. */
export async function filesBelow(directory: string): Promise<FilesBelow> {
  const [pictures, others]: [string[], string[]] = [[], []];
  const visit = async (folder: string, around: readonly string[]): Promise<void> => {
    const path = join(directory, folder);
    const { files, folders } = await list(path);
    const place = await realpath(path);
    if (around.includes(place)) return; // a link that leads back up
    for (const name of files) (PICTURES.test(extname(name)) ? pictures : others).push(`${folder}${name}`);
    for (const name of folders) await visit(`${folder}${name}/`, [...around, place]);
  };
  await visit('', []);
  return { pictures: pictures.sort(compareCodePoints), others: others.sort(compareCodePoints) };
}

/** Files and folders of a folder, without the hidden ones, sorted; a link counts as what it points to. */
async function list(folder: string): Promise<{ files: string[]; folders: string[] }> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    const reason = codeOf(error) === 'ENOTDIR' ? 'it is not a folder' : reasonOf(error);
    throw new DataError(`Cannot read pictures from ${printable(folder)}: ${reason}`);
  }
  const [files, folders]: [string[], string[]] = [[], []];
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
    (isFolder ? folders : files).push(entry.name);
  }
  return { files: files.sort(compareCodePoints), folders: folders.sort(compareCodePoints) };
}

import { constants, type Stats } from 'node:fs';
import { type FileHandle, mkdir, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { DataError } from '../errors.js';
import { checkArgument, text } from '../options.js';
import { printable } from '../printable.js';
import { codeOf, reasonOf, refuseOtherThanFile } from './reasons.js';
import { removeForgotten, temporaryName } from './temporary.js';

/**
 * Writes a file so that nobody ever sees half of it: the data go to a temporary file in the same folder, are flushed to
 * the disk, and then take the file's name in one step. Folders that are missing are made. When anything fails, the
 * temporary file is removed and a file that was there before stays as it was; one that a killed process could not
 * remove goes with the next write into its folder.
 *
 * A symbolic link stays, and the file that it leads to is written. A file that is replaced hands on its permissions,
 * and its owner where this user may give files away.
 *
 * @param path where the file is to be
 * @param data its contents, or parts of them, one after the other; a text is written in UTF-8
 * @throws DataError naming the path and the reason, also where the path leads to something that is no file, or to a
 *   read-only one
 */
export async function writeFileAtomically(
  path: string,
  data: string | Uint8Array | readonly Uint8Array[],
): Promise<void> {
  checkArgument('writeFileAtomically', 'path', path, text);
  try {
    const target = await behindLinks(path);
    const before = await replaceable(target);
    await makeFolder(dirname(target));
    await removeForgotten(dirname(target));
    await replace(target, Array.isArray(data) ? data : [data], before);
  } catch (error) {
    throw new DataError(`Cannot write ${printable(path)}: ${reasonOf(error)}`);
  }
}

/**
 * Makes a folder for files that are to be written later, and cleans it of what killed processes left. Throws DataError naming it
 * where nothing can be written there.
 */
export async function prepareFolder(folder: string): Promise<void> {
  try {
    await makeFolder(resolve(folder));
    await removeForgotten(folder);
    const trial = join(folder, temporaryName());
    await (await openNew(trial)).close();
    await rm(trial);
  } catch (error) {
    throw new DataError(`Cannot write to ${printable(folder)}: ${reasonOf(error)}`);
  }
}

/** Bytes that one call writes: Node takes less than 2^31. */
const PIECE = 2 ** 30;

/** As many links in a row are followed as Linux follows. */
const MOST_LINKS = 40;

/** Where a path leads, whether there is something or not: a link to nowhere is one to a file that is yet to be. */
async function behindLinks(path: string): Promise<string> {
  if (path.endsWith('/') || path.endsWith(sep)) throw new Error('it is a folder');
  let target = path;
  for (let links = 0; links <= MOST_LINKS; links++) {
    let next: string;
    try {
      next = await readlink(target);
    } catch {
      return target; // no link, or nothing at all; what else is wrong shows when it is written
    }
    target = resolve(await realpath(dirname(target)), next);
  }
  throw new Error('its links lead round in a circle');
}

/** What is known of the file that is to be replaced; undefined where there is none. Throws where it must stay. */
async function replaceable(target: string): Promise<Stats | undefined> {
  const stats = await statOf(target);
  if (stats === undefined) return undefined;
  refuseOtherThanFile(stats);
  if ((stats.mode & 0o222) === 0) throw new Error('it is read-only');
  try {
    await (await open(target, constants.O_WRONLY)).close(); // a renaming would not ask whether this user may write it
  } catch (error) {
    throw isDenial(error) ? new Error('it is read-only') : error;
  }
  return stats;
}

/**
 * Makes a folder and those around it. NOTE: in Node 20, mkdir's own `recursive` says that a read-only disk has no such
 * folder, and never ends in /proc.
 */
async function makeFolder(folder: string): Promise<void> {
  if ((await statOf(folder))?.isDirectory()) return;
  if (dirname(folder) !== folder) await makeFolder(dirname(folder));
  try {
    await mkdir(folder);
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await statOf(folder))?.isDirectory()) return; // somebody else made it just now
    throw whyNotIn(dirname(folder), error);
  }
}

async function replace(
  target: string,
  parts: readonly (string | Uint8Array)[],
  before: Stats | undefined,
): Promise<void> {
  const temporary = join(dirname(target), temporaryName());
  try {
    const file = await openNew(temporary, before?.mode);
    try {
      if (before) {
        const own = await file.stat();
        if (own.uid !== before.uid || own.gid !== before.gid) {
          await file.chown(before.uid, before.gid).catch(() => undefined); // few users may give files away
        }
        await file.chmod(before.mode & 0o7777); // what is asked for at the opening is cut by the umask
      }
      for (const part of parts) await writeAll(file, part);
      await file.sync(); // without it, a power cut could leave the new name with old or no contents
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined); // the first error is the one to tell
    throw error;
  }
}

async function openNew(path: string, mode?: number): Promise<FileHandle> {
  return open(path, 'wx', mode).catch((error: unknown) => {
    throw whyNotIn(dirname(path), error);
  });
}

/** Writes behind what was written before, in few pieces: each of them waits for a turn of the event loop. */
async function writeAll(file: FileHandle, part: string | Uint8Array): Promise<void> {
  const bytes = typeof part === 'string' ? Buffer.from(part) : part;
  for (let written = 0; written < bytes.length;) {
    written += (await file.write(bytes, written, Math.min(bytes.length - written, PIECE))).bytesWritten;
  }
}

/** What is denied in a folder that could be looked into is writing. */
function whyNotIn(folder: string, error: unknown): unknown {
  return isDenial(error) ? new Error(`the folder ${printable(folder)} is read-only`) : error;
}

function isDenial(error: unknown): boolean {
  return codeOf(error) === 'EACCES' || codeOf(error) === 'EPERM';
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DataError } from '../errors.js';
import { decodeSafetensors, encodeSafetensors, type Safetensors, type SafetensorsTensor } from '../io/safetensors.js';

/**
 * Writes a file so that nobody ever sees half of it: the data go to a temporary file in the same folder, are flushed to
 * the disk, and then take the file's name in one step. Folders that are missing are made. When anything fails, the
 * temporary file is removed and a file that was there before stays as it was.
 *
 * @param path where the file is to be
 * @param data its contents; a text is written in UTF-8
 * @throws DataError naming the path and the reason
 */
export async function writeFileAtomically(path: string, data: string | Uint8Array): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await mkdir(folder, { recursive: true });
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(data);
      await file.sync(); // without it, a power cut could leave the new name with old or no contents
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined); // the first error is the one to tell
    throw new DataError(`Cannot write ${path}: ${reasonOf(error)}`);
  }
}

/**
 * Reads a .safetensors file; see {@link decodeSafetensors} for the types and the checks.
 *
 * @throws DataError naming the path, where it cannot be read or is not a valid safetensors file
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new DataError(`Cannot read ${path}: ${reasonOf(error)}`);
  }
  return decodeSafetensors(bytes, path);
}

/**
 * Writes a .safetensors file, whole or not at all; see {@link encodeSafetensors} for the layout and
 * {@link writeFileAtomically} for how.
 *
 * @param path where the file is to be
 * @param tensors the tensors by name
 * @param metadata free text to go with them; none by default
 * @throws DataError naming the path where it cannot be written, or the tensor that cannot be stored
 * @throws ShapeError where a tensor's shape does not fit its numbers
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, SafetensorsTensor> | Readonly<Record<string, SafetensorsTensor>>,
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  await writeFileAtomically(path, encodeSafetensors(tensors, metadata));
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file or folder'],
  ['ENOTDIR', 'a part of the path is not a folder'],
  ['EISDIR', 'it is a folder'],
  ['EEXIST', 'a file is in the way'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'not permitted'],
  ['EROFS', 'the disk is read-only'],
  ['ENOSPC', 'the disk is full'],
  ['EMFILE', 'too many files are open'],
  ['ENAMETOOLONG', 'the name is too long'],
]);

/** Why a call of the file system failed, in words. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return REASONS.get(code) ?? error.message;
}

import type { Stats } from 'node:fs';
import { printable } from '../printable.js';

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file or folder'],
  ['ENOTDIR', 'a part of the path is not a folder'],
  ['EISDIR', 'it is a folder'],
  ['EEXIST', 'a file is in the way'],
  ['ELOOP', 'its links lead round in a circle'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'not permitted'],
  ['EROFS', 'the disk is read-only'],
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the space that this user may take is full'],
  ['EFBIG', 'a file may not be that large'],
  ['EMFILE', 'too many files are open'],
  ['ENAMETOOLONG', 'the name is too long'],
]);

/** Why a call of the file system failed, in words. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return REASONS.get(codeOf(error) ?? '') ?? printable(error.message);
}

/** The code of an error of the file system, such as ENOENT. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Throws unless it is a regular file: a named pipe keeps its reader waiting, and some devices have no end. */
export function refuseOtherThanFile(stats: Stats): void {
  if (stats.isFile()) return;
  const kinds = { folder: stats.isDirectory(), 'named pipe': stats.isFIFO(), socket: stats.isSocket() };
  const kind = Object.entries(kinds).find(([, is]) => is);
  throw new Error(`it is a ${kind === undefined ? 'device' : kind[0]}`);
}

import { DataError } from '../errors.js';
import { decodeSafetensors, type Safetensors, safetensorsParts } from '../io/safetensors.js';
import { headerEnd, LENGTH_BYTES, readHeader } from '../io/safetensors-header.js';
import type { SafetensorsTensor } from '../io/safetensors-types.js';
import { checkArgument, text } from '../options.js';
import { printable } from '../printable.js';
import { type OpenFile, withFile } from './read-file.js';
import { reasonOf } from './reasons.js';
import { writeFileAtomically } from './write-file.js';

/**
 * Reads a .safetensors file; see {@link decodeSafetensors} for the types and the checks. The header is checked before
 * the rest is read.
 *
 * @throws DataError naming the path, where it cannot be read or is not a valid safetensors file
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  checkArgument('readSafetensors', 'path', path, text);
  return reading(path, async (file) => {
    await headerOf(file, path);
    return decodeSafetensors(await file.read(), path);
  });
}

/** The metadata of a .safetensors file, without the rest of it. Throws as {@link readSafetensors}. */
export async function readMetadata(path: string): Promise<Safetensors['metadata']> {
  return reading(path, async (file) => (await headerOf(file, path)).metadata);
}

function reading<T>(path: string, work: (file: OpenFile) => Promise<T>): Promise<T> {
  return withFile(path, work).catch((error: unknown) => {
    if (error instanceof DataError) throw error;
    throw new DataError(`Cannot read ${printable(path)}: ${reasonOf(error)}`);
  });
}

async function headerOf(file: OpenFile, path: string) {
  const source = printable(path);
  const end = headerEnd(await file.read(0, LENGTH_BYTES), file.size, source);
  return readHeader(await file.read(LENGTH_BYTES, end), file.size - end, source);
}

/**
 * Writes a .safetensors file, whole or not at all; see `encodeSafetensors` for the layout and
 * {@link writeFileAtomically} for how. No copy of the numbers is made.
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
  await writeFileAtomically(path, safetensorsParts(tensors, metadata));
}

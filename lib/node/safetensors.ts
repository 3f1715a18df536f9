import { DataError } from '../errors.js';
import { decodeSafetensors, type Safetensors, safetensorsParts } from '../io/safetensors.js';
import { headerEnd, LENGTH_BYTES, readHeader } from '../io/safetensors-header.js';
import type { SafetensorsTensor } from '../io/safetensors-types.js';
import { checkArgument, text } from '../options.js';
import { printable } from '../printable.js';
import { withFile } from './read-file.js';
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
  const source = printable(path);
  try {
    return await withFile(path, async (file) => {
      const end = headerEnd(await file.read(0, LENGTH_BYTES), file.size, source);
      readHeader(await file.read(LENGTH_BYTES, end), file.size - end, source);
      return decodeSafetensors(await file.read(), path);
    });
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`Cannot read ${source}: ${reasonOf(error)}`);
  }
}

/**
 * Writes a .safetensors file, whole or not at all; see {@link encodeSafetensors} for the layout and
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

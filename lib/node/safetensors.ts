import { DataError } from '../errors.js';
import { decodeSafetensors, encodeSafetensors, type Safetensors, type SafetensorsTensor } from '../io/safetensors.js';
import { printable } from '../printable.js';
import { readRegularFile } from './read-file.js';
import { reasonOf } from './reasons.js';
import { writeFileAtomically } from './write-file.js';

/**
 * Reads a .safetensors file; see {@link decodeSafetensors} for the types and the checks.
 *
 * @throws DataError naming the path, where it cannot be read or is not a valid safetensors file
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  let bytes: Uint8Array;
  try {
    bytes = await readRegularFile(path);
  } catch (error) {
    throw new DataError(`Cannot read ${printable(path)}: ${reasonOf(error)}`);
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

import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { refuseOtherThanFile } from './reasons.js';

/** Bytes that one call reads: Node takes less than 2^31. */
const PIECE = 2 ** 30;

/** What is looked at before a file is read. */
export interface Beginning {
  /** How many bytes are wanted; a shorter file gives all that it has. */
  readonly bytes: number;
  /** Throws where the file that begins so, and has so many bytes in all, is not to be read. */
  readonly check: (beginning: Uint8Array, size: number) => void;
}

/** Reads a regular file, once its beginning was found right. Throws for everything that is not a regular file. */
export async function readRegularFile(path: string, beginning?: Beginning): Promise<Uint8Array<ArrayBuffer>> {
  refuseOtherThanFile(await stat(path)); // before it is opened, which would wait for the other end of a pipe
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    refuseOtherThanFile(stats);
    if (beginning) beginning.check(await readUpTo(file, Math.min(beginning.bytes, stats.size)), stats.size);
    return await readUpTo(file, stats.size);
  } finally {
    await file.close();
  }
}

/** The first `size` bytes; fewer where the file has become shorter. */
async function readUpTo(file: FileHandle, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = allocated(size);
  let end = 0;
  while (end < size) {
    const { bytesRead } = await file.read(bytes, end, Math.min(size - end, PIECE), end);
    if (bytesRead === 0) break;
    end += bytesRead;
  }
  return bytes.subarray(0, end);
}

function allocated(size: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(size);
  } catch {
    throw new Error(`its ${size} bytes do not fit into memory`);
  }
}

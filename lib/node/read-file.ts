import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { refuseOtherThanFile } from './reasons.js';

/** Bytes that one call reads: Node takes less than 2^31. */
const PIECE = 2 ** 30;

/** A file that is open. */
export interface OpenFile {
  readonly size: number;
  /** The bytes from `begin` to `end`, which is the size by default; fewer where the file has become shorter. */
  readonly read: (begin?: number, end?: number) => Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Opens a regular file for as long as `work` takes, which may look at its beginning before it reads the rest. Throws for
 * everything that is not a regular file: a named pipe keeps its reader waiting, and some devices have no end.
 */
export async function withFile<T>(path: string, work: (file: OpenFile) => Promise<T>): Promise<T> {
  refuseOtherThanFile(await stat(path)); // before it is opened: that alone waits for the other end of a pipe
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    refuseOtherThanFile(stats); // it may have been replaced in between
    const read = async (begin = 0, end = stats.size): Promise<Uint8Array<ArrayBuffer>> => {
      const bytes = allocated(Math.max(0, Math.min(end, stats.size) - begin));
      let count = 0;
      while (count < bytes.length) {
        const piece = Math.min(bytes.length - count, PIECE);
        const { bytesRead } = await file.read(bytes, count, piece, begin + count);
        if (bytesRead === 0) break;
        count += bytesRead;
      }
      return bytes.subarray(0, count);
    };
    return await work({ size: stats.size, read });
  } finally {
    await file.close();
  }
}

function allocated(size: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(size);
  } catch {
    throw new Error(`its ${size} bytes do not fit into memory`);
  }
}

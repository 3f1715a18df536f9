import { createHash, randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** Machines may share a folder, and each has its own numbers of processes. */
const HOST = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
const NAME = /^\.kernelwright-([0-9a-f]{8})-(\d+)-[0-9a-f]{12}\.tmp$/;

/** No write takes a day: after it a temporary file is forgotten, wherever it came from. */
const LONGEST = 24 * 60 * 60 * 1000;

/** By how many milliseconds the clock of files may be behind that of processes. */
const CLOCKS_DIFFER = 2000;

/** A name for a temporary file that tells whose it is: `.kernelwright-HOST-PROCESS-RANDOM.tmp`. */
export function temporaryName(): string {
  return `.kernelwright-${HOST}-${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
}

/** Removes the temporary files of processes that were killed, as far as it can. */
export async function removeForgotten(folder: string): Promise<void> {
  const names = await readdir(folder).catch((): string[] => []); // a folder that cannot be listed may still be written to
  for (const name of names) {
    const [, host, id] = NAME.exec(name) ?? [];
    if (host === undefined) continue;
    const path = join(folder, name);
    try {
      const isForgotten = host === HOST && !isRunning(Number(id));
      if (isForgotten || (await stat(path)).mtimeMs < oldestInUse(host, Number(id))) await rm(path, { force: true });
    } catch {
      // It is gone already, or somebody else's: not what the caller wants to hear of.
    }
  }
}

/**
 * When a temporary file that is in use can have been written last. Containers give the same number to one process after
 * another: what was written under this one's before it began was its predecessor's.
 */
function oldestInUse(host: string, id: number): number {
  const age = host === HOST && id === process.pid ? process.uptime() * 1000 + CLOCKS_DIFFER : LONGEST;
  return Date.now() - Math.min(age, LONGEST);
}

function isRunning(id: number): boolean {
  try {
    return process.kill(id, 0); // signal 0 is none: it only asks
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'; // another user's
  }
}

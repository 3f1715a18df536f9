/** The development package `@sparticuz/chromium`, of which the tests use a driver and a browser. */
import { randomUUID } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { createBrotliDecompress } from 'node:zlib';

import { root } from './root.js';

const chromium = join(root, 'node_modules/@sparticuz/chromium');

/** The only kind of machine that what is in the package runs on. */
export const packageRunsHere = process.platform === 'linux' && process.arch === 'x64';

/** The bytes of a file of the package, decompressed. */
export function packagedFile(name: string): Readable {
  return createReadStream(join(chromium, 'bin', `${name}.br`)).pipe(createBrotliDecompress());
}

/**
 * Has a folder filled in the cache below node_modules, unless it is there already, and returns its path. It appears
 * there whole, by a rename: a run that is cut off, or two at a time, leave no half of it behind.
 */
export async function unpackOnce(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(chromium, 'package.json'), 'utf8')) as { version: string };
  const folder = join(root, 'node_modules/.cache/kernelwright', `${name}-${version}`);
  if (existsSync(folder)) return folder;

  const half = `${folder}.${randomUUID()}`;
  await mkdir(dirname(folder), { recursive: true });
  try {
    await fill(half);
    await rename(half, folder);
  } catch (error) {
    await rm(half, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // otherwise another process was faster
  }
  return folder;
}

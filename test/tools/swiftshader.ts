/**
 * SwiftShader, a Vulkan driver that runs on the CPU, taken from the development package `@sparticuz/chromium`: with it
 * every kernel can be run on a bare Linux x64 machine, with nothing to install and no root.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { extract } from 'tar-fs';

import { root } from './root.js';

const chromium = join(root, 'node_modules/@sparticuz/chromium');

/** The only kind of machine that the packaged SwiftShader runs on. */
export const swiftShaderRunsHere = process.platform === 'linux' && process.arch === 'x64';

/** The environment variables with which a new process finds SwiftShader and its Vulkan loader, and no other driver. */
export async function swiftShaderEnvironment(): Promise<Record<string, string>> {
  const folder = await unpackSwiftShader();
  const icd = join(folder, 'vk_swiftshader_icd.json');
  const libraries = [folder, process.env['LD_LIBRARY_PATH']].filter(Boolean).join(delimiter);
  // The loader reads either name: VK_DRIVER_FILES is the newer one and wins.
  return { VK_ICD_FILENAMES: icd, VK_DRIVER_FILES: icd, LD_LIBRARY_PATH: libraries };
}

/**
 * Unpacks the driver into the cache below node_modules and returns its folder. It appears there whole, by a rename: a
 * run that is cut off, or two at a time, leave no half of it behind.
 */
async function unpackSwiftShader(): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(chromium, 'package.json'), 'utf8')) as { version: string };
  const folder = join(root, 'node_modules/.cache/kernelwright', `swiftshader-${version}`);
  if (existsSync(folder)) return folder;

  const half = `${folder}.${randomUUID()}`;
  await mkdir(dirname(folder), { recursive: true });
  try {
    await pipeline(
      createReadStream(join(chromium, 'bin/swiftshader.tar.br')),
      createBrotliDecompress(),
      extract(half, { ignore: (name) => /lib(EGL|GLESv2)/.test(name) }),
    );
    await rename(half, folder);
  } catch (error) {
    await rm(half, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // otherwise another process was faster
  }
  return folder;
}

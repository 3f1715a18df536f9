/**
 * The browser of the tests: the Chromium of the development package `@sparticuz/chromium`, on Linux x64 with nothing to
 * install and no root, or the Chrome or Chromium that CHROME_PATH names.
 */
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type BrowserContext, chromium } from 'playwright-core';
import { extract } from 'tar-fs';

import { packagedFile, packageRunsHere, unpackOnce } from './chromium-package.js';
import { root } from './root.js';

/** WebGPU on the SwiftShader that comes with the browser. */
const FLAGS = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

/** Starts a headless browser with an empty profile on the disk. Rejects, saying how to get one, where there is none. */
export async function launchChromium(): Promise<BrowserContext> {
  const { executablePath, environment } = await findChromium();
  return chromium.launchPersistentContext('', { executablePath, args: FLAGS, env: { ...process.env, ...environment } });
}

async function findChromium(): Promise<{ executablePath: string; environment: Record<string, string> }> {
  const named = process.env['CHROME_PATH'];
  if (named) return { executablePath: named, environment: {} };
  if (!packageRunsHere) {
    throw new Error(
      `No browser for the tests on this machine (${process.platform} ${process.arch}): that of the development packages ` +
        'is for Linux x64 only. Install Chrome or Chromium 113 or later and name its program in CHROME_PATH.',
    );
  }
  const folder = await unpackOnce('chromium', async (half) => {
    await mkdir(half);
    await Promise.all([
      pipeline(packagedFile('chromium'), createWriteStream(join(half, 'chromium'), { mode: 0o755 })),
      ...['swiftshader.tar', 'al2023.tar'].map((file) => pipeline(packagedFile(file), extract(half))),
    ]);
  });
  // Libraries and fonts that bare machines lack. NOTE: the package's own fonts.conf looks for fonts in /tmp and /opt alone.
  const libraries = [join(folder, 'lib'), process.env['LD_LIBRARY_PATH']].filter(Boolean).join(delimiter);
  return {
    executablePath: join(folder, 'chromium'),
    environment: { LD_LIBRARY_PATH: libraries, FONTCONFIG_FILE: join(root, 'tools/fonts.conf') },
  };
}

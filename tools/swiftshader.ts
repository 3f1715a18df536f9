/**
 * SwiftShader, a Vulkan driver that runs on the CPU, taken from the development package `@sparticuz/chromium`: with it
 * every kernel can be run on a bare Linux x64 machine, with nothing to install and no root.
 */
import { delimiter, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-fs';

import { packagedFile, unpackOnce } from './chromium-package.js';

/** The environment variables with which a new process finds SwiftShader and its Vulkan loader, and no other driver. */
export async function swiftShaderEnvironment(): Promise<Record<string, string>> {
  const folder = await unpackOnce('swiftshader', (half) =>
    pipeline(packagedFile('swiftshader.tar'), extract(half, { ignore: (name) => /lib(EGL|GLESv2)/.test(name) })),
  );
  const icd = join(folder, 'vk_swiftshader_icd.json');
  const libraries = [folder, process.env['LD_LIBRARY_PATH']].filter(Boolean).join(delimiter);
  // The loader reads either name: VK_DRIVER_FILES is the newer one and wins.
  return { VK_ICD_FILENAMES: icd, VK_DRIVER_FILES: icd, LD_LIBRARY_PATH: libraries };
}

/** Which WebGPU adapter a process finds: decided by its environment, before it starts. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';

import { packageRunsHere } from './chromium-package.js';
import { root } from './root.js';
import { swiftShaderEnvironment } from './swiftshader.js';

/** What can be asked for: `default` is the machine's own adapter, and SwiftShader where it has none. */
export const ADAPTERS = ['default', 'swiftshader', 'lavapipe'] as const;

/** One of {@link ADAPTERS}. */
export type AdapterName = (typeof ADAPTERS)[number];

/** Where the Vulkan loader looks for drivers on Linux. */
const DRIVER_FOLDERS = ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/etc/vulkan/icd.d'];

/** An adapter that cannot be had on this machine. */
export class AdapterError extends Error {}

/** Whether there is an adapter of this name. */
export function isAdapterName(text: string): text is AdapterName {
  return ADAPTERS.some((name) => name === text);
}

/** What to add to the environment of a new process so that it finds the adapter. Rejects with AdapterError. */
export async function adapterEnvironment(name: AdapterName): Promise<Record<string, string>> {
  if (name === 'lavapipe') return lavapipeEnvironment();
  if (name === 'default' && machineHasAdapter()) return {};
  if (!packageRunsHere) {
    throw new AdapterError(
      `No WebGPU adapter on this machine (${process.platform} ${process.arch}), and the software adapter of the ` +
        'development packages is for Linux x64 only. Install a graphics driver (Vulkan, Metal or Direct3D 12), or ' +
        'stay on the CPU: --device cpu, or KERNELWRIGHT_DEVICE=cpu.',
    );
  }
  const reason = name === 'swiftshader' ? 'as asked' : 'no WebGPU adapter here';
  console.error(`${reason}: using SwiftShader, a software adapter from the development packages`);
  return swiftShaderEnvironment();
}

/** Mesa's software driver, by the file that describes it to the Vulkan loader. */
function lavapipeEnvironment(): Record<string, string> {
  const named = [process.env['VK_DRIVER_FILES'], process.env['VK_ICD_FILENAMES']].flatMap(
    (list) => list?.split(delimiter) ?? [],
  );
  const found = DRIVER_FOLDERS.filter((folder) => existsSync(folder)).flatMap((folder) =>
    readdirSync(folder).map((file) => join(folder, file)),
  );
  const driver = [...named, ...found].find((file) => /lvp_icd[^/]*\.json$/.test(file) && existsSync(file));
  if (driver === undefined) {
    throw new AdapterError(
      'lavapipe is not on this machine: no lvp_icd*.json in ' +
        `${DRIVER_FOLDERS.join(', ')} or VK_ICD_FILENAMES (Debian: apt install mesa-vulkan-drivers)`,
    );
  }
  return { VK_ICD_FILENAMES: driver, VK_DRIVER_FILES: driver };
}

/** Asks Dawn, in a process of its own: a broken driver ends that process and not this one. */
function machineHasAdapter(): boolean {
  const probe = `
    import { create } from 'webgpu';
    import { writeSync } from 'node:fs';
    if (await create([]).requestAdapter()) writeSync(1, 'adapter');
    process.exit();`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', probe], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
    timeout: 20_000,
  });
  return stdout.includes('adapter');
}

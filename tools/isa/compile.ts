import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { access, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DeviceError } from '../../lib/errors.js';
import { DAWN_FEATURES } from '../../lib/node/open-device.js';
import { cacheFolder } from '../../lib/node/tuning-file.js';
import { root } from '../root.js';
import { type Chip, type Driver, DRIVERS } from './chips.js';
import type { MachineCode } from './machine-code.js';
import { MARK } from './marks.js';

/** The folder of the drivers: KERNELWRIGHT_ISA, or one in the user's cache. */
export function isaFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  return environment['KERNELWRIGHT_ISA'] || join(cacheFolder(environment), 'kernelwright', 'isa');
}

/** What a kernel is compiled with. */
export interface CompileOptions {
  /** Where tools/isa/setup.sh has put the drivers. Default: {@link isaFolder}. */
  readonly folder?: string;
  /** Whether Dawn does as in a browser, which lets no index leave its array. Default: as the library has it in Node. */
  readonly isBrowser?: boolean;
  /** A file for all that the driver prints: machine code, and what it comes from. Left out, it is not kept. */
  readonly listing?: string | undefined;
}

/** What a chip's compiler makes of printed kernels, by file. Throws DeviceError where the drivers are not there or fail. */
export async function compileFor(
  name: string,
  chip: Chip,
  files: readonly string[],
  { folder = isaFolder(), isBrowser = false, listing }: CompileOptions = {},
): Promise<ReadonlyMap<string, MachineCode>> {
  await access(join(folder, 'ready')).catch(() => {
    throw new DeviceError(`there are no drivers in ${folder}: npm run isa -- setup`);
  });
  const scratch = await mkdtemp(join(tmpdir(), 'kernelwright-isa-'));
  try {
    const path = listing ?? join(scratch, 'listing.txt');
    const code = await runDriver(name, chip, [isBrowser ? '' : DAWN_FEATURES, ...files], folder, scratch, path);
    const compiled = await readListing(path, chip);
    const [last] = [...compiled.keys()].slice(-1);
    if (code === 0 && last === files.at(-1)) return compiled;
    throw new DeviceError(
      `${name}: the compiler ended with ${code} behind ${last ?? 'its start'}: ${await endOf(path)}`,
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Runs tools/isa/compile-kernels.ts in a driver's environment. What the driver prints goes straight into a file. */
async function runDriver(
  name: string,
  { vendor }: Chip,
  args: readonly string[],
  folder: string,
  scratch: string,
  path: string,
): Promise<number | null> {
  const driver: Driver = DRIVERS[vendor];
  const libraries = join(folder, 'drivers/usr/lib/x86_64-linux-gnu');
  const library = join(folder, driver.library);
  const manifest =
    driver.manifest === undefined
      ? await writeManifest(library, scratch)
      : join(folder, 'drivers/usr/share/vulkan/icd.d', driver.manifest);
  const output = await open(path, 'w');
  try {
    const child = spawn(
      join(libraries, 'ld-linux-x86-64.so.2'), // Mesa stands on a C library of its own, so the whole process does
      [
        ...['--library-path', libraries, ...(driver.isPreloaded ? ['--preload', library] : [])],
        ...[process.execPath, '--import', 'tsx', 'tools/isa/compile-kernels.ts', ...args],
      ],
      {
        cwd: root,
        stdio: ['ignore', 'ignore', output.fd],
        env: {
          ...process.env,
          VK_DRIVER_FILES: manifest,
          KERNELWRIGHT_RADV: join(libraries, 'libvulkan_radeon.so'),
          MESA_SHADER_CACHE_DISABLE: '1',
          XDG_RUNTIME_DIR: scratch,
          ...driver.environment(name),
        },
      },
    );
    return await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  } finally {
    await output.close();
  }
}

/** The machine code of each kernel in what a driver printed, by file. */
async function readListing(path: string, chip: Chip): Promise<ReadonlyMap<string, MachineCode>> {
  const compiled = new Map<string, MachineCode>();
  let file: string | undefined;
  let lines: string[] = [];
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (!line.startsWith(MARK)) {
      lines.push(line);
      continue;
    }
    if (file !== undefined) compiled.set(file, chip.read(lines));
    file = line.slice(MARK.length);
    lines = [];
  }
  return compiled;
}

/** The last lines of a file. */
async function endOf(path: string): Promise<string> {
  const text = await readFile(path, 'utf8');
  return text.trimEnd().split('\n').slice(-5).join('\n');
}

/** A Vulkan driver's manifest. */
async function writeManifest(library: string, folder: string): Promise<string> {
  const path = join(folder, 'manifest.json');
  const manifest = { file_format_version: '1.0.0', ICD: { library_path: library, api_version: '1.4.305' } };
  await writeFile(path, JSON.stringify(manifest));
  return path;
}

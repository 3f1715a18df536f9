/**
 * The launcher that the npm scripts share:
 *
 *     node --import tsx test/tools/launch.ts [--adapter] [--software] SCRIPT [ARGUMENT...]
 *
 * It refreshes the inlined kernels, sees to it that there is a WebGPU adapter where one is asked for, and runs SCRIPT
 * under tsx in a process of its own (a driver's environment must be set before a process starts).
 *
 *   --adapter   SCRIPT wants an adapter (tests, conformance, benchmarks) unless `--device cpu` says otherwise;
 *               without it, an adapter is brought up for `--device webgpu` alone
 *   --software  use SwiftShader even where there is a hardware adapter
 *
 * The device is named by `--device` among the arguments or by KERNELWRIGHT_DEVICE, as everywhere.
 *
 * Signals are passed on to the script, and the exit code is the script's. Ctrl-C in a terminal reaches the script
 * twice, from the terminal and from here: a script that saves its work on SIGINT takes what follows within a second as
 * the same request.
 */
import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

import { inlineKernels } from './inline-kernels.js';
import { root } from './root.js';
import { swiftShaderEnvironment, swiftShaderRunsHere } from './swiftshader.js';

const tsx = import.meta.resolve('tsx');
const options = new Set<string>();
const command = process.argv.slice(2);
while (command[0]?.startsWith('--')) options.add(command.shift() ?? '');

await inlineKernels();
const environment = adapterWanted() ? await adapterEnvironment() : {};
run(environment);

/** Whether the script is to find a WebGPU adapter. */
function adapterWanted(): boolean {
  const device = deviceArgument(command) ?? process.env['KERNELWRIGHT_DEVICE'];
  return options.has('--adapter') ? device !== 'cpu' : device === 'webgpu';
}

/** The value of `--device`, the last one where there are several. */
function deviceArgument(words: readonly string[]): string | undefined {
  return words
    .map((word, i) => (word === '--device' ? words[i + 1] : /^--device=(.*)$/.exec(word)?.[1]))
    .findLast(Boolean);
}

/** What to add to the environment so that the script finds an adapter: nothing where the machine has one. */
async function adapterEnvironment(): Promise<Record<string, string>> {
  if (!options.has('--software') && machineHasAdapter()) return {};
  if (!swiftShaderRunsHere) {
    console.error(
      `No WebGPU adapter on this machine (${process.platform} ${process.arch}), and the software adapter of the ` +
        'development packages is for Linux x64 only. Install a graphics driver (Vulkan, Metal or Direct3D 12), or ' +
        'stay on the CPU: --device cpu, or KERNELWRIGHT_DEVICE=cpu.',
    );
    process.exit(1);
  }
  const reason = options.has('--software') ? 'as asked' : 'no WebGPU adapter here';
  console.error(`${reason}: using SwiftShader, a software adapter from the development packages`);
  return swiftShaderEnvironment();
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

/** Runs the script to its end and takes over its exit code. */
function run(extra: Record<string, string>): void {
  const child = spawn(process.execPath, ['--import', tsx, ...command], {
    stdio: 'inherit',
    env: { ...process.env, TSX_TSCONFIG_PATH: join(root, 'tsconfig.json'), ...extra },
  });
  // On Windows a signal from here would end the script at once; the console tells it of Ctrl-C itself.
  const pass = (signal: NodeJS.Signals) => process.platform === 'win32' || child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, pass);
  // npm passes SIGTERM to its shell alone, which dies of it: its end is then the signal for the script.
  const shell = process.ppid;
  const orphaned = () => process.ppid !== shell && process.env['npm_lifecycle_event'] !== undefined;
  setInterval(() => orphaned() && pass('SIGTERM'), 200).unref();
  child.on('error', (error) => {
    console.error(`cannot start ${command.join(' ')}: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (signal ? constants.signals[signal] : 0)));
}

/**
 * The launcher that the npm scripts share:
 *
 *     node --import tsx tools/launch.ts [--adapter] [--software] [--bounds] [--relaxed-simd] SCRIPT [ARGUMENT...]
 *
 * It refreshes the inlined kernels, sees to it that there is a WebGPU adapter where one is asked for, and runs SCRIPT
 * under tsx in a process of its own (a driver's environment must be set before a process starts).
 *
 *   --adapter   SCRIPT wants an adapter (tests, conformance, benchmarks) unless `--device cpu` says otherwise;
 *               without it, an adapter is brought up for `--device webgpu` alone
 *   --software  use SwiftShader even where there is a hardware adapter
 *   --bounds    kernels check each index of theirs, one that is out of bounds ends the tests; workgroup memory begins as NaN
 *   --relaxed-simd  have WebAssembly's relaxed SIMD, which later versions of Node have and Node 20 has behind a flag
 *
 * The device is named by `--device` among the arguments or by KERNELWRIGHT_DEVICE, as everywhere; the adapter by
 * `--adapter NAME` behind SCRIPT, where the script knows that option: default, swiftshader or lavapipe.
 *
 * Signals are passed on to the script, and the exit code is the script's. Ctrl-C in a terminal reaches the script
 * twice, from the terminal and from here: a script that saves its work on SIGINT takes what follows within a second as
 * the same request.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

import { hasRelaxedSimd } from '../lib/device/cpu/simd.js';
import { AdapterError, adapterEnvironment, ADAPTERS, isAdapterName } from './adapters.js';
import { inlineKernels } from './inline-kernels.js';
import { root } from './root.js';

const tsx = import.meta.resolve('tsx');
const options = new Set<string>();
const command = process.argv.slice(2);
while (command[0]?.startsWith('--')) options.add(command.shift() ?? '');

await inlineKernels();
const adapter = options.has('--software') ? 'swiftshader' : (argument('adapter') ?? 'default');
run({
  ...(adapterWanted() && (await environmentOf(adapter))),
  ...(options.has('--bounds') && { KERNELWRIGHT_TEST_BOUNDS: '1' }),
});

/** Whether the script is to find a WebGPU adapter. */
function adapterWanted(): boolean {
  const device = argument('device') ?? process.env['KERNELWRIGHT_DEVICE'];
  return options.has('--adapter') ? device !== 'cpu' : device === 'webgpu';
}

/** The value of the script's option `--name`, the last one where there are several; the script checks the others. */
function argument(name: 'device' | 'adapter'): string | undefined {
  const { values } = parseArgs({ args: command.slice(1), strict: false, options: { [name]: { type: 'string' } } });
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

/** What to add to the environment so that the script finds the adapter that was asked for. */
async function environmentOf(wanted: string): Promise<Record<string, string>> {
  try {
    if (!isAdapterName(wanted)) throw new AdapterError(`unknown adapter '${wanted}': expected ${ADAPTERS.join(', ')}`);
    return await adapterEnvironment(wanted);
  } catch (error) {
    if (!(error instanceof AdapterError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}

/** Runs the script to its end and takes over its exit code. */
function run(extra: Record<string, string>): void {
  const flags = options.has('--relaxed-simd') && !hasRelaxedSimd() ? ['--experimental-wasm-relaxed-simd'] : [];
  const child = spawn(process.execPath, [...flags, '--import', tsx, ...command], {
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
  child.on('exit', (code, signal) => {
    if (signal) console.error(`${command.join(' ')} was ended by ${signal}`);
    process.exit(code ?? 128 + (signal ? constants.signals[signal] : 0));
  });
}

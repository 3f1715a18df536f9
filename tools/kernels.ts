/**
 * Prints kernels as they are given to WebGPU, for readers and for other compilers:
 *
 *     npm run kernels -- DIR [--target NAME] [--step mynet | --benchmarks] [--variants] [--only NAME]
 *
 * Each kernel is a WGSL file of its own. Its first line, a comment, is JSON: entry point, values of the overrides,
 * workgroups of the dispatch, bindings, and which operation it computes at which sizes. Kernels of the same text, entry
 * point and overrides are printed once. No GPU is needed.
 *
 * A browser is given the same text and the same values. What it adds is its compiler's: indices are clamped, and workgroup
 * memory is cleared; in Node the library switches the clamps off (lib/node/open-device.ts).
 */
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { entries } from '../bench/shapes.js';
import { helpText, type OptionHelp, parseCommandLine, runProgram } from '../examples/cli.js';
import { accessOf } from '../lib/device/webgpu/work.js';
import { OptionError } from '../lib/errors.js';
import type { KernelTarget, Launch } from '../lib/graph/launch.js';
import { attributesText } from '../lib/graph/operation.js';
import { writeFileAtomically } from '../lib/node/write-file.js';
import { operations } from '../lib/ops/index.js';
import { printable } from '../lib/printable.js';
import { suggest } from '../lib/suggest.js';
import { launchesOf, partsOf, type PrintedLaunch, type Use, useOf, usesOfMyNet } from './kernels/launches.js';
import { type TargetName, TARGETS } from './kernels/targets.js';

const USAGE = 'npm run kernels -- DIR [--option value ...]';
const OPTIONS = {
  target: {
    value: 'NAME',
    help: `the adapter that they are chosen for: ${Object.keys(TARGETS).join(', ')} (default: unknown)`,
  },
  step: { value: 'mynet', help: "those of MyNet's training step (default: those of all cases of the operations)" },
  benchmarks: { help: 'those of the operations at the sizes of the benchmarks' },
  variants: { help: 'all ways to compute an operation that tuning chooses from' },
  only: { value: 'NAME', help: 'those of one operation, fused or not' },
} as const satisfies Record<string, OptionHelp>;

/** Does what a command line says; what to tell its user. Throws OptionError or DataError where it cannot be done. */
export async function printKernels(args: readonly string[]): Promise<string> {
  const { values, words } = parseCommandLine(args, OPTIONS);
  if (values.help) return helpText(USAGE, OPTIONS);
  const [folder, ...others] = words;
  if (folder === undefined || others.length > 0)
    throw new OptionError(`expected one folder to print kernels into, found ${words.length}: ${USAGE}`);
  const target = TARGETS[targetName(values.target ?? 'unknown')];
  const uses = only(values.only, await usesFor(values.step, values.benchmarks === true, target));
  const files = kernelFiles(uses.flatMap((use) => launchesOf(use, target, values.variants === true)));
  for (const [name, code] of files) await writeFileAtomically(join(folder, name), code);
  return `${files.size} kernels in ${resolve(folder)}`;
}

function targetName(name: string | true): TargetName {
  const names = Object.keys(TARGETS) as TargetName[];
  const found = names.find((each) => each === name);
  if (found === undefined)
    throw new OptionError(
      `--target ${printable(String(name))}: expected ${names.join(', ')}${suggest(String(name), names)}`,
    );
  return found;
}

async function usesFor(
  step: string | true | undefined,
  isBenchmarks: boolean,
  target: KernelTarget,
): Promise<readonly Use[]> {
  if (step !== undefined && step !== 'mynet')
    throw new OptionError(`--step ${printable(String(step))}: expected mynet`);
  if (step !== undefined && isBenchmarks) throw new OptionError('--step and --benchmarks: expected one of them');
  if (step !== undefined) return usesOfMyNet(target);
  if (isBenchmarks) return entries.map(useOf);
  return operations.flatMap((operation) => operation.cases.map((setting) => useOf({ operation, ...setting })));
}

/** The uses of one operation. Throws OptionError where there is none. */
function only(name: string | true | undefined, uses: readonly Use[]): readonly Use[] {
  if (name === undefined) return uses;
  const found = uses.filter(({ operation }) => partsOf(operation).includes(String(name)));
  if (found.length > 0) return found;
  const known = [...new Set(uses.flatMap(({ operation }) => partsOf(operation)))];
  const hint = suggest(String(name), known) || `; there are ${known.join(', ')}`;
  throw new OptionError(`--only ${printable(String(name))}: no such operation${hint}`);
}

/** The texts of the kernels of launches by file name, each of them once, in the order in which they come. */
function kernelFiles(launches: readonly PrintedLaunch[]): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const seen = new Set<string>();
  for (const printed of launches) {
    const { kernel, constants = {} } = printed.launch;
    const key = [kernel.entryPoint, attributesText(constants), kernel.code].join('\n');
    if (seen.has(key)) continue;
    seen.add(key);
    files.set(freeName(files, kernel), `// ${headOf(printed)}\n${kernel.code}`);
  }
  return files;
}

/** `softmax-forward.wgsl`, and `softmax-forward-2.wgsl` for the next one. */
function freeName(files: ReadonlyMap<string, string>, { name, entryPoint }: Launch['kernel']): string {
  const base = `${name}-${entryPoint}`.replace(/[^\w]+/g, '-');
  for (let count = 1; ; count++) {
    const file = `${base}${count > 1 ? `-${count}` : ''}.wgsl`;
    if (!files.has(file)) return file;
  }
}

function headOf({ launch, operation, inputs }: PrintedLaunch): string {
  const { kernel, constants = {}, workgroups, bindings } = launch;
  const access = accessOf(launch);
  return JSON.stringify({
    entryPoint: kernel.entryPoint,
    constants,
    workgroups,
    bindings: access.map(({ at, access: kind }, i) => {
      const binding = bindings[i];
      const holds = binding === undefined ? 'uniforms' : holdsOf(binding);
      return { binding: at, access: kind, holds };
    }),
    operation,
    inputs,
  });
}

function holdsOf(binding: Launch['bindings'][number]): string {
  if ('scratch' in binding) return 'scratch';
  return 'input' in binding ? `input ${binding.input}` : `output ${binding.output}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runProgram('kernels', async (args) => {
    console.log(await printKernels(args));
    return 0;
  });
}

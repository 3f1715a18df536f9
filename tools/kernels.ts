/**
 * Prints kernels as they are given to WebGPU, for readers and for other compilers:
 *
 *     npm run kernels -- DIR [--target NAME] [--step mynet | --benchmarks] [--variants] [--only NAME]
 *
 * Each kernel is a WGSL file of its own. Its first line, a comment, is JSON: entry point, values of the overrides,
 * workgroups of the dispatch, bindings with what lies there, and which operation it computes. Kernels of the same text,
 * entry point and overrides are printed once; those of a training step as they are dispatched, small ones joined. No GPU is
 * needed.
 *
 * A browser is given the same text and the same values. What it adds is its compiler's: indices are clamped, and workgroup
 * memory is cleared; in Node the library switches the clamps off (lib/node/open-device.ts).
 */
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { entries } from '../bench/shapes.js';
import { helpText, type OptionHelp, parseCommandLine, runProgram } from '../lib/command-line/arguments.js';
import type { Resource, Work } from '../lib/device/webgpu/work.js';
import { OptionError } from '../lib/errors.js';
import type { Kernel, KernelTarget } from '../lib/graph/launch.js';
import { attributesText } from '../lib/graph/operation.js';
import { writeFileAtomically } from '../lib/node/write-file.js';
import { operations } from '../lib/ops/index.js';
import { printable } from '../lib/printable.js';
import { formatShape } from '../lib/shape.js';
import { suggest } from '../lib/suggest.js';
import { joinedWorksOf, stepOf, stepsOfMyNet, worksOf } from './kernels/works.js';
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
  const works = await worksFor(values, target);
  const files = kernelFiles(values.only === undefined ? works : only(String(values.only), works));
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

async function worksFor(
  { step, benchmarks, variants }: { readonly [Name in 'step' | 'benchmarks' | 'variants']?: string | true | undefined },
  target: KernelTarget,
): Promise<readonly Work[]> {
  if (step !== undefined && step !== 'mynet')
    throw new OptionError(`--step ${printable(String(step))}: expected mynet`);
  if (step !== undefined && benchmarks) throw new OptionError('--step and --benchmarks: expected one of them');
  if (step !== undefined && !variants) return joinedWorksOf(await stepsOfMyNet(target), target);
  const settings = benchmarks
    ? entries
    : operations.flatMap((operation) => operation.cases.map((setting) => ({ operation, ...setting })));
  const steps = step === undefined ? settings.map(stepOf) : await stepsOfMyNet(target);
  return steps.flatMap((own) => worksOf(own, target, variants === true));
}

/** The launches for one operation. Throws OptionError where there is none. */
function only(name: string, works: readonly Work[]): readonly Work[] {
  const namesOf = (work: Work): readonly string[] => work.operations.flatMap((own) => own.split(' + '));
  const found = works.filter((work) => namesOf(work).includes(name));
  if (found.length > 0) return found;
  const known = [...new Set(works.flatMap(namesOf))];
  const hint = suggest(name, known) || `; there are ${known.join(', ')}`;
  throw new OptionError(`--only ${printable(name)}: no such operation${hint}`);
}

/** The texts of the kernels of launches by file name, each of them once, in the order in which they come. */
function kernelFiles(works: readonly Work[]): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const seen = new Set<string>();
  for (const work of works) {
    const { kernel, constants } = work;
    const key = [kernel.entryPoint, attributesText(constants), kernel.code].join('\n');
    if (seen.has(key)) continue;
    seen.add(key);
    files.set(freeName(files, kernel), `// ${headOf(work)}\n${kernel.code}`);
  }
  return files;
}

/** `softmax-forward.wgsl`, and `softmax-forward-2.wgsl` for the next one. */
function freeName(files: ReadonlyMap<string, string>, { name, entryPoint }: Kernel): string {
  const base = `${name}-${entryPoint}`.replace(/[^\w]+/g, '-');
  for (let count = 1; ; count++) {
    const file = `${base}${count > 1 ? `-${count}` : ''}.wgsl`;
    if (!files.has(file)) return file;
  }
}

function headOf({ kernel, constants, workgroups, bindings, operations: names }: Work): string {
  return JSON.stringify({
    entryPoint: kernel.entryPoint,
    constants,
    workgroups,
    bindings: bindings.map(({ at, access, resource }) => ({ binding: at, access, holds: holdsOf(resource) })),
    operation: names.join(', '),
  });
}

function holdsOf(resource: Resource): string {
  if (resource.kind !== 'tensor') return resource.kind;
  const { dtype, shape, place } = resource.placed;
  return `${dtype} ${formatShape(shape)}, ${place.kind} ${place.index}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runProgram('kernels', async (args) => {
    console.log(await printKernels(args));
    return 0;
  });
}

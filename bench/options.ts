import { availableParallelism } from 'node:os';
import { helpText, numberOption, type OptionHelp, parseCommandLine } from '../lib/command-line/arguments.js';
import { defaultThreads } from '../lib/device/cpu/host.js';
import { OptionError } from '../lib/errors.js';
import { suggest } from '../lib/suggest.js';
import { targetOf } from '../test/support/targets.js';
import { type Entry, variantsOf } from './entry.js';
import type { DeviceName } from './runner.js';

const DEVICES: readonly DeviceName[] = ['cpu', 'reference', 'webgpu'];
const USAGE = 'npm run bench -- [OPERATION or SHAPE ...] [--option value ...]';

const OPTIONS = {
  device: { value: 'NAME', help: 'cpu, reference or webgpu (default: cpu and webgpu)' },
  adapter: { value: 'NAME', help: 'WebGPU by swiftshader or lavapipe (default: by what the machine has)' },
  threads: { value: 'N', help: 'threads of the CPU device (default: what openDevice takes)' },
  variant: { value: 'NAME', help: 'by this kernel, where an operation has several, or by all of them' },
  json: { value: 'FILE', help: 'write the results as JSON' },
  roofline: { value: 'FILE', help: 'draw the results under the roofs of the device, as SVG' },
  list: { help: 'print the operations and their shapes and exit' },
} as const satisfies Record<string, OptionHelp>;

/** An adapter on which every kernel can be had. */
const ANY_GPU = targetOf(false, ['subgroups', 'shader-f16']);

/** What the command line asks for. */
export interface BenchOptions {
  readonly entries: readonly Entry[];
  /** Shapes were named: large ones run on slow devices, too. */
  readonly isSelected: boolean;
  readonly devices: readonly DeviceName[];
  /** Of the CPU device. */
  readonly threads: number;
  /** Empty: each device's own choice. */
  readonly variants: readonly string[];
  readonly json?: string;
  readonly roofline?: string;
}

/** Reads the command line; a text is what to print instead of a run. Throws OptionError for what it does not know. */
export function readOptions(
  args: readonly string[],
  entries: readonly Entry[],
  environment: string | undefined = process.env['KERNELWRIGHT_DEVICE'],
): BenchOptions | string {
  const { values, words: names } = parseCommandLine(args, OPTIONS);
  if (values.help) return helpText(USAGE, OPTIONS);
  if (values.list) return listOf(entries);
  const variants = chosenVariants(textOf(values.variant), entries);
  const chosen = textOf(values.device) ?? environment;
  if (variants.length > 0 && chosen !== undefined && chosen !== 'webgpu') {
    throw new OptionError(`--variant is about the kernels of webgpu; the device is ${chosen}`);
  }
  const devices = variants.length > 0 ? (['webgpu'] as const) : devicesOf(chosen);
  const selected = select(names, entries).filter(({ operation }) => variants.length === 0 || 'variants' in operation);
  if (selected.length === 0)
    throw new OptionError(`--variant is for operations with several kernels: ${names.join(', ')} has one`);
  const [json, roofline] = [textOf(values.json), textOf(values.roofline)];
  return {
    entries: selected,
    isSelected: entries.some(({ name }) => names.includes(name)),
    devices,
    threads: numberOption('threads', values.threads, defaultThreads(), {
      min: 1,
      max: availableParallelism(),
      isWhole: true,
    }),
    variants,
    ...(json === undefined ? {} : { json }),
    ...(roofline === undefined ? {} : { roofline }),
  };
}

/** Entries by operation or shape; all of them for no names. */
function select(names: readonly string[], entries: readonly Entry[]): readonly Entry[] {
  const known = [...new Set(entries.flatMap(({ operation, name }) => [operation.name, name]))];
  for (const name of names) {
    if (!known.includes(name)) {
      throw new OptionError(`no operation or shape is called '${name}'${suggest(name, known)}; --list names them all`);
    }
  }
  const isNamed = ({ operation, name }: Entry): boolean => names.includes(operation.name) || names.includes(name);
  return names.length === 0 ? entries : entries.filter(isNamed);
}

function chosenVariants(text: string | undefined, entries: readonly Entry[]): readonly string[] {
  if (text === undefined) return [];
  const known = [...new Set(entries.flatMap((entry) => variantsOf(entry, ANY_GPU).map(({ name }) => name)))];
  if (text === 'all') return known;
  if (known.includes(text)) return [text];
  throw new OptionError(`unknown variant '${text}'${suggest(text, known)}: expected ${known.join(', ')} or all`);
}

function devicesOf(text: string | undefined): readonly DeviceName[] {
  if (text === undefined || text === 'auto') return ['cpu', 'webgpu'];
  const device = DEVICES.find((known) => known === text);
  if (device) return [device];
  throw new OptionError(`unknown device '${text}'${suggest(text, DEVICES)}: expected ${DEVICES.join(', ')}`);
}

function listOf(entries: readonly Entry[]): string {
  const shapes = new Map<string, string[]>();
  for (const { operation, name } of entries) shapes.set(operation.name, [...(shapes.get(operation.name) ?? []), name]);
  return Array.from(shapes, ([operation, names]) => `${operation.padEnd(34)}${names.join(' ')}`).join('\n');
}

function textOf(value: string | true | undefined): string | undefined {
  return value === true ? undefined : value;
}

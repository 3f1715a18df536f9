import { fileURLToPath } from 'node:url';
import type { DeviceRequest } from 'kernelwright';
import { numberOption, type OptionHelp, parseOptions } from '../../lib/command-line/arguments.js';
import { DEVICE_OPTION, deviceOption, textOption } from '../../lib/command-line/shared-options.js';

export const OPTIONS = {
  data: { value: 'DIR', help: 'pictures to train on, one sub-folder a class (default: the bundled ones)' },
  test: { value: 'DIR', help: 'pictures to predict, the same sub-folders (default: the bundled ones)' },
  scenes: {
    value: 'FILE',
    help: 'JSON, { "scenes": { "name": ["Class/file.png", …] } }: whole scenes are held out (default: single pictures)',
  },
  epochs: { value: 'N', help: 'of the recipe that learns the wrenches (default 400 with --data, 40 without)' },
  seeds: { value: 'N', help: 'partitions by which that is judged (default 3 with --data, 1 without)' },
  device: DEVICE_OPTION,
  out: { value: 'DIR', help: 'where results are written (default runs/reproduce)' },
} as const satisfies Readonly<Record<string, OptionHelp>>;

/** What is to be done. */
export interface ReproduceOptions {
  readonly data: string;
  /** Left out, nothing is predicted. */
  readonly test?: string;
  readonly scenes?: string;
  readonly epochs: number;
  readonly seeds: number;
  readonly device?: DeviceRequest;
  readonly out: string;
}

/** Reads the command line; undefined where help was asked for. Throws OptionError for what it does not know. */
export function readOptions(args: readonly string[]): ReproduceOptions | undefined {
  const given = parseOptions(args, OPTIONS);
  if (given.help) return undefined;
  const data = textOption(given.data);
  const test = textOption(given.test) ?? (data === undefined ? bundled('test') : undefined);
  const scenes = textOption(given.scenes);
  const device = deviceOption(given.device);
  const whole = { min: 1, max: 100_000, isWhole: true };
  return {
    data: data ?? bundled('train'),
    ...(test !== undefined && { test }),
    ...(scenes !== undefined && { scenes }),
    epochs: numberOption('epochs', given.epochs, data === undefined ? 40 : 400, whole),
    seeds: numberOption('seeds', given.seeds, data === undefined ? 1 : 3, whole),
    ...(device && { device }),
    out: textOption(given.out) ?? 'runs/reproduce',
  };
}

function bundled(part: 'train' | 'test'): string {
  return fileURLToPath(new URL(`../pictures/${part}`, import.meta.url));
}

import { type DeviceRequest, OptionError } from '../index.js';
import { printable } from '../printable.js';
import { suggest } from '../suggest.js';
import { numberOption, type OptionHelp, type OptionValues } from './arguments.js';
import { Output } from './output.js';

/** Where a command computes. */
export const DEVICE_OPTION = {
  value: 'auto|cpu|webgpu',
  help: 'default auto: a hardware GPU if there is one, else the CPU',
} as const satisfies OptionHelp;

/** How an answer comes about. */
export const VIEWS_OPTION = {
  value: '1|2|8',
  help: 'views of a picture that an answer is the mean of: it, its mirror image, their quarter turns (default 1)',
} as const satisfies OptionHelp;

const VIEWS = { '1': 1, '2': 2, '8': 8 } as const;
const VIEW_NAMES = Object.keys(VIEWS) as readonly (keyof typeof VIEWS)[];

/** How many views of a picture an answer is the mean of. */
export type ViewCount = (typeof VIEWS)[keyof typeof VIEWS];

/** `--views` */
export function viewsOption(value: string | true | undefined): ViewCount {
  return VIEWS[oneOfOption('views', value, VIEW_NAMES) ?? '1'];
}

/** How much a command says. */
export const OUTPUT_OPTIONS = {
  json: { help: 'one JSON document on standard output, and nothing else there' },
  quiet: { help: 'results and errors only' },
  verbose: { help: 'say more' },
} as const satisfies Readonly<Record<string, OptionHelp>>;

/** What a command line says of how much is to be said. Throws OptionError where it contradicts itself. */
export function outputFor({ json, quiet, verbose }: OptionValues<keyof typeof OUTPUT_OPTIONS>): Output {
  if (quiet && verbose) throw new OptionError('--quiet and --verbose contradict each other');
  return new Output({ json: json === true, quiet: quiet === true, verbose: verbose === true });
}

/** A text that is given, else undefined. */
export function textOption(value: string | true | undefined): string | undefined {
  return value === true ? undefined : value;
}

/** A number from 0 to less than 1. */
export function shareOption(name: string, value: string | true | undefined, otherwise: number): number {
  return numberOption(name, value, otherwise, { min: 0, max: 1, belowMax: true });
}

/** One of a few words, where it is given. Throws OptionError for another one, with the right one where one is like it. */
export function oneOfOption<Word extends string>(
  name: string,
  value: string | true | undefined,
  words: readonly Word[],
): Word | undefined {
  const given = textOption(value);
  if (given === undefined) return undefined;
  const found = words.find((word) => word === given);
  if (found !== undefined) return found;
  throw new OptionError(`--${name} ${printable(given)}: expected ${listed(words)}${suggest(given, words)}`);
}

/** `auto, cpu or webgpu` */
export function listed(words: readonly string[]): string {
  return [words.slice(0, -1).join(', '), ...words.slice(-1)].filter((part) => part !== '').join(' or ');
}

/** `--device` */
export function deviceOption(value: string | true | undefined): DeviceRequest | undefined {
  return oneOfOption<DeviceRequest>('device', value, ['auto', 'cpu', 'webgpu']);
}

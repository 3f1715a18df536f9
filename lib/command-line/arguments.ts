import { parseArgs } from 'node:util';
import { KernelwrightError, OptionError } from '../errors.js';
import { printable } from '../printable.js';
import { suggest } from '../suggest.js';

/** What shells report for a program that Ctrl-C ended: 128 + SIGINT. */
export const INTERRUPTED = 130;

/** One option of a command: what its value is called in the help (nothing for a switch), and what it does. */
export interface OptionHelp {
  readonly value?: string;
  readonly help: string;
}

/** The values of a command line: strings for options with a value, true for switches. */
export type OptionValues<Names extends string> = Partial<Record<Names, string | true>>;

/** What a command line says. */
export interface CommandLine<Names extends string> {
  readonly values: OptionValues<Names>;
  /** What belongs to no option, in its order. */
  readonly words: readonly string[];
}

/**
 * Reads `--name value` and `--switch` arguments, and the words between them. Throws OptionError for an unknown option,
 * with the right one if there is one like it, and for a missing value. `--help`, also `-h`, is always known.
 */
export function parseCommandLine<Names extends string>(
  args: readonly string[],
  options: Readonly<Record<Names, OptionHelp>>,
): CommandLine<Names | 'help'> {
  const known: Readonly<Record<string, OptionHelp>> = { ...options, help: { help: 'print this and exit' } };
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    options: {
      ...Object.fromEntries(
        Object.entries(known).map(([name, { value }]) => [name, { type: value === undefined ? 'boolean' : 'string' }]),
      ),
      help: { type: 'boolean', short: 'h' },
    },
  });
  const values: Record<string, string | true> = {};
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(known, token.name) ? known[token.name] : undefined;
    if (!option) {
      const names = Object.keys(known).map((name) => `--${name}`);
      throw new OptionError(`unknown option '${printable(token.rawName)}'${suggest(token.rawName, names)}`);
    }
    if (option.value === undefined) {
      if (token.value !== undefined) throw new OptionError(`--${token.name} takes no value`);
      values[token.name] = true;
    } else {
      if (token.value === undefined || token.value === '')
        throw new OptionError(`--${token.name} needs a value: ${option.value}`);
      values[token.name] = token.value;
    }
  }
  return { values: values as OptionValues<Names | 'help'>, words };
}

/** {@link parseCommandLine} for a command that takes options only: throws OptionError for any other word. */
export function parseOptions<Names extends string>(
  args: readonly string[],
  options: Readonly<Record<Names, OptionHelp>>,
): OptionValues<Names | 'help'> {
  const {
    values,
    words: [word],
  } = parseCommandLine(args, options);
  if (word !== undefined) throw new OptionError(`'${printable(word)}' belongs to no option`);
  return values;
}

/**
 * The words of a command line, of which it takes `least` to `most`. Throws OptionError for fewer, with what is `expected`, and
 * for more.
 */
export function checkWords(words: readonly string[], expected: string, least: number, most = Infinity): void {
  if (words.length < least) throw new OptionError(`expected ${expected}`);
  const surplus = words[most];
  if (surplus !== undefined)
    throw new OptionError(`'${printable(surplus)}' is one word too many: expected ${expected}`);
}

/** The options as they are printed by `--help`. */
export function helpText(usage: string, options: Readonly<Record<string, OptionHelp>>): string {
  const lines = Object.entries(options).map(([name, { value, help }]) => {
    const left = `  --${name}${value === undefined ? '' : ` ${value}`}`;
    return `${left.padEnd(28)}${help}`;
  });
  return [`usage: ${usage}`, ...lines].join('\n');
}

/** What a number option may be. */
export interface NumberRange {
  readonly min: number;
  readonly max?: number;
  readonly isWhole?: boolean;
  /** Whether `max` itself is excluded. */
  readonly belowMax?: boolean;
}

/** The value of a number option. Throws OptionError naming the option, the value and what is allowed. */
export function numberOption(
  name: string,
  text: string | true | undefined,
  otherwise: number,
  range: NumberRange,
): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  const { min, max = Infinity, isWhole = false, belowMax = false } = range;
  const fits =
    text !== true &&
    text.trim() !== '' &&
    Number.isFinite(value) &&
    value >= min &&
    (belowMax ? value < max : value <= max);
  if (fits && (!isWhole || Number.isSafeInteger(value))) return value;
  const kind = isWhole ? 'a whole number' : 'a number';
  const top = max === Infinity ? ` of ${min} or more` : ` from ${min} to ${belowMax ? 'less than ' : ''}${max}`;
  throw new OptionError(`--${name} ${printable(String(text))}: expected ${kind}${top}`);
}

/**
 * Runs a program. A user's mistake is one message without a stack trace: exit code 2 where the command line is wrong,
 * 1 for everything else.
 */
export async function runProgram(name: string, main: (args: readonly string[]) => Promise<number>): Promise<void> {
  process.stdout.on('error', endQuietly);
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof KernelwrightError)) throw error;
    console.error(`${name}: ${error.message}`);
    process.exitCode = error instanceof OptionError ? 2 : 1;
  }
}

/** Whoever read the output has seen enough (`| head`): what comes now is for nobody. */
function endQuietly(error: unknown): void {
  if (!isClosedPipe(error)) throw error;
  process.exit();
}

/** A program whose output is not all that it does goes on when nobody reads it any more. */
export function outliveReader(): void {
  process.stdout.off('error', endQuietly);
  process.stdout.on('error', (error) => {
    if (!isClosedPipe(error)) throw error;
  });
}

function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}

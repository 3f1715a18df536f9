import { OptionError } from './errors.js';
import { printable } from './printable.js';
import { suggest } from './suggest.js';

/** What the value of an option must be. */
export interface OptionRule {
  /** In words, behind "must be". */
  readonly expected: string;
  readonly accepts: (value: unknown) => boolean;
  /** It may not be left out. Default false. */
  readonly required?: boolean;
}

/** A rule for each option that there is: the names stand here once more, and the compiler holds them to the type's. */
export type OptionRules<O> = Readonly<Record<keyof Required<O>, OptionRule>>;

/**
 * Throws OptionError where `options` is no object, has an option that `caller` does not know (with the right name, if
 * there is one like it), or a value that its rule does not accept. An option that is undefined counts as left out.
 */
export function checkOptions<O extends object>(caller: string, options: O, rules: OptionRules<O>): void {
  if (!isRecord(options)) throw new OptionError(`${caller}: options must be an object, found ${show(options)}`);
  const known = Object.keys(rules);
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const takes = known.length === 0 ? 'it takes no options' : `it takes ${known.join(', ')}`;
    throw new OptionError(`${caller}: unknown option '${name}'${suggest(name, known) || `; ${takes}`}`);
  }
  for (const [name, rule] of Object.entries<OptionRule>(rules)) {
    const value = options[name];
    if (value === undefined ? rule.required !== true : rule.accepts(value)) continue;
    throw new OptionError(`${caller}: ${name} must be ${rule.expected}, found ${show(value)}`);
  }
}

/** Throws OptionError unless the argument `name` of `caller` is what the rule says: for arguments that are no options. */
export function checkArgument(caller: string, name: string, value: unknown, rule: OptionRule): void {
  if (rule.accepts(value)) return;
  throw new OptionError(`${caller}: ${name} must be ${rule.expected}, found ${show(value)}`);
}

/** Throws OptionError where `caller`, which takes no options, was given some. */
export function refuseOptions(caller: string, unexpected: readonly unknown[]): void {
  if (unexpected.length === 0) return;
  throw new OptionError(`${caller} takes no options, found ${unexpected.map(show).join(', ')}`);
}

/** The same rule for an option that must be given. */
export function required(rule: OptionRule): OptionRule {
  return { ...rule, required: true };
}

/** The same rule for an option that may be null, too. */
export function nullable(rule: OptionRule): OptionRule {
  return { ...rule, accepts: (value) => value === null || rule.accepts(value), expected: `${rule.expected} or null` };
}

/** True or false. */
export const boolean: OptionRule = {
  expected: 'true or false',
  accepts: (value) => typeof value === 'boolean',
};

export const text: OptionRule = { expected: 'a text', accepts: (value) => typeof value === 'string' };

export const callback: OptionRule = { expected: 'a function', accepts: (value) => typeof value === 'function' };

/** Bounds of a number, both of them included unless it says otherwise. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
  /** The number must be above it. */
  readonly above?: number;
  /** The number must be below it. */
  readonly below?: number;
}

/** A finite number. */
export function number(bounds: Bounds = {}): OptionRule {
  return {
    expected: `a number${boundsText(bounds)}`,
    accepts: (value) => typeof value === 'number' && Number.isFinite(value) && isWithin(value, bounds),
  };
}

/** A whole number that a double holds exactly. */
export function wholeNumber(bounds: Bounds = {}): OptionRule {
  return {
    expected: `a whole number${boundsText(bounds)}`,
    accepts: (value) => typeof value === 'number' && Number.isSafeInteger(value) && isWithin(value, bounds),
  };
}

/** A whole number, or a list of them: axes. */
export const wholeNumbers: OptionRule = {
  expected: 'a whole number or a list of them',
  accepts: (value) => (Array.isArray(value) ? value : [value]).every((each) => Number.isSafeInteger(each)),
};

/** What random numbers are drawn from: a whole number from 0 to 2^53 - 1. */
export const seed = wholeNumber({ min: 0 });

/** One of a few words. */
export function oneOf(...words: readonly string[]): OptionRule {
  return {
    expected: words.map((word) => `'${word}'`).join(' or '),
    accepts: (value) => words.some((word) => word === value),
  };
}

/** An array whose entries its own place checks. */
export const list: OptionRule = { expected: 'an array', accepts: Array.isArray };

/** Weights in a sum or a mean. */
export const weights: OptionRule = {
  expected: 'an array of numbers of 0 or more',
  accepts: (value) =>
    (Array.isArray(value) || value instanceof Float32Array) &&
    Array.from<unknown>(value).every((each) => typeof each === 'number' && each >= 0 && each < Infinity),
};

export const texts: OptionRule = {
  expected: 'an array of texts',
  accepts: (value) => Array.isArray(value) && Array.from<unknown>(value).every((entry) => typeof entry === 'string'),
};

/** An object of a class. */
export function instanceOf(type: abstract new (...parameters: never[]) => object, expected: string): OptionRule {
  return { expected, accepts: (value) => value instanceof type };
}

/** The contents of a file. */
export const bytes = instanceOf(Uint8Array, 'a Uint8Array');

/** Whatever its own place checks. */
export const anything: OptionRule = { expected: 'anything', accepts: () => true };

/** A value as error messages show it: short, whatever it is. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  // Nobody keeps an object from having no prototype, or a `constructor` of its own.
  const type: unknown = 'constructor' in value ? value.constructor : undefined;
  return typeof type === 'function' && type !== Object && type.name !== '' ? `a ${printable(type.name)}` : 'an object';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function isWithin(value: number, { min, max, above, below }: Bounds): boolean {
  return (
    (min === undefined || value >= min) &&
    (max === undefined || value <= max) &&
    (above === undefined || value > above) &&
    (below === undefined || value < below)
  );
}

function boundsText({ min, max, above, below }: Bounds): string {
  const lower = above !== undefined ? ` above ${above}` : min !== undefined ? ` of ${min} or more` : '';
  const upper = below !== undefined ? ` below ${below}` : max !== undefined ? ` of ${max} or less` : '';
  return lower && upper ? `${lower} and${upper}` : lower + upper;
}

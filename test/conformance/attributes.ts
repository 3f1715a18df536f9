import { DataError } from '../../lib/errors.js';
import type { Values } from './compare.js';

/** The attributes of a case, read with their types. Every method throws DataError naming case and attribute. */
export class Attributes {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #where: string;

  /** @param where the case, for messages */
  constructor(values: Readonly<Record<string, unknown>>, where: string) {
    this.#values = values;
    this.#where = where;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#values, name);
  }

  /** A number; `fallback` where it is missing or null. */
  number(name: string, fallback?: number): number {
    const value = this.#values[name] ?? fallback;
    if (typeof value !== 'number') throw this.#fault(name, 'a number');
    return value;
  }

  boolean(name: string, fallback?: boolean): boolean {
    const value = this.#values[name] ?? fallback;
    if (typeof value !== 'boolean') throw this.#fault(name, 'true or false');
    return value;
  }

  text(name: string): string {
    const value = this.#values[name];
    if (typeof value !== 'string') throw this.#fault(name, 'a text');
    return value;
  }

  /** One of the allowed words; `fallback` where it is missing. */
  choice<T extends string>(name: string, allowed: readonly T[], fallback: T): T {
    const value = this.#values[name] ?? fallback;
    const found = allowed.find((word) => word === value);
    if (found === undefined) throw this.#fault(name, allowed.join(' or '));
    return found;
  }

  numbers(name: string): readonly number[] {
    const value = this.#values[name];
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'number')) {
      throw this.#fault(name, 'a list of numbers');
    }
    return value;
  }

  /** Height and width. */
  pair(name: string): readonly [height: number, width: number] {
    const [height, width, ...others] = this.numbers(name);
    if (height === undefined || width === undefined || others.length > 0) throw this.#fault(name, 'two numbers');
    return [height, width];
  }

  /** Zeros around a picture: the same on both sides, or side by side where the case says them so. */
  padding(): readonly [height: number, width: number] | readonly [number, number, number, number] {
    const sides = 'pad_top_bottom_left_right';
    if (!this.has(sides)) return this.pair('padding');
    const [top, bottom, left, right] = this.numbers(sides);
    if (top === undefined || bottom === undefined || left === undefined || right === undefined) {
      throw this.#fault(sides, 'four numbers');
    }
    return [top, bottom, left, right];
  }

  /** A list of lists of numbers, all as long. */
  rows(name: string): Values {
    const value: unknown = this.#values[name];
    const rows = Array.isArray(value) ? value : [];
    const [first] = rows as unknown[];
    const columns = Array.isArray(first) ? first.length : 0;
    const data: unknown[] = rows.flat();
    if (columns * rows.length !== data.length || !data.every((item) => typeof item === 'number')) {
      throw this.#fault(name, 'rows of numbers');
    }
    return { shape: [rows.length, columns], data };
  }

  /** A list of objects, each as attributes of its own. */
  list(name: string): readonly Attributes[] {
    const value = this.#values[name];
    if (!Array.isArray(value)) throw this.#fault(name, 'a list of objects');
    return value.map((item: unknown, i) => this.#within(name, item, `${name}[${i}]`));
  }

  /** The attributes in an object. */
  record(name: string): Attributes {
    return this.#within(name, this.#values[name], name);
  }

  /** The names of all attributes. */
  get names(): string[] {
    return Object.keys(this.#values);
  }

  #within(name: string, item: unknown, place: string): Attributes {
    if (typeof item !== 'object' || item === null) throw this.#fault(name, 'made of objects');
    return new Attributes({ ...item }, `${this.#where}: ${place}`);
  }

  /** A list of texts, in which null stands for 'none'. */
  texts(name: string): readonly string[] {
    const value = this.#values[name];
    const texts = Array.isArray(value) ? value.map((item: unknown) => item ?? 'none') : [null];
    if (!texts.every((item) => typeof item === 'string')) throw this.#fault(name, 'a list of texts');
    return texts;
  }

  /** Axes to reduce: one, a list, or null for all. */
  axes(name: string): number | readonly number[] | null {
    const value = this.#values[name] ?? null;
    return value === null || typeof value === 'number' ? value : this.numbers(name);
  }

  #fault(name: string, expected: string): DataError {
    const found = name in this.#values ? JSON.stringify(this.#values[name]) : 'nothing';
    return new DataError(`${this.#where}: attribute '${name}' must be ${expected}, found ${found}`);
  }
}

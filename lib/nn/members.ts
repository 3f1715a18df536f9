import { OptionError } from '../errors.js';
import { show } from '../options.js';
import type { Variable } from '../variable.js';
import type { Module } from './module.js';

/** A path below another one: `fc1` and `weight` give `fc1.weight`. */
export function joinPath(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/**
 * What stands in the fields of an object, and inside of arrays, Maps, Sets and plain objects there, by its path:
 * `blocks.0`, `heads.left`. Objects of other classes and private fields are not looked into.
 *
 * Throws OptionError where a key on such a path is no name: no text or number, empty, or with a dot in it.
 */
export function membersOf<M>(owner: object, isMember: (value: unknown) => value is M): [path: string, member: M][] {
  const found: [string, M][] = [];
  const above = new Set<object>(); // a container inside of itself is not followed
  const visit = (entries: Iterable<readonly [unknown, unknown]>, keys: readonly unknown[]): void => {
    for (const [key, value] of entries) {
      if (isMember(value)) {
        found.push([[...keys, key].map((part) => nameOf(part, owner)).join('.'), value]);
        continue;
      }
      const inner = entriesOf(value);
      if (!inner || above.has(inner.container)) continue;
      above.add(inner.container);
      visit(inner.entries, [...keys, key]);
      above.delete(inner.container);
    }
  };
  visit(Object.entries(owner), []);
  return found;
}

interface Container {
  readonly container: object;
  readonly entries: Iterable<readonly [unknown, unknown]>;
}

function entriesOf(value: unknown): Container | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) return { container: value, entries: value.entries() };
  if (value instanceof Map) return { container: value, entries: value };
  if (value instanceof Set) return { container: value, entries: [...value].entries() };
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === Object.prototype || prototype === null;
  return isPlain ? { container: value, entries: Object.entries(value) } : undefined;
}

function nameOf(key: unknown, owner: object): string {
  const name = typeof key === 'number' ? String(key) : key;
  if (typeof name === 'string' && name !== '' && !name.includes('.')) return name;
  throw new OptionError(
    `${owner.constructor.name}: the key ${show(key)} cannot be part of a name such as blocks.left.weight: ` +
      'it must be a number, or a text without a dot',
  );
}

/**
 * A module and all in it, with paths that begin at `path`. One that stands in several places comes under the first of
 * them, or once under each; one that is inside of itself is not followed.
 */
export function* modulesIn(
  module: Module,
  which: 'first path' | 'every path',
  path = '',
  passed = new Set<Module>(),
): Generator<[path: string, module: Module]> {
  if (passed.has(module)) return;
  passed.add(module);
  yield [path, module];
  for (const [name, child] of module.children()) yield* modulesIn(child, which, joinPath(path, name), passed);
  if (which === 'every path') passed.delete(module);
}

/** The variables of modules by path. Throws OptionError where two are called the same. */
export function variablesIn(modules: Iterable<[path: string, module: Module]>): Map<string, Variable> {
  const variables = new Map<string, Variable>();
  for (const [path, module] of modules) {
    for (const [own, variable] of module.ownVariables()) {
      const name = joinPath(path, own);
      const namesake = variables.get(name);
      if (namesake && namesake !== variable) throw new OptionError(`two variables of the model are called ${name}`);
      variables.set(name, variable);
    }
  }
  return variables;
}

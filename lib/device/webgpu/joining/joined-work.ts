import { elementAt } from '../../../element-at.js';
import { bufferBytes } from '../array.js';
import type { Bound, Resource, Work } from '../work.js';
import type { EntryModule } from './wgsl-module.js';
import { accessors, isOfWords, isPlain, throughAccessors, WORDS } from './words.js';

/** A launch that becomes a part of another one. */
export interface Part {
  readonly work: Work;
  readonly module: EntryModule;
  /** Of a workgroup. */
  readonly invocations: number;
  readonly workgroupBytes: number;
  readonly workgroups: number;
}

/** A binding of the joined launch, and what its parts call it. */
export interface SharedBinding {
  readonly access: Bound['access'];
  readonly type: string;
  readonly resource: Resource;
  readonly names: readonly PartName[];
}

/** What a part calls a binding, and the type that it has there. */
interface PartName {
  readonly part: number;
  readonly name: string;
  readonly type: string;
}

/** WGSL: what an entry point may ask for, of the workgroup `group` and its invocation `lane`. */
export const BUILTINS: Readonly<Record<string, (invocations: number, workgroups: number) => string>> = {
  workgroup_id: () => 'vec3u(group, 0u, 0u)',
  num_workgroups: (_invocations, workgroups) => `vec3u(${workgroups}u, 1u, 1u)`,
  local_invocation_index: () => 'lane',
  local_invocation_id: () => 'vec3u(lane, 0u, 0u)',
  global_invocation_id: (invocations) => `vec3u(group * ${invocations}u + lane, 0u, 0u)`,
};

/**
 * The bindings of the parts. What one of them writes is bound once, because it cannot be bound beside itself: where parts know
 * it as different types, as words. What is only read is bound once for each type. Undefined where that cannot be done.
 */
export function sharedBindings(parts: readonly Part[]): SharedBinding[] | undefined {
  const memories = new Map<string, (PartName & { readonly bound: Bound })[]>();
  parts.forEach(({ work, module }, part) => {
    const names = ownNames(module, part);
    for (const { at, name, type } of module.bindings) {
      const bound = work.bindings.find((own) => own.at === at);
      if (!bound) continue; // a local variable has the same name
      const memory = memoryOf(bound, part);
      const known = memories.get(memory) ?? [];
      memories.set(memory, [...known, { part, name, type: withNames(type, names), bound }]);
    }
  });
  const shared: SharedBinding[] = [];
  for (const uses of memories.values()) {
    const isWritten = uses.some(({ bound }) => bound.access === 'write');
    const types = new Set(uses.map(({ type }) => type));
    const isAsWords = isWritten && types.size > 1;
    if (
      isAsWords &&
      !uses.every(({ part, name, type }) => isOfWords(type) && isOnlyIndexed(elementAt(parts, part), name))
    )
      return undefined;
    for (const type of isAsWords ? [WORDS] : types) {
      const names = isAsWords ? uses : uses.filter((use) => use.type === type);
      const bounds = names.map(({ bound }) => bound);
      const { access, resource } = bounds.reduce((most, own) => (bytesOf(own) > bytesOf(most) ? own : most));
      shared.push({ access: isWritten ? 'write' : access, type, resource, names });
    }
  }
  return shared;
}

function isOnlyIndexed({ module }: Part, name: string): boolean {
  return isPlain([...module.declarations.values(), module.body].join('\n'), name);
}

/** The memory behind a binding, in words. */
function memoryOf({ resource }: Bound, part: number): string {
  if (resource.kind === 'uniforms') return `uniforms ${part}`;
  return resource.kind === 'scratch' ? 'scratch' : `${resource.placed.place.kind} ${resource.placed.place.index}`;
}

/** What a buffer needs to be bound at least: parts may know the same slot as tensors of different sizes. */
function bytesOf({ resource }: Bound): number {
  return resource.kind === 'tensor' ? bufferBytes(resource.placed) : 0;
}

const SPACES = { read: 'storage, read', write: 'storage, read_write', uniform: 'uniform' } as const;

/**
 * The parts as one launch. Its text is made of theirs: what they declare gets the number of the part before its name, a
 * buffer is declared once, and an entry point becomes a function.
 */
function joined(
  parts: readonly Part[],
  bindings: readonly SharedBinding[],
  { invocations, workgroups }: { readonly invocations: number; readonly workgroups: number },
  body: readonly string[],
): Work {
  const buffers = bindings.map(
    ({ access, type }, at) => `@group(0) @binding(${at}) var<${SPACES[access]}> buffer${at}: ${type};`,
  );
  const functions = parts.map(({ module }, p) => {
    const names = new Map(ownNames(module, p));
    const asWords: { readonly name: string; readonly type: string; readonly at: number }[] = [];
    for (const [at, binding] of bindings.entries()) {
      for (const { part, name, type } of binding.names) {
        if (part !== p) continue;
        if (type === binding.type) names.set(name, `buffer${at}`);
        else asWords.push({ name: nameIn(p, name), type, at });
      }
    }
    return asWords.reduce(
      (own, { name, type, at }) => `${accessors(name, type, `buffer${at}`)}\n${throughAccessors(own, name)}`,
      wordsOf(module)
        .map((word) => names.get(word) ?? word)
        .join(''),
    );
  });
  const main = [
    `@compute @workgroup_size(${invocations})`,
    'fn joined(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) invocation: u32) {',
    ...body.map((line) => `  ${line}`),
    '}',
  ];
  const works = parts.map(({ work }) => work);
  return {
    operations: works.flatMap(({ operations }) => operations),
    kernel: {
      name: works.map(({ kernel }) => kernel.name).join(', '),
      code: [...buffers, ...functions, ...main, ''].join('\n'),
      entryPoint: 'joined',
    },
    constants: Object.fromEntries(parts.flatMap(constantsOf)),
    bindings: bindings.map(({ access, resource }, at) => ({ at, access, resource })),
    workgroups: [workgroups, 1, 1],
  };
}

/**
 * One workgroup with so many invocations computes the parts in turn, and the workgroups of a part in turn; those that are
 * smaller than itself side by side.
 */
export function inSequence(parts: readonly Part[], bindings: readonly SharedBinding[], invocations: number): Work {
  const calls = parts.map((part, p) => {
    const abreast = invocations / part.invocations;
    const isWhole = abreast === 1;
    const first = isWhole ? '0u' : `invocation / ${part.invocations}u`;
    // An invocation stands for one of each of several workgroups.
    const anew = part.workgroups > abreast ? part.module.privates : [];
    return [
      `for (var group = ${first}; group < ${part.workgroups}u; group += ${abreast}u) {`,
      `  let lane = ${isWhole ? 'invocation' : `invocation % ${part.invocations}u`};`,
      ...anew.map(({ name, initial }) => `  ${withNames(`${name} = ${initial};`, ownNames(part.module, p))}`),
      `  ${callOf(part, p)}`,
      ...(isWhole ? ['  workgroupBarrier();'] : []), // the next one uses the same workgroup memory
      '}',
    ];
  });
  const [first = [], ...others] = calls;
  const body = [...first, ...others.flatMap((call) => ['storageBarrier();', ...call])];
  return joined(parts, bindings, { invocations, workgroups: 1 }, body);
}

/** The workgroups of the parts, all of the same size, one behind the other in one launch, in no order of execution. */
export function sideBySide(parts: readonly Part[], bindings: readonly SharedBinding[]): Work {
  const { invocations } = elementAt(parts, 0);
  let start = 0;
  const body = parts.flatMap((part, p) => {
    const before = start;
    start += part.workgroups;
    return [
      `if (workgroup.x >= ${before}u && workgroup.x < ${start}u) {`,
      `  let group = workgroup.x - ${before}u;`,
      `  ${callOf(part, p)}`,
      '}',
    ];
  });
  return joined(parts, bindings, { invocations, workgroups: start }, ['let lane = invocation;', ...body]);
}

/** Whether parts could run in any order: none of them writes what another one binds. */
export function areIndependent(parts: readonly Part[]): boolean {
  const users = new Map<string, { readonly parts: Set<number>; isWritten: boolean }>();
  parts.forEach(({ work }, part) => {
    for (const bound of work.bindings) {
      const memory = memoryOf(bound, part);
      const own = users.get(memory) ?? { parts: new Set(), isWritten: false };
      users.set(memory, own);
      own.parts.add(part);
      own.isWritten ||= bound.access === 'write';
    }
  });
  return [...users.values()].every((own) => !own.isWritten || own.parts.size === 1);
}

/** WGSL: calls the entry point of a part for the workgroup `group` and the invocation `lane`. */
function callOf({ module, invocations, workgroups }: Part, part: number): string {
  const given = module.parameters.map(({ builtin }) => BUILTINS[builtin]?.(invocations, workgroups));
  return `${nameIn(part, 'entry')}(${given.join(', ')});`;
}

function constantsOf({ work, module }: Part, part: number): (readonly [string, number])[] {
  const own = Object.entries(work.constants).filter(([name]) => module.overrides.has(name));
  return own.map(([name, value]) => [nameIn(part, name), value]);
}

function nameIn(part: number, name: string): string {
  return `part${part}_${name}`;
}

const namesKept = new WeakMap<EntryModule, Map<number, ReadonlyMap<string, string>>>();

/** What a part declares, by the names that it has there. */
function ownNames(module: EntryModule, part: number): ReadonlyMap<string, string> {
  const kept = namesKept.get(module) ?? new Map<number, ReadonlyMap<string, string>>();
  namesKept.set(module, kept);
  const names =
    kept.get(part) ?? new Map([...module.declarations.keys(), 'entry'].map((name) => [name, nameIn(part, name)]));
  kept.set(part, names);
  return names;
}

const wordsKept = new WeakMap<EntryModule, readonly string[]>();

/** The declarations of a module without its buffers, and its entry point as a function, cut into names and what is between. */
function wordsOf(module: EntryModule): readonly string[] {
  const known = wordsKept.get(module);
  if (known) return known;
  const bound = new Set(module.bindings.map(({ name }) => name));
  const declared = [...module.declarations].filter(([name]) => !bound.has(name)).map(([, text]) => text);
  const parameters = module.parameters.map(({ name, type }) => `${name}: ${type}`).join(', ');
  const words = [...declared, `fn entry(${parameters}) ${module.body}`].join('\n').split(NAMES);
  wordsKept.set(module, words);
  return words;
}

/** A name, or one of the language behind an `@`, as a part of its own where a text is split. */
const NAMES = /((?:@\s*)?\b[A-Za-z_]\w*)/;

/** Other names in place of these. */
function withNames(text: string, names: ReadonlyMap<string, string>): string {
  return text
    .split(NAMES)
    .map((word) => names.get(word) ?? word)
    .join('');
}

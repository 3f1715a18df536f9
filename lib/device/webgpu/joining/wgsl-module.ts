/** A declaration at the top of a WGSL text. */
interface Declaration {
  readonly text: string;
  /** The identifiers in it. */
  readonly words: ReadonlySet<string>;
  /** Those that are called: a local variable may be named like a function. */
  readonly called: ReadonlySet<string>;
  readonly isFunction: boolean;
}

/** A buffer that a WGSL text binds. */
export interface ModuleBinding {
  readonly at: number;
  readonly access: 'read' | 'write' | 'uniform';
  readonly name: string;
  /** With aliases put in. */
  readonly type: string;
}

/** A variable that each invocation has of its own, and what it begins with. */
export interface PrivateVariable {
  readonly name: string;
  readonly initial: string;
}

/** A parameter of an entry point, and what the GPU gives for it. */
export interface EntryParameter {
  readonly name: string;
  readonly builtin: string;
  readonly type: string;
}

/** What of a WGSL text an entry point needs: its declarations, and how it is launched. */
export interface EntryModule {
  readonly declarations: ReadonlyMap<string, string>;
  readonly bindings: readonly ModuleBinding[];
  readonly privates: readonly PrivateVariable[];
  /** Names of the overrides among the declarations. */
  readonly overrides: ReadonlySet<string>;
  readonly parameters: readonly EntryParameter[];
  readonly body: string;
  /** Invocations of a workgroup, where they are known from the text, and one-dimensional. */
  readonly invocations: number | undefined;
  readonly hasBarriers: boolean;
  /** Bytes of workgroup memory; undefined where the text does not tell, because sizes are overrides. */
  readonly workgroupBytes: number | undefined;
}

const DECLARED = /\b(?:(?:fn|struct|alias|const|override)\s+|var\s*(?:<[^>]*>)?\s*)(\w+)/;
const BINDING =
  /@group\(0\)\s*@binding\((\d+)\)\s*var<\s*(uniform|storage\s*,\s*read|storage\s*,\s*read_write)\s*>\s*(\w+)\s*:\s*([^;]*);/;
const PRIVATE = /var<private>\s*(\w+)\s*(?::\s*([^=;]+))?(?:=\s*([^;]+))?;/;
const WORKGROUP = /var<workgroup>\s*\w+\s*:\s*([^;]*);/;
const ENTRY = /@workgroup_size\(([^)]*)\)\s*fn\s+\w+\s*\(([\s\S]*?)\)\s*(\{[\s\S]*\})$/;
const PARAMETER = /@builtin\((\w+)\)\s*(\w+)\s*:\s*(\w+)/g;

/**
 * Takes a WGSL text apart: it knows so much of the language as the files in kernels/ use. Undefined where the text asks for
 * an extension of the language, which is a matter of the whole module.
 */
export function entryModule(code: string, entryPoint: string): EntryModule | undefined {
  if (/^\s*(?:enable|requires|diagnostic)\b/m.test(code)) return undefined;
  const all = declarationsOf(code);
  const entry = all.get(entryPoint);
  const parts = ENTRY.exec(entry?.text ?? '');
  if (!entry || !parts) return undefined;
  const [, size = '', parameters = '', body = ''] = parts;
  const needed = reachedFrom(entry, all);
  const texts = new Map([...needed].map(([name, { text }]) => [name, text]));
  const meaningOf = (name: string): string | undefined => {
    const [, kind, meaning = ''] = /^(alias|const)\s+\w+[^=]*=\s*([^;]*);/.exec(all.get(name)?.text ?? '') ?? [];
    return kind === 'const' ? `(${meaning})` : kind && meaning;
  };
  const own = [...texts.values(), body];
  return {
    declarations: texts,
    bindings: [...texts.values()].flatMap((text) => bindingOf(text, meaningOf)),
    privates: [...texts.values()].flatMap(privateIn),
    overrides: new Set([...texts].filter(([, text]) => /^(?:@[^;]*\s)?override\b/.test(text)).map(([name]) => name)),
    parameters: [...parameters.matchAll(PARAMETER)].map(([, builtin = '', name = '', type = '']) => ({
      name,
      builtin,
      type,
    })),
    body,
    invocations: wholeNumber(expanded(size, meaningOf)),
    hasBarriers: own.some((text) => /\b\w*Barrier\s*\(|\bworkgroupUniformLoad\b|var<workgroup>/.test(text)),
    workgroupBytes: sumOf([...texts.values()].map((text) => workgroupBytesOf(text, meaningOf))),
  };
}

function declarationsOf(code: string): Map<string, Declaration> {
  const text = code.replace(/\/\/[^\n]*/g, '');
  const declarations = new Map<string, Declaration>();
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const letter = text.charAt(at);
    if (letter === '{') depth++;
    if (letter === '}') depth--;
    if (depth > 0 || (letter !== '}' && letter !== ';')) continue;
    const declaration = text.slice(start, at + 1).trim();
    start = at + 1;
    const name = DECLARED.exec(declaration)?.[1];
    if (name === undefined) continue;
    declarations.set(name, {
      text: declaration,
      words: new Set(declaration.match(/\b[A-Za-z_]\w*/g)),
      called: new Set(declaration.match(/\b[A-Za-z_]\w*(?=\s*\()/g)),
      isFunction: /\bfn\s/.test(declaration),
    });
  }
  return declarations;
}

/** What a declaration needs, in the order of the text. */
function reachedFrom(entry: Declaration, all: ReadonlyMap<string, Declaration>): [string, Declaration][] {
  const reached = new Set<Declaration>([entry]);
  for (const { words, called } of reached) {
    for (const word of words) {
      const declaration = all.get(word);
      if (declaration && (!declaration.isFunction || called.has(word))) reached.add(declaration);
    }
  }
  return [...all].filter(([, declaration]) => declaration !== entry && reached.has(declaration));
}

/** A type or an expression, without blanks, and with what aliases and constants stand for. */
function expanded(text: string, meaningOf: (name: string) => string | undefined): string {
  return text.replace(/\s+/g, '').replace(/\b[A-Za-z_]\w*/g, (word) => {
    const meaning = meaningOf(word);
    return meaning === undefined ? word : expanded(meaning, meaningOf);
  });
}

function bindingOf(text: string, meaningOf: (name: string) => string | undefined): ModuleBinding[] {
  const found = BINDING.exec(text);
  if (!found) return [];
  const [, at = '', space = '', name = '', type = ''] = found;
  const access = space === 'uniform' ? 'uniform' : space.endsWith('read_write') ? 'write' : 'read';
  return [{ at: Number(at), access, name, type: expanded(type, meaningOf) }];
}

/** What says no value begins with zeros. */
function privateIn(text: string): PrivateVariable[] {
  const [, name, type = '', initial = `${type.trim()}()`] = PRIVATE.exec(text) ?? [];
  return name === undefined ? [] : [{ name, initial: initial.trim() }];
}

/** Bytes of the types that workgroup memory holds; a vec3f lies as wide as a vec4f. */
const BYTES: Readonly<Record<string, number>> = { f32: 4, i32: 4, u32: 4, vec2: 8, vec3: 16, vec4: 16 };

function workgroupBytesOf(text: string, meaningOf: (name: string) => string | undefined): number | undefined {
  const declared = WORKGROUP.exec(text)?.[1];
  if (declared === undefined) return 0;
  const type = expanded(declared, meaningOf);
  const [, element = type, length = '1'] = /^array<(\w+),(.+)>$/.exec(type) ?? [];
  const [bytes, count] = [BYTES[element] ?? BYTES[element.slice(0, 4)], wholeNumber(length)];
  return bytes === undefined || count === undefined ? undefined : bytes * count;
}

function sumOf(values: readonly (number | undefined)[]): number | undefined {
  return values.reduce((sum, value) => (sum === undefined || value === undefined ? undefined : sum + value), 0);
}

/** The value of an expression of whole numbers; undefined where there is something else in it. */
function wholeNumber(expression: string): number | undefined {
  const tokens = expression.match(/\d+|[-+*/()]/g) ?? [];
  if (tokens.join('') !== expression.replace(/(\d)u/g, '$1')) return undefined;
  let at = 0;
  const take = (...expected: readonly string[]): string | undefined =>
    expected.includes(tokens[at] ?? '') ? tokens[at++] : undefined;
  const factor = (): number => {
    if (!take('(')) return Number(tokens[at++]);
    const value = sum();
    return take(')') ? value : NaN;
  };
  const product = (): number => {
    let value = factor();
    for (let sign = take('*', '/'); sign; sign = take('*', '/')) {
      const next = factor();
      value = sign === '*' ? value * next : Math.trunc(value / next);
    }
    return value;
  };
  const sum = (): number => {
    let value = product();
    for (let sign = take('+', '-'); sign; sign = take('+', '-')) {
      const next = product();
      value = sign === '+' ? value + next : value - next;
    }
    return value;
  };
  const value = sum();
  return at === tokens.length && Number.isInteger(value) ? value : undefined;
}

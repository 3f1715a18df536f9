/** Sees to it that kernels write workgroup memory before they read it: it begins with what no kernel can compute with. */

/** A NaN as a float, larger than any size as a number, in a variable, so that the compiler does not know it. */
const POISON = 'var<private> poisonWord: u32 = 0xffc12345u;\n';

/** From now on, the workgroup memory of all kernels that are compiled on a device is {@link poisoned}. */
export function poisonWorkgroupMemory(gpu: GPUDevice): void {
  const createShaderModule = gpu.createShaderModule.bind(gpu);
  Object.assign(gpu, {
    createShaderModule: (descriptor: GPUShaderModuleDescriptor) =>
      createShaderModule({ ...descriptor, code: poisoned(descriptor.code) }),
  });
}

/** The kernel with entry points that fill all workgroup memory that they reach with NaN and huge numbers first. */
export function poisoned(code: string): string {
  const text = code.replace(/\/\/[^\n]*/g, '');
  const variables = new Map(
    Array.from(text.matchAll(/var<workgroup>\s+(\w+)\s*:\s*([^;]+);/g), ([, name = '', type = '']) => [name, type]),
  );
  if (variables.size === 0) return text;
  const functions = functionsOf(text);
  let filled = '';
  let end = 0;
  for (const [name, { parameters, open, close }] of functions) {
    const [, size] = /@workgroup_size\(([^)]*)\)\s*fn\s+\w+\s*$/.exec(text.slice(end, parameters)) ?? [];
    const reached = size === undefined ? [] : reachedFrom(name, functions).filter((word) => variables.has(word));
    if (size === undefined || reached.length === 0) continue;
    const given = text.slice(parameters, open);
    const [, own] = /@builtin\(local_invocation_index\)\s*(\w+)/.exec(given) ?? [];
    const lane = own ?? 'poisonLane';
    const count = size.split(',').map((each) => `u32(${each})`);
    const fills = reached.map((variable) =>
      fillOf(variable, variables.get(variable) ?? '', lane, count.join(' * '), text),
    );
    filled += text.slice(end, parameters);
    filled += own === undefined ? given.replace('(', `(@builtin(local_invocation_index) ${lane}: u32, `) : given;
    filled += `{\n${fills.join('')}  workgroupBarrier();\n${text.slice(open + 1, close)}`;
    end = close;
  }
  const enables = /^(?:\s*enable [^;]*;)*/.exec(filled + text.slice(end))?.[0] ?? '';
  return `${enables}\n${POISON}${(filled + text.slice(end)).slice(enables.length)}`;
}

/** Where a function's parameters, its body and what follows begin, and the words in it. */
interface FunctionText {
  readonly parameters: number;
  readonly open: number;
  readonly close: number;
  readonly words: ReadonlySet<string>;
}

function functionsOf(text: string): Map<string, FunctionText> {
  const functions = new Map<string, FunctionText>();
  for (const { 0: head, 1: name = '', index } of text.matchAll(/\bfn\s+(\w+)\s*(?=\()/g)) {
    const parameters = index + head.length;
    const open = text.indexOf('{', endOf(text, parameters, '(', ')'));
    const close = endOf(text, open, '{', '}');
    functions.set(name, { parameters, open, close, words: new Set(text.slice(open, close).match(/\b[A-Za-z_]\w*/g)) });
  }
  return functions;
}

/** Where the bracket that opens at `start` is closed. */
function endOf(text: string, start: number, opening: string, closing: string): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text[at] === opening) depth++;
    if (text[at] === closing && --depth === 0) return at;
  }
  throw new Error(`a bracket is not closed: ${text.slice(start, start + 40)}`);
}

/** All words in a function and in those that it calls. */
function reachedFrom(name: string, functions: ReadonlyMap<string, FunctionText>): string[] {
  const reached = new Set([name]);
  for (const word of reached) for (const next of functions.get(word)?.words ?? []) reached.add(next);
  return [...reached];
}

/** Statements that fill a variable of workgroup memory, by all invocations. */
function fillOf(name: string, type: string, lane: string, invocations: string, text: string): string {
  const [, element, length] = /^array<\s*(.+?)\s*,\s*([^,]+?)\s*>$/s.exec(type.trim()) ?? [];
  if (element === undefined || length === undefined)
    return `  if (${lane} == 0u) { ${name} = ${valueOf(type, text)}; }\n`;
  const loop = `for (var poisonAt = ${lane}; poisonAt < u32(${length}); poisonAt += ${invocations})`;
  return `  ${loop} { ${name}[poisonAt] = ${valueOf(element, text)}; }\n`;
}

/** WGSL: a value of a type, made of the poison. */
function valueOf(given: string, text: string): string {
  const type = given.trim();
  if (type === 'u32') return 'poisonWord';
  if (type === 'f32' || type === 'i32') return `bitcast<${type}>(poisonWord)`;
  const [, size, short, long] = /^vec([234])(?:([fiu])|<(\w+)>)$/.exec(type) ?? [];
  if (size !== undefined) return `${type}(${valueOf(long ?? `${short ?? ''}32`, text)})`;
  const [, meaning] = new RegExp(`\\balias\\s+${type}\\s*=\\s*([^;]+);`).exec(text) ?? [];
  if (meaning !== undefined) return valueOf(meaning, text);
  const [, fields] = new RegExp(`\\bstruct\\s+${type}\\s*\\{([^}]*)\\}`).exec(text) ?? [];
  if (fields === undefined) throw new Error(`workgroup memory of the type ${type} cannot be poisoned`);
  const types = fields.match(/:\s*[^,]+/g) ?? [];
  return `${type}(${types.map((field) => valueOf(field.slice(1), text)).join(', ')})`;
}

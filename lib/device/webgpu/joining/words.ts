/**
 * A buffer that one kernel knows as numbers and another one as vectors, or as whole numbers, is an array of words where
 * both are joined: their texts read and write it through functions.
 */

/** The type of a buffer of words. */
export const WORDS = 'array<u32>';

/** How elements of an array of this type lie in words; undefined for types that kernels here do not join as such. */
function layoutOf(type: string): { readonly element: string; readonly count: number } | undefined {
  const [, element = '', width = ''] = /^array<([fiu]32|vec([24])[fiu])>$/.exec(type) ?? [];
  if (element === '') return undefined;
  return { element, count: Number(width || 1) };
}

/** Whether arrays of this type can be read and written as words. */
export function isOfWords(type: string): boolean {
  return layoutOf(type) !== undefined;
}

/** Whether a text does nothing with an array but to read and write elements. */
export function isPlain(text: string, name: string): boolean {
  const pointer = new RegExp(`&\\s*${name}\\b`);
  const part = new RegExp(`\\b${name}\\s*\\[[^;{]*\\]\\s*\\.\\s*\\w+\\s*[-+*/]?=(?!=)`);
  return !pointer.test(text) && !part.test(text);
}

/** WGSL: functions `NAME_load` and `NAME_store` for elements of such an array in the words of a buffer. */
export function accessors(name: string, type: string, buffer: string): string {
  const layout = layoutOf(type);
  if (!layout) throw new Error(`${type} cannot be read as words`);
  const { element, count } = layout;
  if (count === 1) {
    return `fn ${name}_load(i: u32) -> ${element} {
  return bitcast<${element}>(${buffer}[i]);
}
fn ${name}_store(i: u32, value: ${element}) {
  ${buffer}[i] = bitcast<u32>(value);
}`;
  }
  const words = Array.from({ length: count }, (_, lane) => `${buffer}[${count}u * i + ${lane}u]`);
  return `fn ${name}_load(i: u32) -> ${element} {
  return bitcast<${element}>(vec${count}u(${words.join(', ')}));
}
fn ${name}_store(i: u32, value: ${element}) {
  let words = bitcast<vec${count}u>(value);
${words.map((word, lane) => `  ${word} = words.${'xyzw'.charAt(lane)};`).join('\n')}
}`;
}

/** A text that calls these functions where it read and wrote elements of the array. */
export function throughAccessors(text: string, name: string): string {
  const access = new RegExp(`\\b${name}\\s*\\[`, 'g');
  let written = '';
  let at = 0;
  for (let found = access.exec(text); found; found = access.exec(text)) {
    const open = found.index + found[0].length;
    const close = endOf(text, open, ']');
    const index = throughAccessors(text.slice(open, close), name);
    written += text.slice(at, found.index);
    at = close + 1;
    const [assignment, operator = ''] = /^\s*([-+*/%&|^]?)=(?!=)/.exec(text.slice(at)) ?? [];
    if (assignment === undefined) {
      written += `${name}_load(u32(${index}))`;
    } else {
      const end = endOf(text, at + assignment.length, ';');
      const value = throughAccessors(text.slice(at + assignment.length, end), name).trim();
      const stored = operator === '' ? value : `${name}_load(u32(${index})) ${operator} (${value})`;
      written += `${name}_store(u32(${index}), ${stored})`;
      at = end;
    }
    access.lastIndex = at;
  }
  return written + text.slice(at);
}

/** Where the bracket that is open at a place is closed, or the statement ends. */
function endOf(text: string, from: number, letter: string): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const own = text.charAt(at);
    if (depth === 0 && own === letter) return at;
    if ('([{'.includes(own)) depth++;
    if (')]}'.includes(own)) depth--;
  }
  throw new Error(`a WGSL text has no '${letter}' behind ${text.slice(from, from + 40)}`);
}

/**
 * What the WebAssembly text format lacks for kernels that share code; a `.wat` file may hold two more kinds of lines:
 *
 *     ;; join common.wat         stands for the text of kernels/common/common.wat
 *
 *     ;; rows                    the lines between `for each row` and `end` are repeated for each row of this table,
 *     ;;   add  (f32x4.add ..)   with the row's first word in the place of NAME
 *     ;; for each row            and the rest of its line in the place of VALUE; a line that begins with a parenthesis
 *     ..                         goes on with the row before it. Behind an empty line the loop may be joined from a file
 *     ;; end
 */
export function expandWat(file: string, read: (file: string) => string): string {
  const text = read(file);
  checkRows(file, text);
  const joined = text.replace(/^ *;; join ([\w/]+\.wat)$/gm, (_, other: string) => expandWat(other, read));
  return joined.replace(
    /^ *;; rows\n((?: *;; .*\n)+?)(?:\n[^]*?)?^ *;; for each row\n([^]*?)^ *;; end$/gm,
    (_, table: string, body: string) =>
      Array.from(table.replace(/\n *;; +\(/g, ' (').matchAll(/;; +(\w+) +(.+)$/gm), ([, name = '', value = '']) =>
        body.replaceAll('NAME', name).replaceAll('VALUE', value),
      ).join('\n'),
  );
}

/** Throws for a line of a table that is no row, nor goes on with one. */
function checkRows(file: string, text: string): void {
  let hasRow: boolean | undefined; // undefined: outside of tables
  for (const [index, line] of text.split('\n').entries()) {
    if (/^ *;; rows$/.test(line)) hasRow = false;
    else if (/^ *;; for each row$/.test(line) || !/^ *;; /.test(line)) hasRow = undefined;
    else if (hasRow !== undefined && !(hasRow ? /^ *;; +(\(|\w+ +\S)/ : /^ *;; +\w+ +\S/).test(line)) {
      const where = `kernels/${file}:${index + 1}`;
      throw new Error(`${where}: a row of a table is a name of letters and digits and a value, not '${line.trim()}'`);
    } else if (hasRow === false) hasRow = true;
  }
}

/** Whether a file is only joined into others, and no module of its own. */
export function isFragment(text: string): boolean {
  return !/^\(module/m.test(text);
}

/** A module without its comments, and without the functions that a file was joined for but nobody calls. */
export function withoutUnused(text: string): string {
  const code = text.replace(/;;.*$/gm, '');
  const called = new Set(Array.from(code.matchAll(/\bcall (\$\w+)/g), ([, name]) => name));
  const unused = Array.from(code.matchAll(/\(func (\$\w+)(?!\w*\s*\(export)/g)).find(([, name]) => !called.has(name));
  if (!unused) return code;
  let [depth, end] = [0, unused.index];
  do {
    const character = code.charAt(end++);
    if (character === '(') depth++;
    if (character === ')') depth--;
  } while (depth > 0 && end < code.length);
  return withoutUnused(code.slice(0, unused.index) + code.slice(end));
}

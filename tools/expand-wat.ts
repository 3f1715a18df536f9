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
export function expandWat(text: string, read: (file: string) => string): string {
  const joined = text.replace(/^ *;; join ([\w/]+\.wat)$/gm, (_, file: string) => expandWat(read(file), read));
  return joined.replace(
    /^ *;; rows\n((?: *;; .*\n)+?)(?:\n[^]*?)?^ *;; for each row\n([^]*?)^ *;; end$/gm,
    (_, table: string, body: string) =>
      Array.from(table.replace(/\n *;; +\(/g, ' (').matchAll(/;; +(\w+) +(.+)$/gm), ([, name = '', value = '']) =>
        body.replaceAll('NAME', name).replaceAll('VALUE', value),
      ).join('\n'),
  );
}

/** Whether a file is only joined into others, and no module of its own. */
export function isFragment(text: string): boolean {
  return !/^\(module/m.test(text);
}

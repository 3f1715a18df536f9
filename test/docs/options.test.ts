import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'tape';
import { COMMANDS } from '../../lib/command-line/commands.js';
import { root } from '../../tools/root.js';

/** The rows of the tables of a page. */
function rowsOf(page: string): string[][] {
  const lines = readFileSync(join(root, 'docs', page), 'utf8').split(/\r?\n/);
  return lines.map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|')));
}

test('the options of the commands stand in docs as --help prints them', async (t) => {
  const rows = rowsOf('command-line.md');
  for (const load of Object.values(COMMANDS)) {
    for (const [name, { value, help }] of Object.entries((await load()).options)) {
      const word = value === undefined ? `\`--${name}\`` : `\`--${name} ${value}\``;
      t.ok(
        rows.some(([, first, second]) => first === word && second === help),
        `${word} ${help}`,
      );
    }
  }
});

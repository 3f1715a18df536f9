import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'tape';
import { convnetProgram } from '../../lib/command-line/tasks/convnet.js';
import { mobilenetProgram } from '../../lib/command-line/tasks/mobilenet.js';
import { mynetProgram } from '../../lib/command-line/tasks/mynet.js';
import { resnet50Program } from '../../lib/command-line/tasks/resnet50.js';
import { optionsOf } from '../../lib/command-line/training/program.js';
import { root } from '../../tools/root.js';

/** The rows of the tables of a page. */
function rowsOf(page: string): string[][] {
  const lines = readFileSync(join(root, 'docs', page), 'utf8').split(/\r?\n/);
  return lines.map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|')));
}

test('the options of the examples stand in docs as --help prints them', (t) => {
  const pages = [
    ['mynet.md', optionsOf(mynetProgram)],
    ['convnets.md', optionsOf(convnetProgram)],
    ['convnets.md', optionsOf(resnet50Program)],
    ['convnets.md', optionsOf(mobilenetProgram)],
  ] as const;
  for (const [page, options] of pages) {
    const rows = rowsOf(page);
    for (const [name, { value, help }] of Object.entries(options)) {
      const word = value === undefined ? `\`--${name}\`` : `\`--${name} ${value}\``;
      t.ok(
        rows.some(([, first, second]) => first === word && second === help),
        `${page}: ${word} ${help}`,
      );
    }
  }
  t.end();
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'tape';
import { OPTIONS } from '../../examples/mynet/options.js';
import { root } from '../../tools/root.js';

test('the options of mynet stand in docs/mynet.md as --help prints them', (t) => {
  const lines = readFileSync(join(root, 'docs/mynet.md'), 'utf8').split(/\r?\n/);
  const rows = lines.map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|')));
  for (const [name, option] of Object.entries(OPTIONS)) {
    const word = 'value' in option ? `\`--${name} ${option.value}\`` : `\`--${name}\``;
    t.equal(rows.find(([, first]) => first === word)?.[2], option.help, word);
  }
  t.end();
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'tape';
import { readmeWithTable } from '../../tools/operations-table.js';
import { root } from '../../tools/root.js';

test('the table of operations in README.md is that of the list (npm run operations-table)', async (t) => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8').replaceAll('\r\n', '\n');
  t.equal(readme, await readmeWithTable(readme));
});

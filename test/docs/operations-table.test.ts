import { readFileSync } from 'node:fs';
import test from 'tape';
import { operationsPath, withTables } from '../../tools/operations-table.js';

test('the tables of docs/operations.md are those of the list (npm run operations-table)', async (t) => {
  const document = readFileSync(operationsPath, 'utf8').replaceAll('\r\n', '\n');
  t.equal(document, await withTables(document));
});

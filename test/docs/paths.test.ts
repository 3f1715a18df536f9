import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'tape';
import { root } from '../../tools/root.js';

const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)];
/** Files of the repository, by their paths from its root. */
const PATHS = /(?<![\w/.-])(?:lib|kernels|bench|tools|test(?=\/[a-z])|docs(?!\/api))\/[\w./-]*\w/g;
/** The operation that docs/adding-an-operation.md adds, and files of generated text. */
const NOT_THERE = /cumulative[-_]sum|^lib\/generated\//;

test('the files that the documents name are there', (t) => {
  const named = DOCUMENTS.filter((name) => name.endsWith('.md')).flatMap((document) =>
    Array.from(readFileSync(join(root, document), 'utf8').matchAll(PATHS), ([path]) => ({ document, path })),
  );
  t.ok(named.length > 100, `${named.length} names`);
  const missing = named.filter(({ path }) => !NOT_THERE.test(path) && !existsSync(join(root, path)));
  t.deepEqual(missing, []);
  t.end();
});

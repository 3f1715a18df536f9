/**
 * Deletes the declarations in dist that those of the package's entries do not need: a third of them, of what is
 * internal. A part of `npm run build`.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import typescript from 'typescript';

import { root } from './root.js';

const dist = join(root, 'dist');
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
};
const entries = Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? [] : [join(root, entry.types)]));
const program = typescript.createProgram(entries, {
  module: typescript.ModuleKind.NodeNext,
  moduleResolution: typescript.ModuleResolutionKind.NodeNext,
  types: [],
});
const needed = new Set(program.getSourceFiles().map(({ fileName }) => relative(dist, fileName)));
for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
  if (file.endsWith('.d.ts') && !needed.has(file)) rmSync(join(dist, file));
}

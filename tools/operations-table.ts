/**
 * The tables of docs/operations.md, made from the list in lib/ops/index.ts (`npm run operations-table`). A test compares
 * the two.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { markdownTable } from 'markdown-table';

import type { Operation } from '../lib/graph/operation.js';
import { operations } from '../lib/ops/index.js';
import { caseInputs } from '../test/support/cases.js';
import { targetOf } from '../test/support/targets.js';
import { filesIn, roomsOfOperations } from './rooms.js';
import { root } from './root.js';

const BEGIN = '<!-- made by npm run operations-table, do not edit -->\n<!-- prettier-ignore-start -->\n';
const END = '<!-- prettier-ignore-end -->\n';
const HEADER = ['operation', 'room', 'kernels', 'gradient', 'tolerance', 'cases'];

/** The document that holds the tables. */
export const operationsPath = join(root, 'docs/operations.md');

/** Joined in front of other kernels: no operation of its own. */
const SHARED = ['common.wgsl', 'element_four.wgsl', 'element_one.wgsl', 'elementwise.wgsl', 'philox.wgsl'];

/** The document with the tables as they must be. Throws where the markers are missing. */
export async function withTables(document: string): Promise<string> {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${operationsPath} has no lines\n${BEGIN}${END}`);
  return `${document.slice(0, begin + BEGIN.length)}${await tables()}\n${document.slice(end)}`;
}

/**
 * A table for each family, with a row for each operation, in the order of the list; an operation that is the gradient
 * of another stands in its row. Without padding: a longer name changes one line.
 */
async function tables(): Promise<string> {
  const names = new Set(operations.map(({ name }) => name));
  const families = new Map<string, string[][]>();
  for (const [operation, room] of await roomsOfOperations()) {
    const { name, tolerance, cases } = operation;
    if (name.endsWith('Gradient') && names.has(name.replace(/Gradient$/, ''))) continue;
    const family = basename(dirname(room));
    const rows = families.get(family) ?? [HEADER];
    families.set(family, rows);
    const kernels = kernelsOf(operation).map((file) => link(`kernels/${file}`));
    rows.push([
      `\`${name}\``,
      link(`lib/${room}`),
      kernels.join(', ') || 'none: the same storage',
      gradientOf(operation, names),
      toleranceOf(tolerance),
      String(cases.length),
    ]);
  }
  return [...families]
    .map(([family, rows]) => `\n## ${family}\n\n${markdownTable(rows, { alignDelimiters: false })}\n`)
    .join('');
}

/** The WGSL files whose text stands in the launches of any case. */
function kernelsOf(operation: Operation): string[] {
  const codes = new Set<string>();
  for (const setting of operation.cases) {
    const inputs = caseInputs(setting);
    const outputs = operation.infer(inputs, setting.attributes);
    const launches = operation.kernel({ inputs, outputs, attributes: setting.attributes }, targetOf(false));
    for (const { kernel } of launches) codes.add(kernel.code);
  }
  return filesIn(join(root, 'kernels'))
    .filter((file) => file.endsWith('.wgsl') && !SHARED.includes(basename(file)))
    .filter((file) => [...codes].some((code) => code.includes(`// ${basename(file)}\n`)))
    .sort();
}

function gradientOf({ name, gradient }: Operation, names: ReadonlySet<string>): string {
  if (typeof gradient !== 'function') return `none: ${'none' in gradient ? gradient.none : gradient.unwritten}`;
  return names.has(`${name}Gradient`) ? `\`${name}Gradient\`` : 'by other operations';
}

function toleranceOf({ absolute, relative }: Operation['tolerance']): string {
  if (absolute === 0 && relative === 0) return 'exact';
  const parts = [absolute > 0 ? number(absolute) : '', relative > 0 ? `${number(relative)} · abs(x)` : ''];
  return parts.filter((part) => part !== '').join(' + ');
}

function number(value: number): string {
  return value.toExponential().replace('e-', 'e−');
}

function link(path: string): string {
  return `[${basename(path)}](../${path})`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(operationsPath, await withTables(readFileSync(operationsPath, 'utf8')));
}

/**
 * The table of operations in README.md, made from the list in lib/ops/index.ts (`npm run operations-table`).
 * A test compares the two.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format, resolveConfig } from 'prettier';

import type { Operation } from '../lib/graph/operation.js';
import { operations } from '../lib/ops/index.js';
import { caseInputs } from '../test/support/cases.js';
import { targetOf } from '../test/support/targets.js';
import { root } from './root.js';

const BEGIN = '<!-- operations: made by npm run operations-table, do not edit -->\n';
const END = '<!-- end of operations -->';
const readmePath = join(root, 'README.md');

/** Joined in front of other kernels: no operation of its own. */
const SHARED = ['common.wgsl', 'philox.wgsl', 'pointwise.wgsl'];

/** README.md with the table as it must be. Throws where the markers are missing. */
export async function readmeWithTable(readme: string): Promise<string> {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`README.md has no lines ${BEGIN.trim()} and ${END}`);
  return `${readme.slice(0, begin + BEGIN.length)}\n${await operationsTable()}\n${readme.slice(end)}`;
}

/** One row an operation, in the order of the list; an operation that is the gradient of another stands in its row. */
async function operationsTable(): Promise<string> {
  const rooms = await roomsOfOperations();
  const names = new Set(operations.map(({ name }) => name));
  const rows = operations
    .filter(({ name }) => !names.has(name.replace(/Gradient$/, '')) || !name.endsWith('Gradient'))
    .map((operation) => {
      const { name, tolerance } = operation;
      const room = rooms.get(operation);
      if (room === undefined) throw new Error(`no file in lib/ops exports the operation ${name}`);
      const kernels = kernelsOf(operation).map((file) => link(basename(file), `kernels/${file}`));
      const gradient = gradientOf(operation, names);
      return [
        `\`${name}\``,
        link(basename(room), `lib/ops/${room}`),
        kernels.join(', ') || 'none: the same storage',
        gradient,
        toleranceOf(tolerance),
        String(operation.cases.length),
      ];
    });
  const header = ['operation', 'room', 'kernel', 'gradient', 'tolerance of the kernel', 'cases'];
  const table = [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  // As prettier pads it, so that the format check and this tool agree.
  return format(table, { ...(await resolveConfig(readmePath)), parser: 'markdown' });
}

/** Paths below a folder, with '/' on every system. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => file.split(sep).join('/'));
}

/** The file in lib/ops that exports each operation, alone or in a list. */
async function roomsOfOperations(): Promise<Map<unknown, string>> {
  const rooms = new Map<unknown, string>();
  const folder = join(root, 'lib/ops');
  for (const file of filesIn(folder).filter((name) => name.endsWith('.ts') && name !== 'index.ts')) {
    const room = (await import(pathToFileURL(join(folder, file)).href)) as Readonly<Record<string, unknown>>;
    for (const value of Object.values(room).flat()) rooms.set(value, file);
  }
  return rooms;
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
    .filter((file) => [...codes].some((code) => code.includes(`// ${basename(file)}: `)))
    .sort();
}

function gradientOf({ name, gradient }: Operation, names: ReadonlySet<string>): string {
  if (typeof gradient !== 'function') return `none: ${gradient.none}`;
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

function link(text: string, target: string): string {
  return `[${text}](${target})`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(readmePath, await readmeWithTable(readFileSync(readmePath, 'utf8')));
}

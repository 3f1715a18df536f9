import { readdirSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Operation } from '../lib/graph/operation.js';
import { operations } from '../lib/ops/index.js';
import { root } from './root.js';

/** The operations, in the order of their list, and which file in lib/ops exports each, alone or in a list. */
export async function roomsOfOperations(): Promise<Map<Operation, string>> {
  const rooms = new Map<unknown, string>();
  const folder = join(root, 'lib/ops');
  for (const file of filesIn(folder).filter((name) => name.endsWith('.ts') && !LISTS.includes(name))) {
    const room = (await import(pathToFileURL(join(folder, file)).href)) as Readonly<Record<string, unknown>>;
    for (const value of Object.values(room).flat()) rooms.set(value, file);
  }
  return new Map(
    operations.map((operation) => {
      const room = rooms.get(operation);
      if (room === undefined) throw new Error(`no file in lib/ops exports the operation ${operation.name}`);
      return [operation, room];
    }),
  );
}

/** No rooms, but lists of them. */
const LISTS = ['index.ts'];

/** The folder in lib/ops where each operation's room is, by the operation's name. */
export async function familiesOfOperations(): Promise<Map<string, string>> {
  return new Map([...(await roomsOfOperations())].map(([{ name }, room]) => [name, dirname(room)]));
}

/** Paths below a folder, with '/' on every system. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => file.split(sep).join('/'));
}

import { readdirSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Operation } from '../lib/graph/operation.js';
import { operations } from '../lib/ops/index.js';
import { root } from './root.js';

/** The operations, in the order of their list, and which file in lib exports each, alone or in a list. */
export async function roomsOfOperations(): Promise<Map<Operation, string>> {
  const rooms = new Map<unknown, string>();
  const folder = join(root, 'lib');
  for (const file of filesIn(folder).filter((name) => /^(ops|optim)\/.*\.ts$/.test(name) && !LISTS.includes(name))) {
    const room = (await import(pathToFileURL(join(folder, file)).href)) as Readonly<Record<string, unknown>>;
    for (const value of Object.values(room).flat()) rooms.set(value, file);
  }
  return new Map(
    operations.map((operation) => {
      const room = rooms.get(operation);
      if (room === undefined)
        throw new Error(`no file of lib/ops and lib/optim exports the operation ${operation.name}`);
      return [operation, room];
    }),
  );
}

/** No rooms, but lists of them. */
const LISTS = ['ops/index.ts', 'ops/rooms.ts'];

/** The folder where each operation's room is, by the operation's name. */
export async function familiesOfOperations(): Promise<Map<string, string>> {
  return new Map([...(await roomsOfOperations())].map(([{ name }, room]) => [name, basename(dirname(room))]));
}

/** Paths below a folder, with '/' on every system. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => file.split(sep).join('/'));
}

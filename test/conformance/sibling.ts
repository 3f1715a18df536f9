import { DataError } from '../../lib/index.js';
import { LoadedCase } from './loaded-case.js';

/** Another case of the same index.json. Throws DataError where there is none. */
export async function sibling(loaded: LoadedCase, op: string, name?: string): Promise<LoadedCase> {
  const found = loaded.entry.siblings.find((entry) => entry.op === op && (name === undefined || entry.name === name));
  if (found) return LoadedCase.load(found);
  throw new DataError(`the index has no case ${op}${name === undefined ? '' : `/${name}`}, which this one needs`);
}

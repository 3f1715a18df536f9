import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DataError } from '../../lib/errors.js';
import { reasonOf } from '../../lib/node/reasons.js';
import { UsageError } from './usage-error.js';

/** What a tensor of a case is for; see the README of the vectors. */
export interface TensorEntry {
  readonly role: string;
  readonly shape: readonly number[];
  readonly rtol: number;
  readonly atol: number;
  /** Name of the version computed in float64, in the same file. */
  readonly f64: string | undefined;
  /** Name of the tensor in the same file that has an `atol` for each part along the first axis. */
  readonly atolByStep: string | undefined;
  /** A bound of the Euclidean norm of all errors. */
  readonly l2: number | undefined;
}

/** One case of an index.json. */
export interface CaseEntry {
  readonly op: string;
  readonly name: string;
  /** Path of the .safetensors file. */
  readonly file: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** All cases of the same index.json: a training run finds its data and first weights there. */
  readonly siblings: readonly CaseEntry[];
}

/**
 * All cases below a folder: those of its index.json, those of each direct sub-folder with an index.json of its own
 * (`mynet/`), and the results of whole models (`models/`: any other .json that says which `model` it is of).
 *
 * Throws UsageError where the folder is missing or holds no case, DataError naming the file where an index is broken.
 */
export async function readCases(folder: string): Promise<CaseEntry[]> {
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => undefined,
  );
  if (isFolder === undefined) throw new UsageError(`there is no folder ${folder}`);
  if (!isFolder) throw new UsageError(`${folder} is a file, not a folder with an index.json`);

  const entries = await readdir(folder, { withFileTypes: true });
  const inside = entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
  const cases: CaseEntry[] = [];
  for (const place of [folder, ...inside.sort()]) {
    const listed = existsSync(join(place, 'index.json')) ? await readIndex(join(place, 'index.json')) : [];
    cases.push(...listed, ...(await readModels(place, listed)));
  }
  if (cases.length === 0) throw new UsageError(`${folder} holds no cases: neither an index.json with some, nor models`);
  return cases;
}

async function readIndex(path: string): Promise<CaseEntry[]> {
  const index = await readJson(path);
  if (!isRecord(index) || !Array.isArray(index['cases'])) {
    throw new DataError(`${path}: expected an object with an array 'cases'`);
  }
  const cases: CaseEntry[] = [];
  for (const [i, entry] of index['cases'].entries()) cases.push(readCase(path, i, entry, cases));
  return cases;
}

function readCase(path: string, position: number, value: unknown, siblings: readonly CaseEntry[]): CaseEntry {
  if (!isRecord(value)) throw new DataError(`${path}: case ${position} is not an object`);
  const text = (field: string): string => {
    const found = value[field];
    if (typeof found !== 'string') throw new DataError(`${path}: case ${position} has no text '${field}'`);
    return found;
  };
  const [op, name, file] = [text('op'), text('name'), text('file')];
  const where = `${path}: case ${position} (${op}/${name})`;
  const { attrs = {}, tensors } = value;
  if (!isRecord(attrs)) throw new DataError(`${where}: 'attrs' is not an object`);
  if (!isRecord(tensors)) throw new DataError(`${where}: 'tensors' is not an object`);
  const widest = { rtol: tolerance(where, value, 'rtol', 0), atol: tolerance(where, value, 'atol', 0) };
  const read = Object.entries(tensors).map(
    ([tensorName, entry]) => [tensorName, readTensorEntry(`${where}: tensor ${tensorName}`, entry, widest)] as const,
  );
  return { op, name, file: join(dirname(path), file), attributes: attrs, tensors: new Map(read), siblings };
}

function readTensorEntry(where: string, value: unknown, widest: { rtol: number; atol: number }): TensorEntry {
  if (!isRecord(value)) throw new DataError(`${where} is not described by an object`);
  const { role, shape, f64, atol_by_step: atolByStep } = value;
  if (typeof role !== 'string') throw new DataError(`${where} has no text 'role'`);
  if (!Array.isArray(shape) || !shape.every(isSize)) throw new DataError(`${where} has no 'shape' of whole numbers`);
  if (!isName(f64)) throw new DataError(`${where}: 'f64' is no name`);
  if (!isName(atolByStep)) throw new DataError(`${where}: 'atol_by_step' is no name`);
  return {
    role,
    shape,
    rtol: tolerance(where, value, 'rtol', widest.rtol),
    atol: tolerance(where, value, 'atol', widest.atol),
    f64: f64 ?? undefined,
    atolByStep: atolByStep ?? undefined,
    l2: value['l2'] === undefined ? undefined : tolerance(where, value, 'l2', NaN),
  };
}

function tolerance(
  where: string,
  entry: Record<string, unknown>,
  field: 'rtol' | 'atol' | 'l2',
  otherwise: number,
): number {
  const value = entry[field] ?? otherwise;
  if (typeof value !== 'number' || !(value >= 0))
    throw new DataError(`${where}: '${field}' is not a number of 0 or more`);
  return value;
}

/** The modes of a model's results, each of them a case. */
const MODEL_MODES = ['train', 'eval'];

async function readModels(folder: string, siblings: readonly CaseEntry[]): Promise<CaseEntry[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json') && file !== 'index.json').sort();
  const cases: CaseEntry[] = [];
  for (const file of files) {
    const path = join(folder, file);
    const content = await readJson(path);
    if (!isRecord(content) || typeof content['model'] !== 'string') continue; // parameters.json: tables, no results
    for (const mode of MODEL_MODES.filter((known) => known in content)) {
      const name = `${content['model']}_${mode}`;
      const values = join(folder, `${basename(file, '.json')}.safetensors`);
      cases.push({ op: 'model', name, file: values, attributes: { ...content, mode }, tensors: new Map(), siblings });
    }
  }
  return cases;
}

async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new DataError(`cannot read ${path}: ${reasonOf(error)}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DataError(`${path} is not JSON: ${reasonOf(error)}`);
  }
}

function isName(value: unknown): value is string | null | undefined {
  return value === undefined || value === null || typeof value === 'string';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

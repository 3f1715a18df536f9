/**
 * Inlines the kernels, so that the library needs no file access at run time and a bundler drops those that nobody uses:
 *
 *     kernels/matmul/matmul_tiled.wgsl  ->  lib/generated/wgsl.ts: export const matmulTiledWgsl: string = '...' (the code)
 *     kernels/matmul/matmul_row.wat     ->  lib/generated/wasm.ts: export const matmulRowWasm: string = '...' (assembled, hexadecimal)
 *     lib/device/cpu/worker.ts   ->  lib/generated/worker.ts: export const workerProgram: string = '...' (JavaScript)
 *
 * Of a WGSL text goes what is only for its reader, a third of a page's bundle otherwise: comments, but for the file's name
 * and the marks of templates and blocks (lib/graph/template.ts, `fillBlock`), indentation, and empty lines.
 *
 * Texts of WebAssembly may join other files and repeat lines for each row of a table, and functions that nobody calls are left
 * out: expand-wat.ts.
 *
 * A WebAssembly text imports its memory as `(memory 1)`. It is assembled for shared memory, which threads need; where
 * there is none, lib/device/cpu/simd.ts changes the one byte that says so. A text with a line `;; Relaxed` in its head
 * is assembled twice: in `matmulRowRelaxedWasm` every `(f32x4.add (f32x4.mul x y) z)` of locals is one `f32x4.relaxed_madd`.
 *
 * The digits are hexadecimal, as repeated instructions then are repeated text: a page gzipped is smaller than by base64.
 *
 * The sources stay the only ones; the modules are ignored by git and refreshed by every npm script that needs them.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { basename, dirname, join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

import { expandWat, isFragment, withoutUnused } from './expand-wat.js';
import { root } from './root.js';

const kernels = join(root, 'kernels');
const generated = join(root, 'lib/generated');

/**
 * The exported name of a kernel file: its stem in camelCase, without the folder, then what became of it, `Wgsl` or `Wasm`.
 */
export function constantName(file: string): string {
  const [stem = '', kind] = basename(file).split('.');
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(stem)) {
    throw new Error(`kernels/${file}: a kernel's name is words in lower case joined by '_', as in matmul_tiled.wgsl`);
  }
  const camelCase = stem.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return camelCase + (kind === 'wat' ? 'Wasm' : 'Wgsl');
}

/** Brings lib/generated up to date; leaves a module untouched, date included, where it is. */
export async function inlineKernels(): Promise<void> {
  writeModule(
    'wgsl.ts',
    sources('.wgsl').map(({ file, text }) => constantOf(`kernels/${file}`, constantName(file), codeOf(file, text))),
  );
  const wat = modules();
  await writeWhereStale('wasm.ts', [TOOL, ...wat.map(({ file, text }) => file + text)], () => assembleAll(wat));
  const worker = read(join(root, WORKER));
  await writeWhereStale('worker.ts', [TOOL, worker], async () => [
    constantOf(WORKER, 'workerProgram', await plain(worker)),
  ]);
}

/** Of this file: what it makes depends on itself. */
const TOOL = readFileSync(new URL(import.meta.url), 'utf8');

const WORKER = 'lib/device/cpu/worker.ts';

interface Source {
  readonly file: string;
  readonly text: string;
}

function sources(ending: string): Source[] {
  const files = readdirSync(kernels, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith(ending));
  const found = files.sort().map((file) => ({ file: file.split(sep).join('/'), text: read(join(kernels, file)) }));
  const names = found.map(({ file }) => constantName(file));
  const twin = names.find((name, i) => names.indexOf(name) !== i);
  if (twin !== undefined) throw new Error(`two kernels are called ${twin}: a file's name is unique in all folders`);
  return found;
}

/** A WGSL text without what is only for its reader. */
function codeOf(file: string, text: string): string {
  const lines = text
    .split('\n')
    .map((line) => (/^\s*\/\/ (each|begin|end) /.test(line) ? line : line.replace(/\/\/.*/, '')).trim());
  return [`// ${basename(file)}`, ...lines.filter((line) => line !== ''), ''].join('\n');
}

/** The WebAssembly modules, their texts expanded: without the files that are only joined into others. */
function modules(): Source[] {
  const files = sources('.wat');
  const textOf = (name: string): string => {
    const found = files.find(({ file }) => file === name);
    if (!found) throw new Error(`kernels/${name} is joined, but does not exist`);
    return found.text;
  };
  return files.filter(({ text }) => !isFragment(text)).map(({ file }) => ({ file, text: expandWat(file, textOf) }));
}

function read(path: string): string {
  return readFileSync(path, 'utf8').replaceAll('\r\n', '\n');
}

/** Turns a WebAssembly text that imports `(memory 1)` into a binary for shared memory, in hexadecimal digits. */
export type Assembler = (file: string, text: string) => string;

/** Loads the assembler. */
export async function loadAssembler(): Promise<Assembler> {
  const { default: loadWabt } = await import('wabt');
  const wabt = await loadWabt();
  return (file, expanded) => {
    const text = withoutUnused(expanded);
    // The assembler's own validation knows neither shared memory nor relaxed SIMD: it is given the text as it stands.
    const plain = wabt.parseWat(file, text, { simd: true, bulk_memory: true, relaxed_simd: true });
    plain.resolveNames();
    if (!text.includes('f32x4.relaxed_')) plain.validate();
    plain.destroy();
    const shared = text.replace('(memory 1)', '(memory 1 65536 shared)');
    const parsed = wabt.parseWat(file, shared, { simd: true, threads: true, bulk_memory: true, relaxed_simd: true });
    parsed.resolveNames();
    const { buffer } = parsed.toBinary({});
    parsed.destroy();
    return Buffer.from(buffer).toString('hex');
  };
}

/** The constants of all WebAssembly texts. The assembler is loaded only where something changed. */
async function assembleAll(wat: readonly Source[]): Promise<string[]> {
  const assemble = await loadAssembler();
  return wat.flatMap(({ file, text }) => {
    const path = `kernels/${file}`;
    const name = constantName(file);
    const constants = [constantOf(path, name, assemble(path, text))];
    if (/^;; Relaxed /m.test(text)) {
      const relaxed = assemble(path, relax(text));
      constants.push(constantOf(`${path}, relaxed`, name.replace(/Wasm$/, 'RelaxedWasm'), relaxed));
    }
    return constants;
  });
}

/** Makes one instruction of every multiplication and addition of locals. */
function relax(text: string): string {
  const local = String.raw`(\(local\.get \$\w+\))`;
  const pair = new RegExp(String.raw`\(f32x4\.add \(f32x4\.mul ${local} ${local}\) ${local}\)`, 'g');
  return text.replace(pair, '(f32x4.relaxed_madd $1 $2 $3)');
}

/** TypeScript without its types, as a script. */
async function plain(text: string): Promise<string> {
  const { default: typescript } = await import('typescript');
  const { ModuleKind, ScriptTarget, transpileModule } = typescript;
  const compilerOptions = { target: ScriptTarget.ES2022, module: ModuleKind.ESNext, removeComments: true };
  return transpileModule(text, { compilerOptions }).outputText.replace('export {};\n', '');
}

function constantOf(source: string, name: string, value: string): string {
  return `/** ${source} */\nexport const ${name}: string = ${JSON.stringify(value)};\n`;
}

/** Makes a module again where its sources are not those that it was made of. */
async function writeWhereStale(name: string, from: readonly string[], constants: () => Promise<string[]>) {
  const fingerprint = createHash('sha256').update(JSON.stringify(from)).digest('hex');
  const target = join(generated, name);
  if (existsSync(target) && readFileSync(target, 'utf8').includes(fingerprint)) return;
  writeModule(name, await constants(), fingerprint);
}

function writeModule(name: string, constants: readonly string[], fingerprint?: string): void {
  const header =
    '// Generated by tools/inline-kernels.ts: do not edit.\n' +
    (fingerprint === undefined ? '' : `// Sources: ${fingerprint}\n`);
  const module = [header, ...(constants.length > 0 ? constants : ['export {};\n'])].join('\n');
  const target = join(generated, name);
  if (existsSync(target) && readFileSync(target, 'utf8') === module) return;
  mkdirSync(dirname(target), { recursive: true });
  const half = `${target}.${process.pid}`;
  writeFileSync(half, module);
  renameSync(half, target);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await inlineKernels();

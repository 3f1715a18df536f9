/**
 * Every TypeScript block of README.md, docs/tutorial.md and the guides is a program of its own that must pass the type check and
 * run to its end; a block whose fence says `ts no-run` is not run.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'tape';
import { root } from '../../tools/root.js';

const DOCUMENTS = [
  'README.md',
  'docs/tutorial.md',
  'docs/resume.md',
  'docs/report.md',
  'docs/own-pictures.md',
  'docs/not-learning.md',
  'docs/own-loop.md',
  'docs/from-pytorch.md',
  'docs/from-keras.md',
];
/** Ignored by git; outside of node_modules, where tsx would not find the package by its own name. */
const folder = join(root, 'runs/docs-examples');
/** Programs that run at the same time. */
const CONCURRENT = 3;

interface Example {
  /** `docs/tutorial.md, line 20`: the line of the fence. */
  readonly name: string;
  readonly file: string;
  readonly code: string;
  readonly isRun: boolean;
}

function examplesOf(document: string): Example[] {
  const text = readFileSync(join(root, document), 'utf8').replaceAll('\r\n', '\n');
  return [...text.matchAll(/^```ts( no-run)?\n(.*?)^```$/gms)].map((match) => {
    const line = text.slice(0, match.index).split('\n').length;
    const file = join(folder, `${document.replace(/\W+/g, '-')}-${line}.ts`);
    return { name: `${document}, line ${line}`, file, code: match[2] ?? '', isRun: match[1] === undefined };
  });
}

/** Runs Node in a folder; undefined where the exit code is 0, else what it printed. */
function faultOf(cwd: string, ...words: string[]): Promise<string | undefined> {
  // The examples show what a reader's machine does; a device that was forced on the tests is not part of it.
  const kept = Object.entries(process.env).filter(([name]) => name !== 'KERNELWRIGHT_DEVICE');
  const child = spawn(process.execPath, words, {
    cwd,
    env: { ...Object.fromEntries(kept), TSX_TSCONFIG_PATH: join(root, 'tsconfig.json') },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 180_000,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      resolve(code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}\n${output}`);
    });
  });
}

test('the examples of the documents pass the type check and run', async (t) => {
  const examples = DOCUMENTS.flatMap(examplesOf);
  t.ok(examples.length > 5, `${examples.length} examples`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const { file, code } of examples) writeFileSync(file, `${code}export {};\n`);
  const project = { extends: '../../tsconfig.json', include: ['*.ts'], compilerOptions: { noUnusedLocals: false } };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(project));

  const tsx = import.meta.resolve('tsx');
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const jobs = [
    { name: 'type check', cwd: folder, words: [tsc, '-p', 'tsconfig.json'] },
    ...examples
      .filter(({ isRun }) => isRun)
      // What a program writes stays in the folder; bundled pictures are found from the root.
      .map(({ name, file, code }) => ({
        name,
        cwd: code.includes('examples/pictures') ? root : folder,
        words: ['--import', tsx, file],
      })),
  ].values();
  const work = async (): Promise<void> => {
    for (const { name, cwd, words } of jobs) t.equal(await faultOf(cwd, ...words), undefined, name);
  };
  await Promise.all(Array.from({ length: CONCURRENT }, work));
});

/**
 * Every TypeScript block of README.md, docs/tutorial.md and the guides is a program of its own that must pass the type check and
 * run to its end; a block whose fence says `ts no-run` is not run.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
/** The programs run one after the other in so many processes: to load the library takes longer than most of them. */
const PROCESSES = 2;
const RUNNER = fileURLToPath(new URL('example-runner.ts', import.meta.url));

/** What the runner says of a program. */
interface Told {
  readonly file: string;
  readonly fault?: string;
}

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

/** What a process came to: what its programs said, and how it ended where that was no good end. */
interface Ending {
  readonly faults: ReadonlyMap<string, string | undefined>;
  readonly fault: string | undefined;
}

/** Runs Node in the folder. */
function runNode(words: readonly string[]): Promise<Ending> {
  // The examples show what a reader's machine does; a device that was forced on the tests is not part of it.
  const kept = Object.entries(process.env).filter(([name]) => name !== 'KERNELWRIGHT_DEVICE');
  const child = spawn(process.execPath, words, {
    cwd: folder,
    env: { ...Object.fromEntries(kept), TSX_TSCONFIG_PATH: join(root, 'tsconfig.json') },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    timeout: 280_000,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const faults = new Map<string, string | undefined>();
  child.on('message', ({ file, fault }: Told) => faults.set(file, fault));
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      const fault = code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}\n${output}`;
      resolve({ faults, fault });
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

  const typeCheck = runNode([join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json']);
  const run = examples.filter(({ isRun }) => isRun);
  const running = Array.from({ length: PROCESSES }, async (_, part) => {
    const own = run.filter((_, i) => i % PROCESSES === part);
    // What a program writes stays in the folder; bundled pictures are found from the root.
    const places = own.flatMap(({ file, code }) => [code.includes('examples/pictures') ? root : folder, file]);
    const { faults, fault } = await runNode(['--import', import.meta.resolve('tsx'), RUNNER, ...places]);
    for (const { name, file } of own)
      t.equal(faults.has(file) ? faults.get(file) : (fault ?? 'not run'), undefined, name);
    t.equal(fault, undefined, 'the process ends by itself');
  });
  t.equal((await typeCheck).fault, undefined, 'type check');
  await Promise.all(running);
});

/** Trainings that are killed again and again, in processes of their own, and end as if they had not been. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import test from 'tape';
import { build } from 'vite';
import { openDevice, readTrainingCheckpoint } from '../../../lib/node/index.js';
import { root } from '../../../tools/root.js';
import { inFolder } from '../../support/special-files.js';
import { trainTiny } from './tiny-training.js';

const KILLS = 20;
/** So many epochs are not over before so many kills, on most machines. */
const EPOCHS = { cpu: 150, webgpu: 100 };
/** A child is killed behind fewer steps than these, within so many milliseconds: some between two steps, most in a write. */
const MOST_STEPS = 12;
const LONGEST = 4;

type Kind = keyof typeof EPOCHS;

/** A process that has been started and waits for the word to train. */
class Child {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  #output = '';
  #wake: () => void = () => undefined;

  constructor(program: string, ...words: readonly (string | number)[]) {
    this.#process = spawn(process.execPath, [program, ...words.map(String)], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#process.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
      this.#wake();
    });
    this.#process.on('close', () => {
      this.#wake();
    });
    this.#process.stdin.on('error', () => undefined); // of one that was killed
  }

  /** Has it begin. */
  async start(): Promise<void> {
    await this.#said(({ length }) => length > 0);
    this.#process.stdin.write('go\n');
  }

  /** Resolves once it has taken so many steps, or is over. */
  async steps(count: number): Promise<void> {
    await this.#said((output) => output.includes('.'.repeat(count)));
  }

  async #said(isSaid: (output: string) => boolean): Promise<void> {
    while (!isSaid(this.#output) && this.#process.exitCode === null) {
      await new Promise<void>((resume) => (this.#wake = resume));
    }
  }

  /** What it came to; undefined where it was killed. */
  async end(): Promise<string | undefined> {
    const [code, signal] = (await once(this.#process, 'close')) as [number | null, string | null];
    if (signal === 'SIGKILL') return undefined;
    if (code !== 0) throw new Error(`the training ended with ${signal ?? `exit code ${code}`}`);
    return this.#output.trim().split('\n').at(-1);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

/** The child as one file, which starts several times as quickly as its sources do. */
async function bundled(): Promise<string> {
  // Ignored by git; where Node finds the packages.
  const outDir = join(root, 'runs/checkpoints-test');
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true, external: ['webgpu', 'sharp', '@jsquash/jpeg', 'pngjs', 'cli-progress'] },
    build: {
      ...{ ssr: true, outDir, emptyOutDir: true, minify: false, target: 'node20' },
      rolldownOptions: {
        input: fileURLToPath(new URL('training-child.ts', import.meta.url)),
        output: { entryFileNames: 'child.mjs' },
      },
    },
  });
  return join(outDir, 'child.mjs');
}

/**
 * Kills trainings in a folder, until there were so many kills or one training came to its end. Gives the step of the newest
 * checkpoint behind each kill.
 */
async function killAgainAndAgain(t: test.Test, program: string, kind: Kind, kills: number, expected: string) {
  const reached: number[] = [];
  await inFolder(async (folder) => {
    const directory = join(folder, 'run');
    await mkdir(directory);
    const prepared = (everySteps: number): Child => new Child(program, kind, directory, EPOCHS[kind], everySteps);
    let [isOver, halves] = [false, 0];
    let next = prepared(2);
    while (reached.length < kills && !isOver) {
      const child = next;
      next = prepared(reached.length + 1 < kills ? 2 : 1000); // it gets ready while the other one trains
      await child.start();
      const ending = child.end();
      await child.steps(Math.floor(Math.random() * MOST_STEPS));
      await new Promise((resume) => setTimeout(resume, Math.random() * LONGEST));
      child.kill();
      const result = await ending;
      isOver = result !== undefined;
      if (isOver) t.equal(result, expected, 'it was over before it was killed');
      const names = await readdir(directory);
      halves += names.filter((name) => name.endsWith('.tmp')).length;
      const files = names.filter((name) => name.endsWith('.safetensors'));
      const steps = await Promise.all(
        files.map(async (name) => (await readTrainingCheckpoint(join(directory, name))).step),
      );
      if (!isOver) reached.push(Math.max(0, ...steps));
    }
    await next.start();
    t.equal(
      await next.end(),
      expected,
      `${kind}: after ${reached.length} kills, ${halves} of them in the middle of a file`,
    );
    t.deepEqual(
      (await readdir(directory)).filter((name) => !/^step-\d+\.safetensors$/.test(name)),
      [],
      'nothing is left',
    );
    t.deepEqual(
      reached,
      [...reached].sort((a, b) => a - b),
      'no step is lost again',
    );
  });
  return reached;
}

test(`a training that is killed ${KILLS} times ends as one that was not, on cpu and webgpu`, async (t) => {
  const program = await bundled();
  const killing = (['cpu', 'webgpu'] as const).map(async (kind) => {
    const device = await openDevice(kind);
    const expected = await trainTiny(device, { epochs: EPOCHS[kind] });
    device.dispose();
    const reached: number[] = [];
    while (reached.length < KILLS) {
      reached.push(...(await killAgainAndAgain(t, program, kind, KILLS - reached.length, expected)));
    }
    t.ok(new Set(reached).size > 3, `kills behind the steps ${reached.join(' ')}`);
  });
  await Promise.all(killing);
  await rm(join(program, '..'), { recursive: true });
});

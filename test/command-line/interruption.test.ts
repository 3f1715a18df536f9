import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'tape';
import { root } from '../../tools/root.js';
import { loadModel, newestTrainingCheckpoint } from '../../lib/node/index.js';
import { drawPictures, inFolder, readJson } from '../examples/program.js';
import { documentOf, kernelwright } from './program.js';

interface Told {
  readonly interrupted: boolean;
  readonly epochs: number;
  readonly history: readonly unknown[];
  readonly predictions: readonly unknown[];
}

test('a training that is interrupted leaves all that a training leaves, in its first epoch as well', async (t) => {
  await inFolder(async (folder) => {
    const data = await drawPictures(join(folder, 'train'), ['Light', 'Dark'], 8);
    const tests = await drawPictures(join(folder, 'test'), ['Light', 'Dark'], 2);
    const given = ['--model', 'mynet', '--test', tests, '--report', '--json'];
    const interrupted = async (out: string, isTime: (text: string) => boolean, more: readonly string[]) => {
      const directory = join(folder, out);
      let [latest, sent] = ['', 0];
      let timer: NodeJS.Timeout | undefined;
      const ending = await kernelwright(['train', data, ...given, ...more, '--out', directory], (text, child) => {
        latest = text;
        timer ??= setInterval(() => {
          if (sent < 2 && isTime(latest)) sent += Number(child.kill('SIGINT')); // twice, as under npm
        }, 5);
      });
      clearInterval(timer);
      t.deepEqual([ending.code, ending.signal], [130, null], ending.errors);
      t.equal(ending.errors.match(/what was trained so far is being saved/g)?.length, 1);
      t.notOk(ending.errors.includes('Error'), ending.errors);
      const told = documentOf(ending) as Told;
      const history = (await readJson(join(directory, 'history.json'))) as { readonly loss: readonly number[] };
      t.deepEqual([told.interrupted, told.epochs, told.history.length], [true, history.loss.length, told.epochs]);
      t.deepEqual(
        [told.predictions.length, await readJson(join(directory, 'predictions.json'))],
        [4, told.predictions],
      );
      t.ok((await loadModel(join(directory, 'last.safetensors'))).isBuilt);
      const files = ['best.safetensors', 'history.json', 'last.safetensors', 'predictions.json', 'report.html'];
      t.deepEqual((await readdir(directory)).filter((name) => name !== 'checkpoints').sort(), files);
      return { ...told, errors: ending.errors };
    };
    // The models at the start are written before the first step, and the epoch behind it has 576 steps.
    const hasBegun = (): boolean => existsSync(join(folder, 'first', 'best.safetensors'));
    const [later, first] = await Promise.all([
      interrupted('later', (text) => /epoch +2\//.test(text), [
        '--hidden',
        '8',
        '--epochs',
        '100000',
        '--checkpoint-every',
        '1',
      ]),
      interrupted('first', hasBegun, ['--hidden', '1000', '--augment', 'article', '--batch-size', '1']),
    ]);
    const step = Number(
      /interrupted after \d+ epochs, at step (\d+): .*--resume goes on from there/.exec(later.errors)?.[1],
    );
    t.ok(later.epochs >= 2 && step > 0, `${later.epochs} epochs, step ${step}`);
    t.equal((await newestTrainingCheckpoint(join(folder, 'later', 'checkpoints')))?.step, step);
    t.match(first.errors, /interrupted after 0 epochs, at step \d+: the last model is that of this step\n/);
  });
});

test('the first Ctrl-C asks, and the next one ends the process in the midst of its work', async (t) => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/command-line/interruption-child.ts'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  let worked = NaN;
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (output.endsWith('listening\n') || output.endsWith('interrupted\n')) child.kill('SIGINT'); // one twice
    if (!output.endsWith('working\n')) return;
    worked = performance.now();
    child.kill('SIGINT');
  });
  const ending = await new Promise((resolve) => child.on('exit', (code, signal) => resolve([code, signal])));
  t.deepEqual(ending, [null, 'SIGINT']);
  t.equal(output, 'listening\ninterrupted\nworking\n');
  t.ok(performance.now() - worked < 5000, 'at once');
});

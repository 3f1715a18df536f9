import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'tape';
import { readSafetensors } from '../../lib/node/index.js';
import { drawPictures, inFolder, readJson, runMyNet } from '../examples/program.js';

test('a training that is interrupted goes on with --resume, as if it had not been', async (t) => {
  await inFolder(async (folder) => {
    const data = await drawPictures(join(folder, 'train'), ['bright', 'dark'], 6);
    const run = (out: string, more: readonly string[], onOutput?: Parameters<typeof runMyNet>[1]) =>
      runMyNet(['--data', data, '--hidden', '8', '--epochs', '300', '--out', join(folder, out), ...more], onOutput);
    const [whole, begun] = await Promise.all([
      run('whole', ['--resume']), // there is nothing yet to go on from
      run('out', ['--checkpoint-every', '3'], (text, interrupt) => {
        if (text.includes('epoch   2/')) interrupt();
      }),
    ]);
    t.deepEqual([whole.code, whole.errors, begun.code, begun.errors], [0, '', 130, '']);
    const [again, refused] = [
      await run('out', ['--resume', '--checkpoint-every', '3']),
      await run('out', ['--checkpoint-every', '3']),
    ];
    t.deepEqual([again.code, again.errors], [0, '']);
    t.ok(again.output.includes(`goes on from ${join(folder, 'out', 'checkpoints', 'step-')}`));
    t.equal(refused.code, 2, refused.errors);
    t.ok(refused.errors.includes('--resume'));
    const ended = await run('out', ['--resume']);
    t.deepEqual([ended.code, ended.errors], [0, '']);
    t.ok(ended.output.includes('there is nothing to do'));
    const numbers = async (out: string) => {
      const history = (await readJson(join(folder, out, 'history.json'))) as Readonly<Record<string, unknown>>;
      const { tensors } = await readSafetensors(join(folder, out, 'last.safetensors'));
      const names = ['loss', 'accuracy', 'validationLoss', 'validationAccuracy'];
      return { history: names.map((name) => history[name]), weights: [...tensors] };
    };
    t.deepEqual(await numbers('out'), await numbers('whole'));
    const left = await readdir(join(folder, 'out', 'checkpoints'));
    t.ok(left.length === 2 && left.every((name) => name.startsWith('step-')), left.join(' '));
  });
});

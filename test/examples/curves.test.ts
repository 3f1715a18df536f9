import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'tape';
import { inFolder, runExample } from './program.js';

const history = {
  title: 'A net',
  loss: [0.7, 0.4, 0.3],
  accuracy: [0.5, 0.75, 1],
  validationLoss: [0.65, 0.45, 0.4],
  validationAccuracy: [0.5, 0.5, 0.75],
  seconds: 2.04,
  device: { description: 'an abacus' },
};

test('curves draws loss and accuracy of both parts over the epochs', async (t) => {
  await inFolder(async (folder) => {
    const path = join(folder, 'history.json');
    await writeFile(path, JSON.stringify(history));
    const { code, errors } = await runExample('curves.ts', ['--history', path]);
    t.deepEqual([code, errors], [0, '']);
    const svg = await readFile(join(folder, 'curves.svg'), 'utf8');
    t.ok(svg.includes('3 epochs in 2.0 s on an abacus'));
    // Each curve is labelled with its first point, and has three.
    const curves = [...svg.matchAll(/aria-label="(epoch: [^"]*)"[^>]* d="(M[^"]*)"/g)];
    t.deepEqual(
      curves.map(([, label, path = '']) => [label, path.split('L').length]),
      [
        ['epoch: 1; loss: 0.70; part: training', 3],
        ['epoch: 1; loss: 0.65; part: held out', 3],
        ['epoch: 1; accuracy: 50%; part: training', 3],
        ['epoch: 1; accuracy: 50%; part: held out', 3],
      ],
    );
  });
});

test('curves says what is wrong with the history', async (t) => {
  await inFolder(async (folder) => {
    const path = join(folder, 'history.json');
    const run = () => runExample('curves.ts', ['--history', path]);
    t.match((await run()).errors, /^curves: .*history\.json: .*npm run mynet writes it\n$/);
    await writeFile(path, '{');
    t.match((await run()).errors, /^curves: .*history\.json is not JSON\n$/);
    await writeFile(path, JSON.stringify({ ...history, loss: [0.7, 'low'] }));
    const { code, errors } = await run();
    t.equal(code, 1);
    t.match(errors, /^curves: .*history\.json is no history of a training\n$/);
  });
});

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'tape';
import { decodePng } from '../../lib/node/index.js';
import { marksOf, pointsOf } from '../report/svg.js';
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
    t.ok(svg.includes('A net'));
    // Loss and accuracy, each of both parts, with three points.
    t.deepEqual(marksOf(svg, 'line').map(pointsOf), [3, 3, 3, 3]);
    const again = await runExample('curves.ts', ['--history', path, '--out', join(folder, 'curves.png')]);
    t.equal(again.code, 0);
    t.ok(decodePng(await readFile(join(folder, 'curves.png'))).width > 600);
  });
});

test('curves says what is wrong with the history', async (t) => {
  await inFolder(async (folder) => {
    const path = join(folder, 'history.json');
    const run = () => runExample('curves.ts', ['--history', path]);
    t.match((await run()).errors, /^curves: .*history\.json: .*npm run mynet writes it\n$/);
    await writeFile(path, JSON.stringify({ ...history, loss: [] }));
    t.match((await run()).errors, /^curves: .*history\.json: no epoch of the training was completed\n$/);
    await writeFile(path, '{');
    t.match((await run()).errors, /^curves: .*history\.json is not JSON\n$/);
    await writeFile(path, JSON.stringify({ ...history, loss: [0.7, 'low'] }));
    const { code, errors } = await run();
    t.equal(code, 1);
    t.match(errors, /^curves: .*history\.json is no history of a training\n$/);
  });
});

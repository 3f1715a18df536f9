import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'tape';
import { experimentsFor } from '../../examples/reproduce/experiments.js';
import { type Outcome, secondsAsInArticle } from '../../examples/reproduce/experiment.js';
import { readOptions } from '../../examples/reproduce/options.js';
import { numbersOf, pageOf } from '../../examples/reproduce/page.js';
import { readScenes } from '../../examples/reproduce/scenes.js';
import { DataError, OptionError } from '../../lib/index.js';
import { refuses, rejects } from '../support/errors.js';

const CPU = { kind: 'cpu', description: 'a CPU', threads: 2, software: true, reason: 'asked for' } as const;

test('scenes are read, and what is no such file is refused', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'scenes-'));
  const written = (text: string): string => {
    const path = join(folder, 'scenes.json');
    writeFileSync(path, text);
    return path;
  };
  const path = written('{ "scenes": { "cloth": ["A/1.png"], "metal": ["A/2.png", "B/1.png"] } }');
  t.deepEqual(await readScenes(path, ['B/1.png', 'A/1.png']), ['metal', 'cloth']);
  await rejects(t, readScenes(path, ['B/2.png']), DataError, 'scenes.json', 'B/2.png');
  const twice = written('{ "scenes": { "cloth": ["A/1.png"], "metal": ["A/1.png"] } }');
  await rejects(t, readScenes(twice, ['A/1.png']), DataError, 'A/1.png', 'cloth', 'metal');
  await rejects(t, readScenes(written('{ "scenes": [1] }'), []), DataError, 'expected { "scenes"');
  await rejects(t, readScenes(written('{ "scenes": '), []), DataError, 'is no JSON');
  rmSync(folder, { recursive: true });
});

test('the options of reproduce', (t) => {
  t.equal(readOptions(['--help']), undefined);
  t.equal(readOptions([])?.epochs, 40);
  t.equal(readOptions(['--data', 'x'])?.epochs, 400, "photos of one's own: the whole recipe");
  t.equal(readOptions(['--data', 'x'])?.test, undefined, 'nothing is predicted');
  refuses(t, () => readOptions(['--scene', 'x']), OptionError, '--scene', '--scenes');
  refuses(t, () => readOptions(['--seeds', '0']), OptionError, '--seeds 0');
  t.end();
});

test('the page has the article beside what was found', (t) => {
  const [experiment] = experimentsFor(CPU);
  if (!experiment) throw new Error('there are no experiments');
  const numbers = { loss: [0.7], validationLoss: [0.69], accuracy: [0.5], validationAccuracy: [0.625], seconds: [2] };
  const outcome: Outcome = {
    ...{ experiment, parameters: 471_002, pictures: 4752, history: numbers, seconds: 8, memory: 2 ** 24 },
  };
  t.equal(
    secondsAsInArticle(outcome)?.toFixed(3),
    ((8 * 0.8 * 124 * 48) / 4752).toFixed(3),
    'as many pictures as there',
  );
  const score = {
    ...{ accuracy: 0.8, bySeed: [0.8], byFold: [], deviationOfFolds: 0.1, deviationOfSeeds: 0 },
    ...{ byGroup: [{ group: 'cloth', count: 5, accuracy: 0.6 }], right: Int32Array.of(1) },
  };
  const scores = { 'one view': score, 'eight views': { ...score, accuracy: 0.9 } };
  const judgement = { validation: { scores, measured: { training: 0.97 } }, seconds: [50, 60], pictures: 124 };
  const findings = {
    ...{ data: 'photos', device: CPU, machine: '2 × a processor', outcomes: [outcome] },
    ...{ judgement, judgedEpochs: 400, seconds: 600 },
  };
  const page = pageOf(findings);
  for (const part of ['471,002', '62.5', '40 / 680', '0.800', '0.900', '| cloth |', '97.0 %', 'mynet-curves.svg']) {
    t.ok(page.includes(part), part);
  }
  t.notOk(page.includes('mynet-predictions.svg'), 'nothing was predicted');
  t.ok(JSON.stringify(numbersOf(findings)).includes('"parameters":471002'));
  t.end();
});

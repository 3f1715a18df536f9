import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'tape';
import {
  accuracy,
  type Callback,
  confusionMatrix,
  DataError,
  fit,
  type FitOptions,
  SGD,
  type TrainingCheckpoint,
  trainingCheckpointOf,
} from '../../../lib/index.js';
import { csvLog, jsonLinesLog } from '../../../lib/node/index.js';
import { rejects } from '../../support/errors.js';
import { clouds, net } from '../../train/examples.js';

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kernelwright-logs-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const train = (callbacks: readonly Callback[], options: Partial<FitOptions> = {}) =>
  fit(net(4, 0), clouds(20, 6), {
    ...{ epochs: 3, batchSize: 8, optimizer: new SGD({ learningRate: 0.1 }), callbacks },
    ...options,
  });

test('csvLog writes a row for each epoch, which reads as the history', async (t) => {
  await inFolder(async (folder) => {
    const path = join(folder, 'new', 'log.csv');
    const {
      loss,
      accuracy: hits,
      validationLoss,
      validationAccuracy,
      seconds,
    } = await train([csvLog(path)], {
      validation: clouds(6, 6, 2),
    });
    const lines = (await readFile(path, 'utf8')).split('\r\n');
    t.equal(lines[0], 'epoch,loss,accuracy,validationLoss,validationAccuracy,seconds');
    t.equal(lines.length, 5);
    t.equal(lines[4], '', 'the last line ends');
    loss.forEach((value, i) => {
      const expected = [i + 1, value, hits[i], validationLoss[i], validationAccuracy[i], seconds[i]];
      t.deepEqual(lines[i + 1]?.split(',').map(Number), expected);
    });
  });
});

test('jsonLinesLog writes an object for each epoch', async (t) => {
  await inFolder(async (folder) => {
    const path = join(folder, 'log.jsonl');
    const { loss, accuracy: hits, seconds } = await train([jsonLinesLog(path)]);
    const lines = (await readFile(path, 'utf8')).split('\n');
    t.equal(lines.pop(), '');
    t.deepEqual(
      lines.map((line): unknown => JSON.parse(line)),
      loss.map((value, i) => ({ epoch: i + 1, loss: value, accuracy: hits[i], seconds: seconds[i] })),
    );
  });
});

test('what a metric has for each class is one field', async (t) => {
  await inFolder(async (folder) => {
    const [csv, json] = [join(folder, 'log.csv'), join(folder, 'log.jsonl')];
    const metrics = { accuracy, 'table, "whole"': confusionMatrix() };
    const history = await fit(net(4, 0), clouds(20, 6), {
      ...{ epochs: 1, optimizer: new SGD({ learningRate: 0.1 }), metrics },
      callbacks: [csvLog(csv), jsonLinesLog(json)],
    });
    const [table] = history['table, "whole"'];
    const [head = '', row = ''] = (await readFile(csv, 'utf8')).split('\r\n');
    t.equal(head, 'epoch,loss,accuracy,"table, ""whole""",seconds');
    t.ok(row.includes(`,"${JSON.stringify(table)}",`), row);
    const line = JSON.parse(await readFile(json, 'utf8')) as Record<string, unknown>;
    t.deepEqual(line['table, "whole"'], table);
  });
});

test('the file is whole after each epoch, and a second training begins it anew', async (t) => {
  await inFolder(async (folder) => {
    const path = join(folder, 'log.jsonl');
    const lengths: number[] = [];
    const looking: Callback = {
      onEpochEnd: async () => void lengths.push((await readFile(path, 'utf8')).split('\n').length - 1),
    };
    const log = jsonLinesLog(path);
    await writeFile(path, 'of yesterday');
    await train([log, looking]);
    await train([log, looking], { epochs: 2 });
    t.deepEqual(lengths, [1, 2, 3, 1, 2]);
    await train([log], { epochs: 0 });
    t.equal(await readFile(path, 'utf8'), '');
  });
});

test('a training that is resumed has each epoch once in its logs, also those behind the checkpoint', async (t) => {
  await inFolder(async (folder) => {
    const [csv, json] = [join(folder, 'log.csv'), join(folder, 'log.jsonl')];
    const logs = (): Callback[] => [csvLog(csv), jsonLinesLog(json)];
    let checkpoint: TrainingCheckpoint | undefined;
    const saving: Callback = {
      everySteps: 1,
      onStepEnd: async (run) => {
        if (run.step === 7) checkpoint = await trainingCheckpointOf(run); // in epoch 3
        if (run.step === 13) run.stop();
      },
    };
    await train([...logs(), saving], { epochs: 6, seed: 3 });
    const linesOf = async (path: string): Promise<string[]> => (await readFile(path, 'utf8')).trim().split(/\r?\n/);
    const before = [await linesOf(csv), await linesOf(json)] as const;
    t.deepEqual([before[0].length, before[1].length], [5, 4]);
    if (!checkpoint) throw new Error('it was saved');
    const { loss } = await train(logs(), { epochs: 6, seed: 3, resume: checkpoint });
    const [rows, objects] = [await linesOf(csv), await linesOf(json)];
    t.deepEqual(rows.slice(0, 3), before[0].slice(0, 3), 'the rows ahead of the checkpoint are the same');
    t.deepEqual(objects.slice(0, 2), before[1].slice(0, 2));
    const numbers = loss.map((value, i) => [i + 1, value]);
    t.deepEqual(rows.slice(1).map((row) => row.split(',').slice(0, 2).map(Number)), numbers); // prettier-ignore
    const parsed = objects.map((line) => JSON.parse(line) as Record<string, unknown>);
    t.deepEqual(parsed.map((own) => [own['epoch'], own['loss']]), numbers); // prettier-ignore
    t.equal(loss.length, 6);
  });
});

test('a log that cannot be written ends the training before its first step', async (t) => {
  await inFolder(async (folder) => {
    for (const log of [csvLog(folder), jsonLinesLog(folder)]) {
      const optimizer = new SGD({ learningRate: 0.1 });
      await rejects(t, train([log], { optimizer }), DataError, 'Cannot write', folder);
      t.equal(optimizer.step, 0);
    }
  });
});

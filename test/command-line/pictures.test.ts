import { join } from 'node:path';
import test from 'tape';
import { readTrainingPictures } from '../../lib/command-line/training/pictures.js';
import { DataError } from '../../lib/errors.js';
import { splitByClass } from '../../lib/index.js';
import { imageFolder } from '../../lib/node/index.js';
import { rejects } from '../support/errors.js';
import { colouredPng, withFiles } from '../support/picture-files.js';

const SIZE = { width: 12, height: 8 };
const ASKED = { validationSplit: 0.5, seed: 3, audit: true, verbose: false };
const HOW = { size: { width: 4, height: 4 }, layout: 'channels-last' } as const;

/** So many pictures in each of two classes, all different. */
function classes(folder: string, count: number, seed = 0): Record<string, Uint8Array> {
  const files = Array.from({ length: 2 * count }, (_, i) => `${folder}${'ab'[i % 2] ?? ''}/${i}.png`);
  return Object.fromEntries(files.map((file, i) => [file, colouredPng(SIZE, seed + i)]));
}

test('of pictures that are not divided a share of each class is held out', async (t) => {
  await withFiles({ ...classes('set/', 4), ...classes('other/', 1, 20) }, async (folder) => {
    const [data, other] = [join(folder, 'set'), join(folder, 'other')];
    const lines: string[] = [];
    const say = (line: string): number => lines.push(line);
    const { training, validation, test } = await readTrainingPictures({ ...ASKED, data, test: other }, HOW, say);
    const read = await imageFolder(data, { size: { width: 4, height: 4 }, layout: 'channels-last', dtype: 'u8' });
    t.deepEqual({ training, validation }, splitByClass(read, { validation: 0.5, seed: 3 }));
    t.deepEqual(test?.files, ['a/0.png', 'b/1.png']);
    t.equal(lines[0], 'Pictures: 8 to train on, 2 to test; 2 classes');
    await readTrainingPictures({ ...ASKED, data, test: undefined, audit: false }, HOW, () =>
      t.fail('nothing was asked'),
    );
  });
});

test('of pictures that are divided each part is what it is called', async (t) => {
  const copy = { 'valid/a/copy.png': colouredPng(SIZE, 0) };
  const files = { ...classes('train/', 2), ...classes('valid/', 1, 20), ...classes('test/', 1, 30), ...copy };
  await withFiles(files, async (data) => {
    const lines: string[] = [];
    const read = await readTrainingPictures({ ...ASKED, data, test: undefined }, HOW, (line) => lines.push(line));
    t.deepEqual(
      [read.training, read.validation, read.test].map((part) => part?.labels.length),
      [4, 3, 2],
    );
    t.ok(lines.includes('The same picture in two parts, once: train/a/0.png = valid/a/copy.png'), lines.join('\n'));
    const own = await readTrainingPictures({ ...ASKED, data, test: join(data, 'train') }, HOW, () => undefined);
    t.equal(own.test?.labels.length, 4, 'test pictures that are named go first');
  });
});

test('what cannot be read ends it with the reasons', async (t) => {
  await withFiles({ ...classes('', 1), 'a/cut.png': colouredPng(SIZE).subarray(0, -4) }, async (data) => {
    const read = readTrainingPictures({ ...ASKED, data, test: undefined }, HOW, () => undefined);
    await rejects(t, read, DataError, '1 of 3 pictures', 'a/cut.png: it is cut off');
  });
});

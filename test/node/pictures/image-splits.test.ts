import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'tape';
import { DataError, OptionError } from '../../../lib/errors.js';
import { imageFolder, imageSplits } from '../../../lib/node/index.js';
import { splitFolders } from '../../../lib/node/pictures/image-splits.js';
import { rejects } from '../../support/errors.js';
import { grey, jpeg, withFiles } from '../../support/picture-files.js';

const WHOLE = {
  'train/a/1.png': grey(1),
  'train/a/2.png': grey(2),
  'train/b/1.png': grey(3),
  'valid/a/1.png': grey(4),
  'valid/b/1.png': grey(5),
  'test/a/1.png': grey(6),
  'test/b/1.png': grey(7),
  'README.md': 'no folder',
  '.git/config': 'hidden',
};

test('the parts of a divided set are read, each as imageFolder reads it', async (t) => {
  await withFiles(WHOLE, async (folder) => {
    const seen: string[] = [];
    const splits = await imageSplits(folder, {
      dtype: 'u8',
      onProgress: (done, total) => seen.push(`${done}/${total}`),
    });
    t.deepEqual(splits, {
      training: await imageFolder(join(folder, 'train'), { dtype: 'u8' }),
      validation: await imageFolder(join(folder, 'valid'), { dtype: 'u8' }),
      test: await imageFolder(join(folder, 'test'), { dtype: 'u8' }),
    });
    t.deepEqual(splits.training.files, ['a/1.png', 'a/2.png', 'b/1.png']);
    t.deepEqual(seen, ['1/7', '2/7', '3/7', '4/7', '5/7', '6/7', '7/7'], 'progress counts over all parts');
  });
});

test('other names of the parts are known, and parts may be missing', async (t) => {
  const cases = { training: 'Training', validation: 'val', test: 'TEST' };
  for (const names of [
    cases,
    { training: 'train', validation: 'validation' },
    { training: 'train', test: 'testing' },
  ]) {
    const files = Object.values(names).flatMap((name) => [`${name}/a/1.png`, `${name}/b/1.png`]);
    await withFiles(Object.fromEntries(files.map((file) => [file, grey(1)])), async (folder) => {
      t.deepEqual(Object.keys(await imageSplits(folder)), Object.keys(names), Object.values(names).join());
    });
  }
});

test('a folder that is not divided is told from one that is', async (t) => {
  const classes = { 'train/1.png': grey(1), 'bus/1.png': grey(2) };
  await withFiles(classes, async (folder) => {
    t.equal(await splitFolders(folder), undefined, 'one of its classes is trains');
    await rejects(t, imageSplits(folder), DataError, 'is not divided: it holds bus, train; expected train, valid');
  });
  await withFiles({ 'test/a/1.png': grey(1), 'val/a/1.png': grey(1) }, async (folder) => {
    await rejects(t, imageSplits(folder), DataError, 'is not divided: it holds test, val;');
    await rejects(t, imageSplits(join(folder, 'none')), DataError, 'none: there is no such file or folder');
  });
});

test('two folders of one part, and classes that differ, are refused by name', async (t) => {
  await withFiles({ ...WHOLE, 'val/a/1.png': grey(1) }, async (folder) => {
    await rejects(t, imageSplits(folder), DataError, 'has two folders of one part: val and valid');
    await rm(join(folder, 'val'), { recursive: true });
    await mkdir(join(folder, 'train', 'empty'));
    await rejects(t, imageSplits(folder), DataError, `No picture in ${join(folder, 'train', 'empty')}`);
    await rm(join(folder, 'train', 'empty'), { recursive: true });
    await rm(join(folder, 'test', 'a'), { recursive: true });
    await mkdir(join(folder, 'test', 'c'));
    await rejects(t, imageSplits(folder), DataError, 'No picture in');
  });
  await withFiles({ ...WHOLE, 'test/c/1.png': grey(1), 'valid/d/1.png': grey(1) }, async (folder) => {
    await rejects(
      t,
      imageSplits(folder),
      DataError,
      `The classes differ: ${join(folder, 'train')} has no d, c; ${join(folder, 'valid')} has no c; ${join(folder, 'test')} has no d`,
    );
  });
});

test('what cannot be read is listed for all parts, and sizes must agree across them', async (t) => {
  const whole = grey(1);
  await withFiles({ ...WHOLE, 'train/a/1.png': '', 'test/b/1.png': whole.subarray(0, -5) }, async (folder) => {
    await rejects(
      t,
      imageSplits(folder),
      DataError,
      `1 of 3 pictures in ${join(folder, 'train')}`,
      'a/1.png: the file is',
    );
    await rejects(
      t,
      imageSplits(folder),
      DataError,
      `1 of 2 pictures in ${join(folder, 'test')}`,
      'b/1.png: it is cut',
    );
  });
  const large = await jpeg({ width: 3, height: 5 });
  await withFiles({ ...WHOLE, 'test/a/1.png': large, 'test/b/1.png': large }, async (folder) => {
    await rejects(
      t,
      imageSplits(folder),
      DataError,
      `pictures of ${join(folder, 'test')} are 3 x 5 x 3, not 3 x 2 x 2`,
    );
    t.deepEqual((await imageSplits(folder, { size: { width: 2, height: 2 } })).test?.inputShape, [3, 2, 2]);
  });
});

test('options that are none are refused', async (t) => {
  await rejects(t, imageSplits('x', { siez: 1 } as never), OptionError, "imageSplits: unknown option 'siez'");
  await rejects(t, imageSplits(1 as never), OptionError, 'imageSplits: directory must be a text');
  await rejects(t, imageSplits('x', { onProgress: 1 } as never), OptionError, 'onProgress must be a function');
});

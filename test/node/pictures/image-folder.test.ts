import { mkdir, rm, symlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'tape';
import { resizeBilinear } from '../../../lib/data/resize.js';
import { OptionError } from '../../../lib/errors.js';
import { makePipe, withSocket } from '../../support/special-files.js';
import { imageFolder, type ImageFolderOptions } from '../../../lib/node/pictures/image-folder.js';
import { refusal, rejects } from '../../support/errors.js';
import { grey, png, withFiles } from '../../support/picture-files.js';

const refusalOf = (folder: string, options?: ImageFolderOptions): Promise<string> =>
  refusal(imageFolder(folder, options));

test('classes and files are sorted by code point, and stray files are passed over', async (t) => {
  const files = {
    'b/2.png': grey(40),
    'b/10.PNG': grey(30),
    'B/x.png': grey(20),
    '\uff9e/x.png': grey(50), // before the next one by code point, after it in UTF-16
    '\u{1f527}/x.png': grey(60),
    'b/notes.txt': 'not a picture',
    'b/.hidden.png': 'not a picture',
    'b/Thumbs.db': 'not a picture',
    'b/deeper/y.png': grey(45),
    'b/deeper/.hidden/x.png': 'not a picture',
    'b/deeper/still/notes.txt': 'not a picture',
    '.git/x.png': 'not a class',
    'README.md': 'not a class',
    '.DS_Store': 'not a class',
  };
  await withFiles(files, async (folder) => {
    const set = await imageFolder(folder);
    t.deepEqual(set.classNames, ['B', 'b', '\uff9e', '\u{1f527}']);
    t.deepEqual(set.files, ['B/x.png', 'b/10.PNG', 'b/2.png', 'b/deeper/y.png', '\uff9e/x.png', '\u{1f527}/x.png']);
    t.deepEqual(set.labels, Int32Array.of(0, 1, 1, 1, 2, 3));
    t.deepEqual(set.inputShape, [3, 2, 2]);
    const firsts = set.files.map((_, i) => set.inputs[12 * i] ?? NaN);
    t.deepEqual(
      firsts,
      [20, 30, 40, 45, 50, 60].map((value) => Math.fround(value / 255)),
      'each picture is in its place',
    );
    t.equal(set.inputs.length, 72);
  });
});

test('numbers are v / 255 in the order channel, row, column, or row, column, channel', async (t) => {
  const picture = png(
    3,
    2,
    [1, 2, 3, 255, 4, 5, 6, 255, 7, 8, 9, 255, 10, 11, 12, 255, 13, 14, 15, 255, 16, 17, 18, 255],
  );
  await withFiles({ 'a/1.png': picture, 'b/1.png': grey(255, 3, 2) }, async (folder) => {
    const first = await imageFolder(folder);
    t.deepEqual(first.inputShape, [3, 2, 3]);
    const planes = [1, 4, 7, 10, 13, 16, 2, 5, 8, 11, 14, 17, 3, 6, 9, 12, 15, 18];
    t.deepEqual(
      first.inputs.subarray(0, 18),
      Float32Array.from(planes, (value) => value / 255),
    );
    t.deepEqual([...first.inputs.subarray(18)], Array(18).fill(1));
    const last = await imageFolder(folder, { layout: 'channels-last' });
    t.deepEqual(last.inputShape, [2, 3, 3]);
    t.deepEqual(
      last.inputs.subarray(0, 18),
      Float32Array.from({ length: 18 }, (_, i) => (i + 1) / 255),
    );
  });
});

test('bytes are kept as they are, with the scale that makes them the same numbers', async (t) => {
  const picture = png(2, 1, [1, 2, 3, 255, 254, 255, 0, 255]);
  await withFiles({ 'a/1.png': picture, 'b/1.png': grey(7, 2, 1) }, async (folder) => {
    for (const layout of ['channels-first', 'channels-last'] as const) {
      const [floats, bytes] = [
        await imageFolder(folder, { layout }),
        await imageFolder(folder, { layout, dtype: 'u8' }),
      ];
      t.ok(bytes.inputs instanceof Uint8Array && floats.inputs instanceof Float32Array);
      t.deepEqual(bytes.inputShape, floats.inputShape);
      const { scale = NaN } = bytes;
      t.deepEqual(
        Float32Array.from(bytes.inputs, (byte) => byte * scale),
        floats.inputs,
        layout,
      );
      t.notOk('scale' in floats);
    }
    await rejects(t, imageFolder(folder, { dtype: 'f64' } as object), OptionError, 'imageFolder: dtype', 'f64');
  });
});

test('pictures of any size are resized, and transparent ones laid over the background', async (t) => {
  const wide = Array.from({ length: 12 * 5 * 4 }, (_, i) => (i % 4 === 3 ? 255 : (i * 37) % 256));
  await withFiles({ 'a/1.png': png(12, 5, wide), 'b/1.png': png(1, 1, [9, 9, 9, 0]) }, async (folder) => {
    const size = { width: 4, height: 3 };
    const { inputs, inputShape } = await imageFolder(folder, {
      size,
      background: [255, 0, 51],
      layout: 'channels-last',
    });
    t.deepEqual(inputShape, [3, 4, 3]);
    const rgb = Uint8Array.from(wide.filter((_, i) => i % 4 !== 3));
    const expected = resizeBilinear(rgb, { width: 12, height: 5, channels: 3 }, size);
    t.deepEqual(
      inputs.subarray(0, 36),
      Float32Array.from(expected, (value) => value / 255),
    );
    t.deepEqual(inputs.subarray(36, 39), Float32Array.of(1, 0, 0.2));
  });
});

test('all pictures that cannot be used are listed at once', async (t) => {
  const whole = grey(1);
  const files = {
    'a/1.png': whole,
    'a/cut.png': whole.subarray(0, -7),
    'a/photo.jpg': 'a JPEG',
    'b/1.png': whole,
    'b/cut.jpg': Buffer.from('\xff\xd8\xff\xe0', 'latin1'),
    'b/empty.png': '',
    'b/moving.GIF': 'GIF89a',
  };
  await withFiles(files, async (folder) => {
    const lines = (await refusalOf(folder, { size: { width: 2, height: 2 } })).split('\n');
    t.equal(lines[0], `5 of 7 pictures in ${folder} cannot be used:`);
    t.match(lines[1] ?? '', /^ {2}a\/cut\.png: it is cut off/);
    t.equal(lines[2], '  a/photo.jpg: it is no picture that is known; PNG and JPEG are read: convert it');
    t.equal(lines[3], '  b/cut.jpg: it is cut off: 4 bytes, before its size');
    t.equal(lines[4], '  b/empty.png: the file is empty');
    t.equal(lines[5], '  b/moving.GIF: it is a GIF file; PNG and JPEG are read: convert it');
    t.equal(lines.length, 6);
  });
});

test('without a size, pictures of another size than the first are listed', async (t) => {
  await withFiles({ 'a/1.png': grey(1), 'a/2.png': grey(1, 3, 2), 'b/1.png': grey(1, 2, 5) }, async (folder) => {
    const message = await refusalOf(folder);
    t.match(message, /2 of 3 pictures/);
    t.match(message, /a\/2\.png: 3 x 2 pixels, not 2 x 2; give the option size/);
    t.match(message, /b\/1\.png: 2 x 5 pixels/);
    t.equal(await refusalOf(folder, { size: { width: 2, height: 2 } }), 'done', 'with a size they are read');
  });
});

test('a folder that is no set of classes is refused with the reason', async (t) => {
  await withFiles(
    { 'a/1.png': grey(1), 'b/1.png': grey(1), 'one/a/1.png': grey(1), 'flat/1.png': grey(1) },
    async (folder) => {
      t.match(await refusalOf(join(folder, 'none')), /none: there is no such file or folder$/);
      t.match(await refusalOf(join(folder, 'a', '1.png')), /1\.png: it is not a folder$/);
      t.match(await refusalOf(join(folder, 'flat')), /flat has no sub-folder/);
      t.match(await refusalOf(join(folder, 'one')), /one has one class only, a;/);
      await mkdir(join(folder, 'empty'));
      t.match(await refusalOf(join(folder, 'empty')), /empty has no sub-folder/);
    },
  );
});

test('classes without a picture are all named', async (t) => {
  const files = { 'a/1.png': grey(1), 'b/notes.txt': 'no picture', 'c/deeper/notes.txt': 'no picture' };
  await withFiles(files, async (folder) => {
    t.equal(await refusalOf(folder), `No picture in ${join(folder, 'b')}, ${join(folder, 'c')}`);
  });
});

test('links are followed, and a link to nowhere is listed as broken', async (t) => {
  await withFiles({ 'a/1.png': grey(1), 'elsewhere/.x': '', '.store/1.png': grey(2) }, async (folder) => {
    await rm(join(folder, 'elsewhere'), { recursive: true });
    try {
      await symlink(join(folder, '.store'), join(folder, 'b'));
      await symlink(join(folder, '.store', '1.png'), join(folder, 'a', '2.png'));
    } catch {
      t.skip('this system does not let us make links');
      return;
    }
    t.deepEqual((await imageFolder(folder)).files, ['a/1.png', 'a/2.png', 'b/1.png']);
    await symlink('..', join(folder, 'a', 'round'));
    await symlink(join(folder, '.store'), join(folder, 'a', 'more'));
    t.deepEqual(
      (await imageFolder(folder)).files,
      ['a/1.png', 'a/2.png', 'a/more/1.png', 'a/round/b/1.png', 'b/1.png'],
      'a link that leads back up is followed once',
    );
    await rm(join(folder, 'a', 'round'));
    await rm(join(folder, 'a', 'more'));
    await symlink(join(folder, 'nowhere'), join(folder, 'a', '3.png'));
    t.match(await refusalOf(folder), /1 of 4 .*\n {2}a\/3\.png: there is no such file or folder$/);
  });
});

test('what is no file is listed, and neither waited for nor read without end', async (t) => {
  await withFiles({ 'a/1.png': grey(1), 'b/1.png': grey(1), 'b/folder.png/notes': 'passed over' }, async (folder) => {
    const at = (name: string) => join(folder, 'a', name);
    makePipe(at('pipe.png'));
    makePipe(at('notes')); // no picture, so not listed
    await symlink('pipe.png', at('to a pipe.png'));
    await symlink('/dev/zero', at('endless.png'));
    await symlink('/dev/null', at('null.png'));
    await symlink(at('round.png'), at('round.png'));
    await symlink(at('nowhere'), at('dangling.png'));
    await withSocket(at('socket.png'), async () => {
      const lines = (await refusalOf(folder)).split('\n');
      t.deepEqual(lines, [
        `7 of 9 pictures in ${folder} cannot be used:`,
        '  a/dangling.png: there is no such file or folder',
        '  a/endless.png: it is a device',
        '  a/null.png: it is a device',
        '  a/pipe.png: it is a named pipe',
        '  a/round.png: its links lead round in a circle',
        '  a/socket.png: it is a socket',
        '  a/to a pipe.png: it is a named pipe',
      ]);
    });
  });
});

test('a large file is looked at before it is read', async (t) => {
  const whole = grey(1);
  const files = {
    'a/1.png': whole,
    'b/zeros.png': '',
    'b/tail.png': whole,
    'b/header.png': whole.subarray(0, 33),
    'b/short.png': whole.subarray(0, 20),
  };
  await withFiles(files, async (folder) => {
    // Files of nothing but a length: 1.9 GB each, which take no room on the disk.
    for (const name of ['zeros', 'tail', 'header']) await truncate(join(folder, 'b', `${name}.png`), 1.9e9);
    const before = process.memoryUsage.rss();
    t.deepEqual((await refusalOf(folder)).split('\n').slice(1), [
      '  b/header.png: the file has 1900000000 bytes; a picture of 2 x 2 pixels has less than 67108885',
      '  b/short.png: it is cut off: chunk IHDR at byte 8 goes on to 33 of 20 bytes',
      '  b/tail.png: the file has 1900000000 bytes; a picture of 2 x 2 pixels has less than 67108885',
      '  b/zeros.png: it is no picture that is known; PNG and JPEG are read: convert it',
    ]);
    t.ok(process.memoryUsage.rss() - before < 1e9, 'none of them was read');
    await truncate(join(folder, 'b', 'tail.png'), 10_000_000);
    await rm(join(folder, 'b', 'zeros.png'));
    await rm(join(folder, 'b', 'header.png'));
    await rm(join(folder, 'b', 'short.png'));
    t.equal(await refusalOf(folder), 'done', 'some bytes behind the end mark are ignored');
  });
});

test('pictures of more pixels than the limit are refused', async (t) => {
  await withFiles({ 'a/1.png': grey(1, 5, 4), 'b/1.png': grey(1, 4, 5) }, async (folder) => {
    t.equal(await refusalOf(folder, { maxPixels: 20, size: { width: 2, height: 2 } }), 'done');
    t.deepEqual((await refusalOf(folder, { maxPixels: 19, size: { width: 2, height: 2 } })).split('\n'), [
      `2 of 2 pictures in ${folder} cannot be used:`,
      '  a/1.png: a picture of 5 x 4 pixels; at most 19 are read (the option maxPixels)',
      '  b/1.png: a picture of 4 x 5 pixels; at most 19 are read (the option maxPixels)',
    ]);
  });
});

test('names reach messages without what a terminal would obey', async (t) => {
  const files = {
    'a\x1b[31m/x\ny.png': 'broken',
    'a\x1b[31m/\u202egnp.png': grey(1),
    'a\x1b[31m/\x9b2J.gif': '',
    'b/1.png': grey(1, 3, 3),
  };
  await withFiles(files, async (folder) => {
    t.deepEqual((await refusalOf(folder)).split('\n').slice(1), [
      '  a\\u{1b}[31m/x\\u{a}y.png: it is no picture that is known; PNG and JPEG are read: convert it',
      '  a\\u{1b}[31m/\\u{9b}2J.gif: the file is empty',
      '  b/1.png: 3 x 3 pixels, not 2 x 2; give the option size',
    ]);
    await rm(join(folder, 'b'), { recursive: true });
    t.match(await refusalOf(folder), /one class only, a\\u\{1b\}\[31m;/);
    t.match(await refusalOf(join(folder, 'no\x1bwhere')), /no\\u\{1b\}where: there is no such/);
    await mkdir(join(folder, 'c\rd'));
    t.match(await refusalOf(folder), /^No picture in .*c\\u\{d\}d$/);
  });
});

test('options out of range are refused before anything is read', async (t) => {
  const cases: [ImageFolderOptions, RegExp][] = [
    [{ size: { width: 0, height: 2 } }, /size: width must be a whole number of 1 or more, found 0/],
    [{ size: { width: 2, height: 1.5 } }, /size: height must be a whole number of 1 or more, found 1\.5/],
    [{ size: { width: -2, height: 2 } }, /size: width must be a whole number of 1 or more, found -2/],
    [{ background: [0, 0, 256] }, /background must be three whole numbers from 0 to 255/],
    [{ background: [0, 0.5, 0] }, /background must be three whole numbers from 0 to 255/],
    // @ts-expect-error The type forbids it; JavaScript does not.
    [{ layout: 'NCHW' }, /layout must be 'channels-first' or 'channels-last', found "NCHW"/],
    [{ maxPixels: 0 }, /maxPixels must be a whole number of 1 or more, found 0/],
    [{ maxPixels: NaN }, /maxPixels must be/],
    [{ size: { width: 1e6, height: 1e6 } }, /size 1000000 x 1000000 has more pixels than maxPixels, 67108864/],
    // @ts-expect-error The type forbids it; JavaScript does not.
    [{ size: 28 }, /size must be an object with width and height, found 28/],
    // @ts-expect-error The type forbids it; JavaScript does not.
    [{ size: { width: 28 } }, /size: height must be a whole number of 1 or more, found undefined/],
    // @ts-expect-error The type forbids it; JavaScript does not.
    [{ size: { width: 28, hieght: 28 } }, /size: unknown option 'hieght' \(did you mean 'height'\?\)/],
    // @ts-expect-error The type forbids it; JavaScript does not.
    [{ bakground: [0, 0, 0] }, /unknown option 'bakground' \(did you mean 'background'\?\)/],
    // @ts-expect-error The type forbids it; JavaScript does not.
    [{ background: [0, 0] }, /background must be/],
    // @ts-expect-error The type forbids it; JavaScript does not.
    [null, /options must be an object, found null/],
  ];
  for (const [options, reason] of cases) {
    await imageFolder('/does/not/exist', options).then(
      () => {
        t.fail('it was read');
      },
      (error: unknown) => {
        t.ok(error instanceof OptionError, String(error));
        t.match(String(error), reason);
      },
    );
  }
});

import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import test from 'tape';
import { DataError, OptionError } from '../../../lib/errors.js';
import { audit, auditLines, type AuditReport } from '../../../lib/node/index.js';
import { rejects, refuses } from '../../support/errors.js';
import { colouredPng, grey, jpeg, png, withFiles } from '../../support/picture-files.js';

const SIZE = { width: 48, height: 32 };

/** The files of each group, and what is said of it. */
function groupsOf({ duplicates }: AuditReport): string[] {
  return duplicates.map(({ isExact, isAcrossSplits, isAcrossClasses, pictures }) =>
    [
      isExact ? 'exact' : 'near',
      ...(isAcrossSplits ? ['splits'] : []),
      ...(isAcrossClasses ? ['classes'] : []),
      pictures.map(({ file }) => file).join(' = '),
    ].join(' '),
  );
}

test('a folder with all that can be wrong: the report says all of it', async (t) => {
  const turned = (picture: Sharp): Sharp => picture.withMetadata({ orientation: 6 });
  const files = {
    'train/a/1.png': colouredPng(SIZE, 1),
    'train/a/2.png': colouredPng(SIZE, 2),
    'train/a/cut.png': colouredPng(SIZE, 3).subarray(0, -9),
    'train/a/dot.png': grey(7, 1, 1),
    'train/a/.hidden.png': 'passed over',
    'train/a/no ending': colouredPng(SIZE, 8),
    'valid/b/deeper/notes.txt': 'passed over, and named',
    'train/b/3.png': colouredPng(SIZE, 4),
    'train/b/turned.jpg': await jpeg(SIZE, { seed: 5 }, turned),
    'train/b/deeper/\u{1f527} odd "name".png': colouredPng(SIZE, 6),
    'train/b/photo.jpg': await sharp({ create: { width: 2000, height: 1500, channels: 3, background: '#36c' } })
      .jpeg()
      .toBuffer(),
    'valid/a/copy.png': colouredPng(SIZE, 1),
    'valid/a/4.png': colouredPng(SIZE, 7),
    'valid/b/near.jpg': await jpeg(SIZE, { seed: 4, quality: 70 }),
    'valid/b/other class.png': colouredPng(SIZE, 7),
    'valid/b/no.gif': 'GIF89a',
  };
  await withFiles(files, async (folder) => {
    await symlink(join(folder, 'nowhere'), join(folder, 'valid', 'a', 'lost.png'));
    const seen: number[] = [];
    const report = await audit(folder, { onProgress: (done, total) => seen.push(done, total) });
    t.deepEqual(seen.slice(-2), [14, 14]);
    t.deepEqual(report.classNames, ['a', 'b']);
    t.deepEqual(report.splits, [
      { name: 'training', folder: join(folder, 'train'), counts: [4, 4] },
      { name: 'validation', folder: join(folder, 'valid'), counts: [3, 3] },
    ]);
    t.deepEqual(report.unreadable, [
      { file: 'train/a/cut.png', split: 'training', className: 'a', reason: report.unreadable[0]?.reason ?? '' },
      { file: 'valid/a/lost.png', split: 'validation', className: 'a', reason: 'there is no such file or folder' },
      {
        file: 'valid/b/no.gif',
        split: 'validation',
        className: 'b',
        reason: 'it is a GIF file; PNG and JPEG are read: convert it',
      },
    ]);
    t.match(report.unreadable[0]?.reason ?? '', /^it is cut off/);
    t.deepEqual(report.passedOver, ['train/a/no ending', 'valid/b/deeper/notes.txt']);
    t.deepEqual(groupsOf(report), [
      'exact splits train/a/1.png = valid/a/copy.png',
      'exact classes valid/a/4.png = valid/b/other class.png',
      'near splits train/b/3.png = valid/b/near.jpg',
    ]);
    t.deepEqual(report.sizes[0], { ...SIZE, count: 8 });
    t.ok(
      report.sizes.some(({ width, height }) => width === 32 && height === 48),
      'the turned one',
    );
    t.deepEqual(
      report.odd.map(({ file, oddity, width, height }) => `${file} ${oddity} ${width} x ${height}`),
      [
        'train/a/dot.png tiny 1 x 1',
        'train/a/dot.png grey 1 x 1',
        'train/b/photo.jpg huge 2000 x 1500',
        'train/b/turned.jpg elongated 32 x 48',
      ],
    );
    t.deepEqual(JSON.parse(JSON.stringify(report)), report, 'it is plain data');
    const lines = auditLines(report);
    t.deepEqual(lines.slice(0, 2), ['Pictures: 8 to train on, 6 to validate; 2 classes', 'Classes: a 4, b 4']);
    t.match(lines[2] ?? '', /^3 files cannot be read: train\/a\/cut\.png: it is cut off.*; valid\/a\/lost\.png: there/);
    t.deepEqual(lines.slice(3), [
      "2 files are passed over, whose ending is no picture's: train/a/no ending; valid/b/deeper/notes.txt",
      'The same picture in two parts, once: train/a/1.png = valid/a/copy.png',
      'The same picture under two classes, once: valid/a/4.png = valid/b/other class.png (of two classes)',
      'Nearly the same picture in two parts, once: train/b/3.png = valid/b/near.jpg',
      'Sizes: 48 x 32 (8); 1 x 1 (1); 32 x 48 (1); and 1 more',
      '1 picture is tiny: train/a/dot.png (1 x 1)',
      '1 picture is huge: train/b/photo.jpg (2000 x 1500)',
      '1 picture is elongated beside the others: train/b/turned.jpg (32 x 48)',
      '1 picture is grey among coloured ones: train/a/dot.png (1 x 1)',
    ]);
    const verbose = auditLines(report, { verbose: true });
    t.ok(verbose.includes('  valid/b/no.gif: it is a GIF file; PNG and JPEG are read: convert it'));
    t.ok(verbose.includes('  2000 x 1500 (1)'));
  });
});

test('a set without anything wrong is told in three lines', async (t) => {
  await withFiles({ 'a/1.png': colouredPng(SIZE, 1), 'b/1.png': colouredPng(SIZE, 2) }, async (folder) => {
    const report = await audit(folder);
    t.deepEqual([report.unreadable, report.duplicates, report.odd], [[], [], []]);
    t.deepEqual(auditLines(report), ['Pictures: 2; 2 classes', 'Classes: a 1, b 1', 'Sizes: 48 x 32 (2)']);
  });
});

test('the parts may be folders anywhere, and files are named so that they differ', async (t) => {
  const files = { 'x/set/a/1.png': grey(1), 'x/set/b/1.png': grey(90), 'y/set/a/1.png': grey(1) };
  await withFiles(files, async (folder) => {
    const [training, test] = [join(folder, 'x', 'set'), join(folder, 'y', 'set')];
    const report = await audit({ training, test });
    t.deepEqual(groupsOf(report), [`exact splits ${training}/a/1.png = ${test}/a/1.png`]);
    t.deepEqual(auditLines(report)[1], 'No pictures of test in b');
  });
});

test('transparent and moving pictures are odd, and classes of very different sizes are told', async (t) => {
  const still = colouredPng(SIZE, 1);
  const header = 8 + 25;
  const frames = Buffer.from('000000086163544c0000000100000000', 'hex');
  const moving = Buffer.concat([still.subarray(0, header), withChecksum(frames), still.subarray(header)]);
  const files = {
    'a/1.png': png(
      8,
      8,
      Array.from({ length: 256 }, (_, i) => (i * 7) % 256),
    ),
    'a/moving.png': moving,
    'a/wide.png': colouredPng({ width: 100, height: 8 }),
    'a/4.png': colouredPng(SIZE, 4),
    'b/1.png': colouredPng(SIZE, 5),
  };
  await withFiles(files, async (folder) => {
    const report = await audit(folder);
    t.deepEqual(
      report.odd.map(({ file, oddity }) => `${file} ${oddity}`),
      ['a/1.png tiny', 'a/1.png transparent', 'a/moving.png animated', 'a/wide.png elongated'],
    );
    t.ok(auditLines(report).includes('a has 4.0 times as many pictures as b'));
  });
});

test('an empty class and a single one are reported, and a folder without any is refused', async (t) => {
  await withFiles({ 'a/1.png': grey(1), 'b/notes.txt': '' }, async (folder) => {
    t.deepEqual(auditLines(await audit(folder)).slice(0, 2), ['Pictures: 1; 2 classes', 'No pictures in b']);
    await rejects(t, audit(join(folder, 'a')), DataError, 'has no sub-folder');
    await rejects(t, audit(join(folder, 'none')), DataError, 'there is no such file or folder');
  });
  await withFiles({ 'a/1.png': grey(1) }, async (folder) => {
    t.deepEqual((await audit(folder)).classNames, ['a']);
  });
});

test('only the first files of a kind are named, all of them when asked', async (t) => {
  const files = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`a/${i}.png`, grey(1)]));
  await withFiles({ ...files, 'b/x\x1b[31m.png': grey(1), 'b/2.png': colouredPng(SIZE) }, async (folder) => {
    const report = await audit(folder);
    const named = 'a/0.png = b/x\\u{1b}[31m.png = a/1.png and 4 more (of two classes)';
    t.ok(
      auditLines(report).includes(`The same picture under two classes, once: ${named}`),
      auditLines(report).join('\n'),
    );
    t.ok(
      auditLines(report, { verbose: true }).includes(
        '  a/0.png = a/1.png = a/2.png = a/3.png = a/4.png = a/5.png = b/x\\u{1b}[31m.png (of two classes)',
      ),
    );
  });
});

test('options that are none are refused', async (t) => {
  await rejects(t, audit(3 as never), OptionError, 'audit: the set must be a folder');
  await rejects(t, audit({ train: 'x' } as never), OptionError, "unknown option 'train'");
  await rejects(t, audit({ validation: 'x' } as never), OptionError, 'training must be a text');
  await rejects(t, audit('x', { onProgres: 1 } as never), OptionError, "unknown option 'onProgres'");
  refuses(
    t,
    () => auditLines({} as never, { verbose: 1 } as never),
    OptionError,
    'auditLines: verbose must be true or',
  );
});

/** A chunk of PNG behind which its checksum stands. */
function withChecksum(chunk: Buffer): Buffer {
  const crc = Buffer.alloc(4);

  let sum = 0xffffffff;
  for (const byte of chunk.subarray(4)) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? 0xedb88320 ^ (sum >>> 1) : sum >>> 1;
  }
  crc.writeUInt32BE((sum ^ 0xffffffff) >>> 0);
  return Buffer.concat([chunk, crc]);
}

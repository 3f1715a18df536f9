import { execFile } from 'node:child_process';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import test from 'tape';
import { resizeBilinear } from '../../../lib/data/resize.js';
import { DataError, OptionError } from '../../../lib/errors.js';
import { chooseDecoder, decodeJpeg, type JpegDecoder } from '../../../lib/node/pictures/jpeg.js';
import { decodePicture, readPicture } from '../../../lib/node/pictures/picture.js';
import { rejects } from '../../support/errors.js';
import { colouredPng, colours, grey, jpeg, withFiles } from '../../support/picture-files.js';

const SIZE = { width: 37, height: 23 };
const LIMIT = 2 ** 26;
const bySharp = await chooseDecoder();
const byMozjpeg = await chooseDecoder(() => Promise.reject(new Error('it is not installed')));
const decoders: readonly JpegDecoder[] = [bySharp, byMozjpeg];

/** The largest difference between what the two decoders make of a file, and the size that both find. */
async function compared(file: Uint8Array): Promise<{ worst: number; width: number; height: number }> {
  const [one, other] = [await decodeJpeg(file, 'x', LIMIT, bySharp), await decodeJpeg(file, 'x', LIMIT, byMozjpeg)];
  if (one.width !== other.width || one.height !== other.height) return { worst: Infinity, width: 0, height: 0 };
  let worst = one.pixels.length === other.pixels.length ? 0 : Infinity;
  for (let i = 0; i < one.pixels.length; i++) {
    worst = Math.max(worst, Math.abs((one.pixels[i] ?? NaN) - (other.pixels[i] ?? NaN)));
  }
  return { worst, width: one.width, height: one.height };
}

/** Why both decoders refuse a file: one reason where they agree. */
async function refusal(file: Uint8Array): Promise<string> {
  const reasons = await Promise.all(
    decoders.map((decoder) =>
      decodeJpeg(file, 'a.jpg', LIMIT, decoder).then(
        () => 'read',
        (error: unknown) => (error instanceof DataError ? error.message : `not a DataError: ${String(error)}`),
      ),
    ),
  );
  return [...new Set(reasons)].join(' | ');
}

test('sharp is used where it is installed, else WebAssembly', (t) => {
  t.deepEqual([bySharp.name, byMozjpeg.name], ['sharp', 'mozjpeg']);
  t.end();
});

test('both decoders give the same pixels of every kind of JPEG', async (t) => {
  const kinds = {
    'colours at half the resolution': await jpeg(SIZE),
    'colours in full': await jpeg(SIZE, { chromaSubsampling: '4:4:4', quality: 100 }),
    progressive: await jpeg(SIZE, { progressive: true, quality: 60 }),
    'with restart marks and its own tables': await jpeg(SIZE, { mozjpeg: true }),
    grey: await jpeg(SIZE, {}, (picture) => picture.greyscale()),
    'of another colour profile': await jpeg(SIZE, {}, (picture) => picture.withIccProfile('p3')),
    'with bytes behind its end': Buffer.concat([await jpeg(SIZE), Buffer.alloc(100, 7)]),
    larger: await jpeg({ width: 301, height: 517 }),
  };
  for (const [kind, file] of Object.entries(kinds)) {
    const { worst, width } = await compared(file);
    t.ok(worst <= 1 && width > 0, `${kind}: ${worst}`);
  }
  t.deepEqual(await compared(await jpeg({ width: 1, height: 1 })), { worst: 0, width: 1, height: 1 });
  t.equal((await compared(await jpeg({ width: 1, height: 40 }))).height, 40);
});

test('the pixels are those that were stored, as far as JPEG keeps them', async (t) => {
  const expected = colours(SIZE);
  const { pixels, width, height } = await decodePicture(await jpeg(SIZE, { chromaSubsampling: '4:4:4', quality: 100 }));
  t.deepEqual({ width, height }, SIZE);
  const worst = pixels.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] ?? NaN))), 0);
  t.ok(worst <= 4, `they differ by ${worst}`);
  const single = await decodePicture(await jpeg(SIZE, {}, (picture) => picture.greyscale()));
  t.ok(
    single.pixels.every((value, i) => value === single.pixels[i - (i % 3)]),
    'grey becomes three equal channels',
  );
});

test('the EXIF orientations 1 to 8 are applied by both', async (t) => {
  const { width, height } = SIZE;
  /** Where the pixel at (x, y) of the turned picture is stored (EXIF 2.3, orientation). */
  const stored: ((x: number, y: number) => readonly [x: number, y: number])[] = [
    (x, y) => [x, y],
    (x, y) => [width - 1 - x, y],
    (x, y) => [width - 1 - x, height - 1 - y],
    (x, y) => [x, height - 1 - y],
    (x, y) => [y, x],
    (x, y) => [y, height - 1 - x],
    (x, y) => [width - 1 - y, height - 1 - x],
    (x, y) => [width - 1 - y, x],
  ];
  const plain = await decodePicture(await jpeg(SIZE));
  for (const [i, source] of stored.entries()) {
    const file = await jpeg(SIZE, {}, (picture) => picture.withMetadata({ orientation: i + 1 }));
    for (const decoder of decoders) {
      const turned = await decodeJpeg(file, 'x', LIMIT, decoder);
      const [across, down] = i < 4 ? [width, height] : [height, width];
      const expected = Uint8Array.from({ length: plain.pixels.length }, (_, k) => {
        const pixel = Math.floor(k / 3);
        const [x, y] = source(pixel % across, Math.floor(pixel / across));
        return plain.pixels[3 * (y * width + x) + (k % 3)] ?? NaN;
      });
      t.deepEqual([turned.width, turned.height], [across, down], `orientation ${i + 1} by ${decoder.name}`);
      t.ok(Buffer.from(turned.pixels).equals(expected), `orientation ${i + 1} by ${decoder.name}`);
    }
  }
});

test('CMYK is read by sharp, and refused by name without it', async (t) => {
  const file = await jpeg(SIZE, {}, (picture) => picture.toColourspace('cmyk'));
  t.equal((await sharp(file).metadata()).space, 'cmyk');
  const { pixels } = await decodeJpeg(file, 'x', LIMIT, bySharp);
  t.equal(pixels.length, 3 * SIZE.width * SIZE.height);
  t.ok(new Set(pixels).size > 50, 'it has colours');
  await rejects(t, decodeJpeg(file, 'a.jpg', LIMIT, byMozjpeg), DataError, 'a.jpg: its colours are CMYK', 'sharp');
});

test('a JPEG that is cut off anywhere is refused, by both in the same words', async (t) => {
  for (const file of [await jpeg(SIZE), await jpeg(SIZE, { progressive: true })]) {
    for (let length = 1; length < file.length; length += length < 20 ? 1 : 61) {
      t.match(await refusal(file.subarray(0, length)), /^a\.jpg: (it is cut off: \d+ bytes, [^|]+|[^|]+damaged[^|]+)$/);
    }
    const message = await refusal(file.subarray(0, -2));
    t.equal(message, `a.jpg: it is cut off: ${file.length - 2} bytes, without the end of its picture`);
    t.equal(await refusal(file), 'read');
  }
});

test('damage is refused, and what some cameras write is not', async (t) => {
  const file = await jpeg(SIZE);
  const damaged = Buffer.from(file);
  damaged.fill(0x55, file.length - 60, file.length - 40);
  t.match(await refusal(damaged), /^a\.jpg: its picture is damaged \(Corrupt JPEG data: [^|]+\)$/);
  const padded = Buffer.concat([file.subarray(0, -2), Buffer.alloc(3), file.subarray(-2)]);
  t.equal(await refusal(padded), 'read', 'bytes before the end mark');
  const scan = file.indexOf(Buffer.from([0xff, 0xda]));
  const odd = Buffer.from(file);
  odd[scan + 2 + (odd[scan + 3] ?? 0) - 2] = 0; // the last coefficient of the scan, which only progressive files use
  t.equal(await refusal(odd), 'read', 'a parameter that means nothing');
  t.deepEqual((await decodeJpeg(odd, 'x', LIMIT)).pixels, (await decodePicture(file)).pixels);
  t.equal(await refusal(file), 'read', 'and the next one is read as before');
});

test('no bytes make the JPEG readers throw anything but DataError', async (t) => {
  const file = await jpeg({ width: 9, height: 9 });
  let [state, refused] = [1, 0];
  const next = (below: number): number => (state = (state * 48271) % 0x7fffffff) % below;
  for (let round = 0; round < 60; round++) {
    const broken = Buffer.from(file);
    for (let i = 0; i < 4; i++) broken[2 + next(broken.length - 2)] = next(256);
    for (const decoder of decoders) {
      try {
        await decodeJpeg(broken, 'x', 2 ** 20, decoder);
      } catch (error) {
        refused++;
        if (!(error instanceof DataError)) t.fail(String(error));
      }
    }
  }
  t.ok(refused > 10, `${refused} of 120 refused`);
});

test('sizes are read before anything is decoded', async (t) => {
  const file = await jpeg(SIZE);
  const frame = file.indexOf(Buffer.from([0xff, 0xc0]));
  const giant = Buffer.from(file);
  giant.writeUInt16BE(65_000, frame + 5);
  giant.writeUInt16BE(65_001, frame + 7);
  const never: JpegDecoder = { name: 'sharp', decode: () => Promise.reject(new Error('decoded')) };
  await rejects(
    t,
    decodeJpeg(giant, 'a.jpg', LIMIT, never),
    DataError,
    'a picture of 65001 x 65000 pixels',
    '67108864',
  );
  await rejects(
    t,
    decodePicture(file, { maxPixels: 850, source: 'a\nb' }),
    DataError,
    'a\\u{a}b: a picture of 37 x 23',
  );
  t.equal((await decodePicture(file, { maxPixels: 851 })).width, 37);
  giant.writeUInt16BE(0, frame + 5);
  await rejects(t, decodePicture(giant), DataError, 'a picture of 65001 x 0 pixels');
});

test('first bytes decide how a file is read, whatever it is called', async (t) => {
  const files = { 'a.png': await jpeg(SIZE), 'b.jpg': colouredPng(SIZE), 'c.gif': await jpeg(SIZE), 'd.png': 'GIF89a' };
  await withFiles(files, async (folder) => {
    for (const name of ['a.png', 'b.jpg', 'c.gif']) t.equal((await readPicture(join(folder, name))).width, 37, name);
    t.deepEqual((await readPicture(join(folder, 'b.jpg'))).pixels, colours(SIZE));
    await rejects(t, readPicture(join(folder, 'd.png')), DataError, 'd.png: it is a GIF file; PNG and JPEG are read');
    await rejects(t, readPicture(join(folder, 'none.png')), DataError, 'none.png: there is no such file');
    await rejects(t, readPicture(folder), DataError, 'it is a folder');
    await truncate(join(folder, 'c.gif'), 1.9e9);
    await rejects(t, readPicture(join(folder, 'c.gif')), DataError, 'the file has 1900000000 bytes');
    await writeFile(join(folder, 'a.png'), '');
    await rejects(t, readPicture(join(folder, 'a.png')), DataError, 'the file is empty');
  });
});

test('a picture is resized the same way whichever decoder read it', async (t) => {
  const size = { width: 12, height: 9 };
  const files = { PNG: colouredPng(SIZE), JPEG: await jpeg(SIZE) };
  for (const [kind, file] of Object.entries(files)) {
    const whole = await decodePicture(file);
    const small = await decodePicture(file, { size });
    t.deepEqual(small, { ...size, pixels: resizeBilinear(whole.pixels, { ...SIZE, channels: 3 }, size) }, kind);
  }
});

test('an 8000 x 6000 photo is read, also turned and without sharp', async (t) => {
  const photo = await sharp({ create: { width: 8000, height: 6000, channels: 3, background: '#36c' } })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer();
  for (const decoder of decoders) {
    const { width, height, pixels } = await decodeJpeg(photo, 'x', LIMIT, decoder);
    t.deepEqual([width, height, pixels.length], [6000, 8000, 144e6], decoder.name);
  }
  t.deepEqual([...(await decodePicture(photo, { size: { width: 1, height: 1 } })).pixels], [50, 102, 204]); // #36c, but for what JPEG makes of it
});

test('a program without sharp reads JPEG', async (t) => {
  const script = `
    import { register } from 'node:module';
    const hooks = \`export const resolve = (name, context, next) => {
      if (name === 'sharp') throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
      return next(name, context);
    };\`;
    register('data:text/javascript,' + encodeURIComponent(hooks));
    const { decodePicture } = await import('kernelwright/node');
    const { chooseDecoder } = await import('./lib/node/pictures/jpeg.js');
    const { width, height } = await decodePicture(Buffer.from(process.argv[1], 'base64'));
    console.log((await chooseDecoder()).name, width, height);`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', script, (await jpeg(SIZE)).toString('base64')],
    { cwd: fileURLToPath(new URL('../../..', import.meta.url)) },
  );
  t.equal(stdout.trim(), 'mozjpeg 37 23');
});

test('options that are none are refused', async (t) => {
  const file = grey(1);
  await rejects(t, decodePicture('file' as never), OptionError, 'decodePicture: bytes must be a Uint8Array');
  await rejects(t, decodePicture(file, { size: { width: 0, height: 1 } }), OptionError, 'decodePicture: size: width');
  await rejects(t, decodePicture(file, { backgruond: [0, 0, 0] } as never), OptionError, "'background'");
  await rejects(t, readPicture(7 as never), OptionError, 'readPicture: path must be a text');
  const size = { width: 1e5, height: 1e5 };
  await rejects(t, readPicture('x', { size }), OptionError, 'readPicture: size 100000 x 100000 has more pixels');
});

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'tape';
import { cacheFolder, tuningFile } from '../../lib/node/tuning-file.js';

test('the cache folder is the one of the platform', (t) => {
  t.equal(cacheFolder({}, 'linux', '/home/ada'), join('/home/ada', '.cache'));
  t.equal(cacheFolder({ XDG_CACHE_HOME: '' }, 'linux', '/home/ada'), join('/home/ada', '.cache'));
  t.equal(cacheFolder({ XDG_CACHE_HOME: '/var/ada' }, 'linux', '/home/ada'), '/var/ada');
  t.equal(cacheFolder({}, 'darwin', '/Users/ada'), join('/Users/ada', 'Library', 'Caches'));
  t.equal(cacheFolder({ LOCALAPPDATA: 'D:\\ada' }, 'win32', 'C:\\ada'), 'D:\\ada');
  t.end();
});

test('a tuning file is written whole, read back, and missing ones are none', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'kernelwright-'));
  try {
    const path = join(folder, 'new', 'tuning.json');
    const file = tuningFile(path);
    t.equal(await file.read(), undefined);
    await file.write('one');
    await file.write('two');
    t.equal(await file.read(), 'two');
    t.deepEqual(await readdir(join(folder, 'new')), ['tuning.json'], 'no temporary file is left');
    await writeFile(join(folder, 'file'), '');
    await tuningFile(join(folder, 'file', 'tuning.json'))
      .write('three')
      .then(
        () => t.fail('a folder that is a file'),
        (error: unknown) => t.ok(String(error).includes('Cannot write'), 'the reason is told'),
      );
  } finally {
    await rm(folder, { recursive: true });
  }
});

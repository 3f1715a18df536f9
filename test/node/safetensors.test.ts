import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'tape';
import { ShapeError } from '../../lib/errors.js';
import { readSafetensors, writeSafetensors } from '../../lib/node/index.js';
import { refusal } from '../support/errors.js';
import { inFolder, makePipe, withSocket } from '../support/special-files.js';

test('tensors written to a file are read back', async (t) => {
  await inFolder(async (folder) => {
    const path = join(folder, 'deep', 'net.safetensors');
    const weight = { dtype: 'F32', shape: [2, 1], data: Float32Array.of(1.5, -2) } as const;
    await writeSafetensors(path, { weight }, { epoch: '3' });
    const { tensors, metadata } = await readSafetensors(path);
    t.deepEqual([...tensors], [['weight', weight]]);
    t.deepEqual(metadata, { epoch: '3' });
    await writeSafetensors(path, tensors);
    t.deepEqual((await readSafetensors(path)).metadata, {}, 'what is read can be written');
  });
});

test('tensors that cannot be stored leave the old file as it was', async (t) => {
  await inFolder(async (folder) => {
    const path = join(folder, 'net.safetensors');
    await writeFile(path, 'old');
    const broken = { dtype: 'F32', shape: [3], data: Float32Array.of(1) } as const;
    await writeSafetensors(path, { broken }).then(
      () => {
        t.fail('it was written');
      },
      (error: unknown) => {
        t.ok(error instanceof ShapeError);
      },
    );
    t.equal(await readFile(path, 'utf8'), 'old');
  });
});

test('a missing, broken or wrong safetensors file is refused with its path', async (t) => {
  await inFolder(async (folder) => {
    const missing = join(folder, 'none.safetensors');
    t.equal(await refusal(readSafetensors(missing)), `Cannot read ${missing}: there is no such file or folder`);
    t.equal(await refusal(readSafetensors(folder)), `Cannot read ${folder}: it is a folder`);
    const broken = join(folder, 'broken.safetensors');
    await writeFile(broken, 'hello, this is not it');
    t.ok((await refusal(readSafetensors(broken))).startsWith(`${broken}: `));
    const long = join(folder, 'long.safetensors');
    await writeFile(long, Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 0)); // a header of 2^24 bytes
    await truncate(long, 2 ** 33); // more than memory is there for, and on the disk nothing
    t.equal(await refusal(readSafetensors(long)), `${long}: the header is not JSON in UTF-8`, 'the rest is not read');
    await truncate(long, 9);
    t.equal(await refusal(readSafetensors(long)), `${long}: the header needs 16777216 bytes, but only 1 follow`);
    const pipe = join(folder, 'pipe');
    makePipe(pipe);
    t.equal(await refusal(readSafetensors(pipe)), `Cannot read ${pipe}: it is a named pipe`, 'nobody waits for it');
    t.equal(await refusal(readSafetensors('/dev/zero')), 'Cannot read /dev/zero: it is a device');
    const socket = join(folder, 'socket');
    await withSocket(socket, async () => {
      t.equal(await refusal(readSafetensors(socket)), `Cannot read ${socket}: it is a socket`);
    });
  });
});

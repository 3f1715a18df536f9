import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'tape';
import { DataError, ShapeError } from '../../lib/errors.js';
import { readSafetensors, writeFileAtomically, writeSafetensors } from '../../lib/node/files.js';

/** Runs a test in a folder of its own, which is removed afterwards. */
async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kernelwright-files-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The message of the DataError that a promise is rejected with, or what else happened. */
async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'done';
  } catch (error) {
    return error instanceof DataError ? error.message : `not a DataError: ${String(error)}`;
  }
}

test('a file is written with its folders, and nothing else is left in them', async (t) => {
  await inFolder(async (folder) => {
    const path = join(folder, 'runs', 'mynet', 'history.json');
    await writeFileAtomically(path, '{"loss":[0.69]}\n\u{1f527}');
    t.equal(await readFile(path, 'utf8'), '{"loss":[0.69]}\n\u{1f527}');
    t.deepEqual(await readdir(join(folder, 'runs', 'mynet')), ['history.json']);
    await writeFileAtomically(path, Uint8Array.of(0, 255, 1));
    t.deepEqual([...(await readFile(path))], [0, 255, 1], 'a file that is there is replaced, also by bytes');
    t.deepEqual(await readdir(join(folder, 'runs', 'mynet')), ['history.json']);
  });
});

test('many writes of one file at once leave one of them, whole', async (t) => {
  await inFolder(async (folder) => {
    const path = join(folder, 'weights');
    const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(50_000));
    await Promise.all(texts.map((text) => writeFileAtomically(path, text)));
    t.ok(texts.includes(await readFile(path, 'utf8')));
    t.deepEqual(await readdir(folder), ['weights']);
  });
});

test('a write that fails names the path and leaves no temporary file', async (t) => {
  await inFolder(async (folder) => {
    const taken = join(folder, 'taken');
    await mkdir(taken);
    await writeFile(join(taken, 'inside'), 'x');
    const reason = await refusal(writeFileAtomically(taken, 'data'));
    t.ok(reason.startsWith(`Cannot write ${taken}: `), reason);
    t.deepEqual(await readdir(folder), ['taken']);
    t.deepEqual(await readdir(taken), ['inside']);

    const file = join(folder, 'file');
    await writeFile(file, 'old');
    const below = await refusal(writeFileAtomically(join(file, 'below'), 'data'));
    t.ok(below.startsWith(`Cannot write ${join(file, 'below')}: `), below);
    t.equal(await readFile(file, 'utf8'), 'old');
    t.deepEqual(await readdir(folder), ['file', 'taken']);
  });
});

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
  });
});

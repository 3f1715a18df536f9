import { spawn } from 'node:child_process';
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import test from 'tape';
import { OptionError } from '../../lib/errors.js';
import { writeFileAtomically } from '../../lib/node/index.js';
import { temporaryName } from '../../lib/node/temporary.js';
import { refusal, rejects } from '../support/errors.js';
import { asOrdinaryUser, inFolder, makePipe, withSocket } from '../support/special-files.js';
import { root } from '../../tools/root.js';

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

test('a path that is none is refused', async (t) => {
  // @ts-expect-error The type forbids it; JavaScript does not.
  await rejects(t, writeFileAtomically(undefined, 'x'), OptionError, 'path must be a text, found undefined');
  t.equal(await refusal(writeFileAtomically('', 'x')), 'Cannot write : there is no such file or folder');
  t.match(await refusal(writeFileAtomically('a\0b', 'x')), /^Cannot write a\\u\{0\}b: .*null bytes/);
  t.match(await refusal(writeFileAtomically('x'.repeat(300), 'x')), /the name is too long$/);
  await inFolder(async (folder) => {
    for (const path of [folder, `${folder}/`, `${folder}/new/`, join(folder, '.')]) {
      t.equal(await refusal(writeFileAtomically(path, 'x')), `Cannot write ${path}: it is a folder`);
    }
    t.deepEqual(await readdir(folder), []);
    const longest = join(folder, 'x'.repeat(255));
    t.equal(await refusal(writeFileAtomically(longest, 'x')), 'done', 'the temporary name is never the longer one');
  });
});

test('links stay, and what they lead to is written', async (t) => {
  await inFolder(async (folder) => {
    const at = (...parts: string[]) => join(folder, ...parts);
    await mkdir(at('store', 'deep'), { recursive: true });
    await writeFile(at('store', 'weights'), 'old');
    await symlink(at('store', 'weights'), at('absolute'));
    await symlink(join('store', 'weights'), at('relative'));
    await symlink('relative', at('link to a link'));
    await symlink(at('store', 'deep'), at('folder'));
    await symlink(join('..', 'weights'), at('store', 'deep', 'up')); // through `folder`, its .. is `store`
    for (const path of [at('absolute'), at('relative'), at('link to a link'), at('folder', 'up')]) {
      await writeFileAtomically(path, path);
      t.ok((await lstat(path)).isSymbolicLink(), `${path} is a link still`);
      t.equal(await readFile(at('store', 'weights'), 'utf8'), path);
    }
    t.equal(await readlink(at('relative')), join('store', 'weights'));
    await symlink(join('store', 'new'), at('to nowhere yet'));
    await writeFileAtomically(at('to nowhere yet'), 'new');
    t.equal(await readFile(at('store', 'new'), 'utf8'), 'new');
    await symlink('round', at('trip'));
    await symlink('trip', at('round'));
    for (const path of [at('trip'), at('trip', 'below')]) {
      t.equal(await refusal(writeFileAtomically(path, 'x')), `Cannot write ${path}: its links lead round in a circle`);
    }
    t.deepEqual((await readdir(at('store'))).sort(), ['deep', 'new', 'weights'], 'no temporary file is left');
    await link(at('store', 'new'), at('hard'));
    await writeFileAtomically(at('hard'), 'other');
    t.equal(await readFile(at('store', 'new'), 'utf8'), 'new', 'a second name of a file parts with it, as it must');
  });
});

test('what is no file is refused, and stays what it is', async (t) => {
  await inFolder(async (folder) => {
    const [pipe, socket, device] = [join(folder, 'pipe'), join(folder, 'socket'), join(folder, 'device')];
    makePipe(pipe);
    await symlink('/dev/null', device);
    await symlink(pipe, join(folder, 'to the pipe'));
    await withSocket(socket, async () => {
      t.equal(await refusal(writeFileAtomically(pipe, 'x')), `Cannot write ${pipe}: it is a named pipe`);
      t.match(await refusal(writeFileAtomically(join(folder, 'to the pipe'), 'x')), /it is a named pipe$/);
      t.equal(await refusal(writeFileAtomically(device, 'x')), `Cannot write ${device}: it is a device`);
      t.equal(await refusal(writeFileAtomically(socket, 'x')), `Cannot write ${socket}: it is a socket`);
      t.ok((await stat(pipe)).isFIFO() && (await stat('/dev/null')).isCharacterDevice());
      t.deepEqual((await readdir(folder)).sort(), ['device', 'pipe', 'socket', 'to the pipe']);
    });
  });
});

test('the permissions of a file that is replaced are kept', async (t) => {
  await inFolder(async (folder) => {
    const path = join(folder, 'weights');
    const mask = process.umask(0o027);
    try {
      await writeFileAtomically(path, '1');
      t.equal((await stat(path)).mode & 0o7777, 0o640, 'a new file has what the umask leaves');
      for (const mode of [0o600, 0o666, 0o755, 0o200]) {
        await chmod(path, mode);
        await writeFileAtomically(path, '2');
        t.equal((await stat(path)).mode & 0o7777, mode, mode.toString(8));
      }
    } finally {
      process.umask(mask);
    }
    if (process.geteuid?.() !== 0) return;
    await chown(path, 1234, 5678);
    await writeFileAtomically(path, '3');
    const { uid, gid } = await stat(path);
    t.deepEqual([uid, gid], [1234, 5678], 'and, by root, its owner');
  });
});

test('a file or folder that is read-only is not written, and it is said to be that', async (t) => {
  await inFolder(async (folder) => {
    await chmod(folder, 0o777);
    const path = join(folder, 'weights');
    await writeFile(path, 'old');
    await chmod(path, 0o444);
    t.equal(await refusal(writeFileAtomically(path, 'x')), `Cannot write ${path}: it is read-only`);
    const other = join(folder, 'of another user');
    await writeFile(other, 'old');
    await chmod(other, process.geteuid?.() === 0 ? 0o644 : 0o444);
    const closed = join(folder, 'closed');
    await mkdir(closed);
    await writeFile(join(closed, 'open'), 'old');
    await chmod(join(closed, 'open'), 0o666);
    await chmod(closed, 0o555);
    await asOrdinaryUser(async () => {
      t.equal(await refusal(writeFileAtomically(other, 'x')), `Cannot write ${other}: it is read-only`);
      for (const name of ['open', 'new']) {
        const inside = join(closed, name);
        t.equal(
          await refusal(writeFileAtomically(inside, 'x')),
          `Cannot write ${inside}: the folder ${closed} is read-only`,
        );
      }
      t.match(await refusal(writeFileAtomically(join(closed, 'deep', 'new'), 'x')), /closed is read-only$/);
      t.equal(await refusal(writeFileAtomically(join(folder, 'new'), 'x')), 'done', 'the control case');
    });
    t.equal(await readFile(path, 'utf8'), 'old');
    t.equal(await readFile(join(closed, 'open'), 'utf8'), 'old');
    t.deepEqual(await readdir(closed), ['open']);
    await chmod(closed, 0o755);
  });
});

test('a folder that cannot be made is no hang', async (t) => {
  if (process.platform === 'linux') {
    // mkdir with the option recursive never comes back from here.
    t.match(await refusal(writeFileAtomically('/proc/kernelwright/deep/file', 'x')), /^Cannot write \/proc/);
  }
  t.end();
});

test('temporary files of killed processes go with the next write, those of others stay', async (t) => {
  await inFolder(async (folder) => {
    const child = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => child.on('close', resolve));
    const own = temporaryName();
    const ofProcess = (id: number) => own.replace(`-${process.pid}-`, `-${id}-`);
    const dead = ofProcess(child.pid ?? 0);
    const running = ofProcess(process.ppid);
    const elsewhere = dead.replace(/kernelwright-.{8}/, 'kernelwright-00000000');
    const old = elsewhere.replace('-00000000-', '-00000001-');
    const strangers = ['.kernelwright-notes.tmp', '.weights.1234.tmp', 'weights.tmp'];
    for (const name of [own, dead, running, elsewhere, old, ...strangers]) await writeFile(join(folder, name), 'half');
    await utimes(join(folder, old), 1, 1);
    await writeFileAtomically(join(folder, 'weights'), 'x');
    t.deepEqual((await readdir(folder)).sort(), [own, running, elsewhere, ...strangers, 'weights'].sort());
  });
});

test('what lies there under the number of this process, and is older than it, was left by another one', async (t) => {
  await inFolder(async (folder) => {
    const [before, now] = [temporaryName(), temporaryName()];
    for (const name of [before, now]) await writeFile(join(folder, name), 'half');
    const began = Date.now() / 1000 - process.uptime();
    await utimes(join(folder, before), began - 60, began - 60);
    await writeFileAtomically(join(folder, 'weights'), 'x');
    t.deepEqual((await readdir(folder)).sort(), [now, 'weights']);
  });
});

test('a file is written from parts', async (t) => {
  await inFolder(async (folder) => {
    const path = join(folder, 'parts');
    const large = new Uint8Array(1_500_001).fill(7); // more than Node writes at once
    await writeFileAtomically(path, [Uint8Array.of(1, 2), new Uint8Array(0), large, Uint8Array.of(3)]);
    const written = await readFile(path);
    t.deepEqual(
      [written.length, written[0], written[1], written[2], written.at(-2), written.at(-1)],
      [1_500_004, 1, 2, 7, 7, 3],
    );
    await writeFileAtomically(path, []);
    t.equal((await readFile(path)).length, 0);
  });
});

test('a process that is killed while it writes leaves the old file, and the next one tidies up', async (t) => {
  await inFolder(async (folder) => {
    const path = join(folder, 'weights');
    await writeFile(path, 'old');
    const program = `
      import { writeFileAtomically } from './lib/node/write-file.ts';
      void writeFileAtomically(${JSON.stringify(path)}, new Uint8Array(2 ** 29));
      const { readdirSync } = await import('node:fs');
      const timer = setInterval(() => {
        if (readdirSync(${JSON.stringify(folder)}).some((name) => name.endsWith('.tmp'))) process.kill(process.pid, 'SIGKILL');
      }, 1);`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], { cwd: root });
    const signal = await new Promise((resolve) => child.on('close', (_, by) => resolve(by)));
    t.equal(signal, 'SIGKILL');
    t.equal((await readdir(folder)).length, 2, 'the file, and what was being written');
    t.equal(await readFile(path, 'utf8'), 'old');
    await writeFileAtomically(path, 'new');
    t.deepEqual(await readdir(folder), ['weights']);
  });
});

test('a disk that is full in the middle leaves the old file and no other', async (t) => {
  if (process.platform !== 'linux') return;
  await inFolder(async (folder) => {
    const path = join(folder, 'weights');
    await writeFile(path, 'old');
    const program = `
      import { writeFileAtomically } from './lib/node/write-file.ts';
      await writeFileAtomically(${JSON.stringify(path)}, new Uint8Array(1e6)).catch(({ message }) => console.log(message));`;
    // A limit on the size of files is what a process can be given in place of a full disk.
    const shell = `trap '' XFSZ; ulimit -f 64; exec "$0" --import tsx --input-type=module -e "$1"`;
    const child = spawn('bash', ['-c', shell, process.execPath, program], { cwd: root });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await new Promise((resolve) => child.on('close', resolve));
    t.equal(output, `Cannot write ${path}: a file may not be that large\n`);
    t.equal(await readFile(path, 'utf8'), 'old');
    t.deepEqual(await readdir(folder), ['weights']);
  });
});

/** `npm run kernels`: what it prints is what is launched. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'tape';
import { DataError, OptionError } from '../../lib/errors.js';
import { operations } from '../../lib/ops/index.js';
import { printKernels } from '../../tools/kernels.js';
import { TARGETS } from '../../tools/kernels/targets.js';
import { joinedWorksOf, stepOf, stepsOfMyNet, worksOf } from '../../tools/kernels/works.js';
import { inFolder } from '../examples/program.js';
import { rejects } from '../support/errors.js';

/** The printed kernels of a folder by file name: first line and the text behind it. */
async function printedIn(folder: string): Promise<Map<string, { head: Record<string, unknown>; code: string }>> {
  const printed = new Map<string, { head: Record<string, unknown>; code: string }>();
  for (const file of (await readdir(folder)).sort()) {
    const [line = '', ...rest] = (await readFile(join(folder, file), 'utf8')).split('\n');
    const [, json = ''] = /^\/\/ (\{.*\})$/.exec(line) ?? [];
    printed.set(file, { head: JSON.parse(json) as Record<string, unknown>, code: rest.join('\n') });
  }
  return printed;
}

const keyOf = (code: string, entryPoint: unknown, constants: unknown): string =>
  JSON.stringify([code, entryPoint, constants]);

test('every kernel of every case is printed once, with its entry point and overrides', async (t) => {
  await inFolder(async (folder) => {
    await printKernels([folder, '--target', 'amd']);
    const printed = await printedIn(folder);
    const found = [...printed.values()].map(({ head, code }) => keyOf(code, head['entryPoint'], head['constants']));
    const wanted = operations.flatMap((operation) =>
      operation.cases.flatMap((setting) => worksOf(stepOf({ operation, ...setting }), TARGETS.amd, false)),
    );
    const keys = wanted.map(({ kernel, constants }) => keyOf(kernel.code, kernel.entryPoint, constants));
    t.deepEqual(found.sort(), [...new Set(keys)].sort());
    t.equal(new Set(found).size, found.length);
  });
});

test('the first line says how a kernel is launched', async (t) => {
  await inFolder(async (folder) => {
    t.equal(await printKernels([folder, '--only', 'tanh', '--benchmarks']), `1 kernels in ${folder}`);
    const printed = await printedIn(folder);
    const { constants, bindings, ...rest } = printed.get('tanh-elementwise.wgsl')?.head ?? {};
    t.deepEqual(rest, {
      entryPoint: 'elementwise',
      workgroups: [4096, 1, 1],
      operation: 'tanh',
    });
    t.equal(typeof constants, 'object');
    t.deepEqual(bindings, [
      { binding: 1, access: 'read', holds: 'f32 [1048576], input 0' },
      { binding: 2, access: 'write', holds: 'f32 [1048576], slot 0' },
      { binding: 0, access: 'uniform', holds: 'uniforms' },
    ]);
  });
});

test('adapters get kernels of their own, and variants are those that tuning chooses from', async (t) => {
  const names = async (...args: readonly string[]): Promise<string[]> => {
    let files: string[] = [];
    await inFolder(async (folder) => {
      await printKernels([folder, '--only', 'matmul', '--benchmarks', ...args]);
      files = (await readdir(folder)).map((file) => file.replace(/-matmul\w+(-\d+)?\.wgsl$/, ''));
    });
    return [...new Set(files)].sort();
  };
  const software = await names('--target', 'software');
  const nvidia = await names('--target', 'nvidia');
  const variants = await names('--target', 'nvidia', '--variants');
  t.ok(software.includes('matmul-quad') && !nvidia.includes('matmul-quad'), nvidia.join());
  t.ok(nvidia.every((name) => variants.includes(name)) && variants.includes('matmul-quad'), variants.join());
});

test("MyNet's training step is printed as it is fused", async (t) => {
  await inFolder(async (folder) => {
    await printKernels([folder, '--step', 'mynet', '--only', 'relu', '--target', 'software']);
    const operation = 'gather + matmul + add + relu + dropout';
    t.deepEqual(
      [...(await printedIn(folder)).values()].map(({ head }) => head['operation']),
      [operation],
    );
  });
});

test("MyNet's training step is at most five dispatches on every adapter that allows a kernel as many buffers as desktops do", async (t) => {
  for (const name of ['amd', 'intel', 'nvidia', 'software'] as const) {
    const works = joinedWorksOf(await stepsOfMyNet(TARGETS[name]), TARGETS[name]);
    t.equal(
      works.length,
      name === 'software' ? 4 : 5,
      `${name}: ${works.map(({ kernel }) => kernel.name).join(' | ')}`,
    );
  }
});

test('what cannot be printed is refused by name, and nothing is written', async (t) => {
  await inFolder(async (folder) => {
    await rejects(t, printKernels([]), OptionError, 'expected one folder', 'found 0');
    await rejects(t, printKernels([folder, 'more']), OptionError, 'found 2');
    await rejects(t, printKernels([folder, '--only', 'relv']), OptionError, 'relv', "did you mean 'relu'");
    await rejects(t, printKernels([folder, '--only', 'x'.repeat(40)]), OptionError, '; there are correctPredictions, ');
    await rejects(t, printKernels([folder, '--target', 'nvida']), OptionError, "did you mean 'nvidia'");
    await rejects(t, printKernels([folder, '--step', 'resnet']), OptionError, 'resnet', 'expected mynet');
    await rejects(t, printKernels([folder, '--step', 'mynet', '--benchmarks']), OptionError, 'one of them');
    t.deepEqual(await readdir(folder), []);
    const file = join(folder, 'file');
    await writeFile(file, '');
    await rejects(t, printKernels([file, '--only', 'relu']), DataError, file);
  });
});

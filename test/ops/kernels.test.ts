/** What every file in kernels/ has: a head comment that can be trusted, and a use. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import test from 'tape';
import { operations } from '../../lib/ops/index.js';
import { accessOf } from '../../lib/device/webgpu/work.js';
import { caseInputs } from '../support/cases.js';
import { targetOf } from '../support/targets.js';
import { isFragment } from '../../tools/expand-wat.js';
import { constantName } from '../../tools/inline-kernels.js';
import { root } from '../../tools/root.js';

const texts = readdirSync(join(root, 'kernels'), { recursive: true, encoding: 'utf8' }).map((file) =>
  file.split(sep).join('/'),
);
const kernels = texts.filter((file) => file.endsWith('.wgsl'));
const assemblies = texts.filter((file) => file.endsWith('.wat'));
const textOf = (file: string): string => readFileSync(join(root, 'kernels', file), 'utf8');
const library = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('generated'))
  .map((file) => readFileSync(join(root, 'lib', file), 'utf8'))
  .join('\n');

test('every kernel file opens with its name and what it does', (t) => {
  for (const file of kernels) {
    t.ok(textOf(file).startsWith(`// ${basename(file)}: `), file);
  }
  t.end();
});

test('every kernel that can be launched states bindings, launch and reference, and the reference exists', (t) => {
  for (const file of kernels.filter((each) => textOf(each).includes('@compute'))) {
    const head = textOf(file).split('\n\n')[0] ?? '';
    for (const word of ['Bindings', 'Launch', 'Reference']) t.ok(head.includes(`// ${word} `), `${file}: ${word}`);
    const [, reference = ''] = /^\/\/ Reference +(lib\/\S+\.ts)/m.exec(head) ?? [];
    t.ok(reference !== '' && existsSync(join(root, reference)), `${file}: ${reference}`);
  }
  t.end();
});

test('every kernel file is used by the library', (t) => {
  for (const file of kernels) t.ok(new RegExp(`\\b${constantName(file)}\\b`).test(library), file);
  t.end();
});

test('every WebAssembly text opens with its name, names its reference, and is used', (t) => {
  const joined = assemblies.map(textOf).join('\n');
  for (const file of assemblies) {
    const text = textOf(file);
    t.ok(text.startsWith(`;; ${basename(file)}: `), file);
    if (isFragment(text)) {
      t.ok(joined.includes(`;; join ${file}\n`), `${file} is joined`);
      continue;
    }
    const references = /^;; Reference +(.+)$/m.exec(text)?.[1]?.match(/lib\/\S+\.ts/g) ?? [];
    t.ok(
      references.length > 0 && references.every((reference) => existsSync(join(root, reference))),
      `${file}: Reference`,
    );
    t.ok(new RegExp(`\\b${constantName(file)}\\b`).test(library), `${file} is used`);
  }
  t.end();
});

test('the launches of every operation bind what their kernel declares', (t) => {
  for (const operation of operations) {
    const faults = new Set<string>();
    for (const setting of operation.cases) {
      const inputs = caseInputs(setting);
      const outputs = operation.infer(inputs, setting.attributes);
      const call = { inputs, outputs, attributes: setting.attributes };
      const launches = [true, false].flatMap((isSoftware) => {
        const target = targetOf(isSoftware, ['subgroups']);
        return (
          operation.variants?.(call, target).flatMap((variant) => variant.launches) ?? operation.kernel(call, target)
        );
      });
      for (const launch of launches) {
        const { kernel, constants = {}, uniforms } = launch;
        const declares = (binding: number, space: string) =>
          new RegExp(`@group\\(0\\) @binding\\(${binding}\\) var<${space}>`).test(kernel.code);
        const spaces = { read: 'storage, read', write: 'storage, read_write', uniform: 'uniform' };
        for (const { at, access } of accessOf(launch)) {
          if (!declares(at, spaces[access])) faults.add(`${kernel.name}: binding ${at} is not ${spaces[access]}`);
        }
        if (uniforms.byteLength % 16 !== 0) faults.add(`${kernel.name}: ${uniforms.byteLength} bytes of uniforms`);
        if (!kernel.code.includes(`fn ${kernel.entryPoint}(`)) faults.add(`${kernel.name}: no entry point`);
        for (const name of Object.keys(constants)) {
          if (!kernel.code.includes(`override ${name}:`)) faults.add(`${kernel.name}: no override ${name}`);
        }
      }
    }
    t.deepEqual([...faults], [], operation.name);
  }
  t.end();
});

test('no kernel asks a buffer for its length or adds floats atomically', (t) => {
  // Whole numbers may be added atomically: the order does not matter to them.
  for (const file of kernels) t.notOk(/arrayLength|atomic<(?!u32>)|atomicCompareExchange/.test(textOf(file)), file);
  t.end();
});

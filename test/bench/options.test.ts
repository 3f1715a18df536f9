import test from 'tape';
import { type BenchOptions, readOptions } from '../../bench/options.js';
import { entries } from '../../bench/shapes.js';
import { OptionError } from '../../lib/index.js';
import { refuses } from '../support/errors.js';

function read(...args: readonly string[]): BenchOptions {
  const options = readOptions(args, entries, undefined);
  if (typeof options === 'string') throw new Error(`expected options, got a text: ${options}`);
  return options;
}

function namesOf({ entries: selected }: BenchOptions): string[] {
  return selected.map(({ operation, name }) => `${operation.name} ${name}`);
}

test('without arguments everything runs on the CPU and on WebGPU', (t) => {
  const options = read();
  t.equal(options.entries.length, entries.length);
  t.deepEqual(options.devices, ['cpu', 'webgpu']);
  t.equal(options.isSelected, false);
  t.end();
});

test('words select by operation or by shape, wherever they stand between the options', (t) => {
  t.deepEqual(namesOf(read('--device', 'cpu', 'relu', '--json', 'out.json', 'cube512')), [
    'relu vector',
    'relu mynetHidden',
    'matmul cube512',
  ]);
  t.deepEqual(namesOf(read('--device=cpu', 'cube512')), ['matmul cube512']);
  t.end();
});

test('a variant means WebGPU, and what has several kernels; all means each of them', (t) => {
  const options = read('--variant', 'direct');
  t.deepEqual(options.devices, ['webgpu']);
  t.deepEqual(options.variants, ['direct']);
  t.ok(options.entries.every(({ operation }) => 'variants' in operation));
  t.ok(namesOf(options).includes('matmul cube512'));
  t.ok(read('--variant', 'all', 'cube512').variants.length > 4);
  t.end();
});

test('KERNELWRIGHT_DEVICE is the device where --device names none', (t) => {
  const devices = (...args: readonly string[]) => {
    const options = readOptions(args, entries, 'cpu');
    return typeof options === 'string' ? options : options.devices;
  };
  t.deepEqual(devices(), ['cpu']);
  t.deepEqual(devices('--device', 'reference'), ['reference']);
  t.end();
});

test('what is not known is refused with what is like it', (t) => {
  refuses(t, () => read('matmol'), OptionError, "'matmol' (did you mean 'matmul'?)");
  refuses(t, () => read('cube123'), OptionError, "'cube123' (did you mean 'cube");
  refuses(t, () => read('--variant', 'direkt'), OptionError, "'direkt' (did you mean 'direct'?)");
  refuses(t, () => read('--device', 'webgl'), OptionError, "'webgl' (did you mean 'webgpu'?)");
  refuses(t, () => read('--devise', 'cpu'), OptionError, '--device');
  refuses(t, () => read('--variant', 'direct', '--device', 'cpu'), OptionError, 'the device is cpu');
  refuses(t, () => read('--variant', 'direct', 'relu'), OptionError, 'relu has one');
  refuses(t, () => read('--threads', '9007199254740991'), OptionError, '--threads 9007199254740991');
  refuses(t, () => read('--json'), OptionError, '--json needs a value');
  t.end();
});

import test from 'tape';
import { helpText, numberOption, parseOptions } from '../../examples/cli.js';
import { readOptions } from '../../examples/mynet/options.js';
import { OptionError } from '../../lib/index.js';
import { refuses } from '../support/errors.js';

const OPTIONS = { out: { value: 'DIR', help: 'where to' }, fast: { help: 'quickly' } } as const;

test('options with values and switches are read', (t) => {
  t.deepEqual(parseOptions([], OPTIONS), {});
  t.deepEqual(parseOptions(['--out', 'a b', '--fast'], OPTIONS), { out: 'a b', fast: true });
  t.deepEqual(parseOptions(['--out=x=y'], OPTIONS), { out: 'x=y' });
  t.deepEqual(parseOptions(['--out', 'a', '--out', 'b'], OPTIONS), { out: 'b' }, 'the last one counts');
  t.deepEqual(parseOptions(['--help'], OPTIONS), { help: true });
  t.end();
});

test('what is no option, or lacks its value, is refused', (t) => {
  refuses(t, () => parseOptions(['--oot', 'a'], OPTIONS), OptionError, "unknown option '--oot'", "'--out'");
  refuses(t, () => parseOptions(['--zzzzzz'], OPTIONS), OptionError, /unknown option '--zzzzzz'$/);
  for (const name of ['--toString', '--constructor', '--__proto__']) {
    refuses(t, () => parseOptions([name], OPTIONS), OptionError, `unknown option '${name}'`);
  }
  refuses(t, () => parseOptions(['-o', 'a'], OPTIONS), OptionError, "'-o'");
  refuses(t, () => parseOptions(['--out'], OPTIONS), OptionError, '--out needs a value: DIR');
  refuses(t, () => parseOptions(['--out='], OPTIONS), OptionError, '--out needs a value');
  refuses(t, () => parseOptions(['--fast=1'], OPTIONS), OptionError, '--fast takes no value');
  refuses(t, () => parseOptions(['word'], OPTIONS), OptionError, "'word'");
  t.end();
});

test('a number must be one, and in its range', (t) => {
  const whole = { min: 1, isWhole: true };
  const share = { min: 0, max: 1, belowMax: true };
  t.equal(numberOption('n', undefined, 7, whole), 7);
  t.equal(numberOption('n', '12', 7, whole), 12);
  t.equal(numberOption('x', '1e-3', 7, share), 0.001);
  t.equal(numberOption('x', '1', 7, { min: 0, max: 1 }), 1);
  for (const text of ['0', '-1', '1.5', 'ten', ' ', 'NaN', 'Infinity', '1e300', '3x']) {
    refuses(t, () => numberOption('n', text, 7, whole), OptionError, `--n ${text}`, 'a whole number of 1 or more');
  }
  refuses(t, () => numberOption('x', '1', 7, share), OptionError, '--x 1', 'from 0 to less than 1');
  t.end();
});

test('help lists every option of MyNet', (t) => {
  t.equal(readOptions(['--help']), undefined);
  t.deepEqual(helpText('do [options]', OPTIONS).split('\n'), [
    'usage: do [options]',
    '  --out DIR                 where to',
    '  --fast                    quickly',
  ]);
  t.end();
});

test('the defaults of MyNet are those of its help', (t) => {
  const options = readOptions([]);
  t.deepEqual(
    [options?.epochs, options?.batchSize, options?.hidden, options?.dropout, options?.seed, options?.validationSplit],
    [40, 32, 200, 0.5, 0, 0.2],
  );
  t.deepEqual([options?.out, options?.device], ['runs/mynet', undefined]);
  t.ok(options?.data.endsWith('pictures/train') && options.test?.endsWith('pictures/test'));
  t.equal(readOptions(['--data', 'mine'])?.test, undefined, 'the bundled test pictures go with the bundled data');
  t.end();
});

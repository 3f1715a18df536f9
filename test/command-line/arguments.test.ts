import test from 'tape';
import { helpText, numberOption, parseCommandLine, parseOptions } from '../../lib/command-line/arguments.js';
import { convnet } from '../../examples/convnet/task.js';
import { mobilenet } from '../../examples/mobilenet/task.js';
import { mynet } from '../../examples/mynet/task.js';
import { resnet50 } from '../../examples/resnet50/task.js';
import { readExample } from '../../examples/program.js';
import {
  makeOptimizer,
  type OptimizerName,
  type ScheduleName,
  scheduleOf,
} from '../../lib/command-line/training/optimizers.js';
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

test('words between the options are kept apart, and names in messages are printable', (t) => {
  const { values, words } = parseCommandLine(['a', '--out', 'b', 'c', '--fast', '--', '--d'], OPTIONS);
  t.deepEqual([values, words], [{ out: 'b', fast: true }, ['a', 'c', '--d']]);
  refuses(t, () => parseOptions(['a\x1b[2J'], OPTIONS), OptionError, "'a\\u{1b}[2J' belongs to no option");
  refuses(t, () => parseOptions(['--\x1b'], OPTIONS), OptionError, "unknown option '--\\u{1b}'");
  refuses(
    t,
    () => numberOption('n', '\x9b1', 7, { min: 1 }),
    OptionError,
    '--n \\u{9b}1: expected a number of 1 or more',
  );
  t.end();
});

test('numbers that no training could use are refused', (t) => {
  const read =
    (...args: readonly string[]) =>
    () =>
      readExample(mynet, args);
  for (const size of ['9007199254740991', '1099511627776', '9007199254740993', '1e300', '-1', '0', '1.5', 'NaN']) {
    for (const [name, most] of [
      ['hidden', 65536],
      ['batch-size', 1_000_000],
      ['epochs', 1_000_000],
    ] as const) {
      refuses(t, read(`--${name}`, size), OptionError, `--${name} ${size}: expected a whole number from 1 to ${most}`);
    }
  }
  for (const seed of ['NaN', '-1', '1.5', '9007199254740992']) {
    refuses(t, read('--seed', seed), OptionError, `--seed ${seed}: expected a whole number of 0 or more`);
  }
  for (const share of ['1', '-0.1', 'NaN', 'Infinity']) {
    refuses(t, read('--validation-split', share), OptionError, '--validation-split');
    refuses(t, read('--dropout', share), OptionError, '--dropout');
  }
  for (const rate of ['-1', 'NaN', 'Infinity', '1e309']) {
    refuses(t, read('--learning-rate', rate), OptionError, '--learning-rate');
    refuses(t, read('--momentum', rate), OptionError, '--momentum');
  }
  const largest = readExample(mynet, ['--hidden', '65536', '--seed', '9007199254740991']);
  t.equal(largest?.options.hidden, 65536, 'the control case');
  t.end();
});

test('sizes of pictures that a net cannot take are refused', (t) => {
  for (const size of ['15', '4097', '20.5', 'x']) {
    refuses(t, () => readExample(convnet, ['--input-size', size]), OptionError, `--input-size ${size}`, '16');
    refuses(t, () => readExample(resnet50, ['--input-size', size]), OptionError, `--input-size ${size}`, '32');
  }
  t.equal(readExample(mobilenet, ['--input-size', '96'])?.options.inputSize, 96, 'the control case');
  t.end();
});

test('--help prints every option', (t) => {
  t.equal(readExample(mynet, ['--help']), undefined);
  t.equal(readExample(convnet, ['--help']), undefined);
  t.deepEqual(helpText('do [options]', OPTIONS).split('\n'), [
    'usage: do [options]',
    '  --out DIR                 where to',
    '  --fast                    quickly',
  ]);
  t.end();
});

test('each schedule gives the rate of a step', (t) => {
  const rates = (schedule: ScheduleName): number[] => {
    const rate = scheduleOf({ optimizer: 'sgd', learningRate: 0.1, schedule }, 10);
    return [0, 1, 4, 8].map((step) => Number((typeof rate === 'number' ? rate : rate(step)).toPrecision(4)));
  };
  t.deepEqual(rates('constant'), [0.1, 0.1, 0.1, 0.1]);
  t.deepEqual(rates('step'), [0.1, 0.1, 0.01, 0.001]);
  t.deepEqual(rates('cosine'), [0.1, 0.09755, 0.06545, 0.009549]);
  t.deepEqual(rates('one-cycle'), [0.004, 0.1, 0.06913, 0.003806]);
  const momenta = (optimizer: OptimizerName, schedule: ScheduleName): number[] => {
    const momentum = optimizer === 'sgd' ? { momentum: 0.5 } : {};
    const own = makeOptimizer({ optimizer, learningRate: 0.1, ...momentum, schedule }, 10);
    return [0, 1, 9].flatMap((step) => own.schedulesAt(step).momenta);
  };
  t.deepEqual(momenta('adamw', 'one-cycle'), [0.95, 0.85, 0.95]);
  t.deepEqual(momenta('adam', 'cosine'), [0.9, 0.9, 0.9]);
  t.deepEqual(momenta('sgd', 'one-cycle'), [0.5, 0.5, 0.5]);
  refuses(t, () => readExample(convnet, ['--schedule', 'cosin']), OptionError, "did you mean 'cosine'");
  t.end();
});

test('the defaults of programs are those of their help', (t) => {
  const asked = readExample(mynet, []);
  t.deepEqual(asked?.options, {
    model: 'mynet',
    data: asked?.options.data,
    test: asked?.options.test,
    epochs: 40,
    batchSize: 32,
    inputSize: undefined,
    ...{ optimizer: 'sgd', learningRate: 0.001, momentum: 0.9, weightDecay: 0, schedule: 'constant' },
    dropout: 0.5,
    augment: 'none',
    hidden: 200,
    weights: undefined,
    freeze: false,
    seed: 0,
    validationSplit: 0.2,
    audit: true,
    verbose: false,
    report: false,
    device: undefined,
    checkpointEvery: undefined,
    resume: false,
    out: 'runs/mynet',
  });
  t.ok(asked?.options.data.endsWith('pictures/train') && asked.options.test?.endsWith('pictures/test'));
  const own = readExample(mynet, ['--data', 'mine']);
  t.equal(own?.options.test, undefined, 'the bundled test pictures go with the bundled data');
  t.equal(readExample(convnet, [])?.options.out, 'runs/convnet');
  t.end();
});

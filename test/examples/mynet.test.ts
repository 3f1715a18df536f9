import { mkdir, readFile, readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'tape';
import { readSafetensors } from '../../lib/node/index.js';
import { drawPictures, inFolder, readJson, runMyNet } from './program.js';

const CLASSES = ['Hook', 'Spanner'];

interface HistoryFile {
  readonly loss: number[];
  readonly accuracy: number[];
  readonly validationLoss: number[];
  readonly validationAccuracy: number[];
  readonly seconds: number;
  readonly device: { readonly kind: string };
  readonly seed: number;
  readonly options: Readonly<Record<string, unknown>>;
}

interface PredictionEntry {
  readonly file: string;
  readonly label: string;
  readonly predicted: string;
  readonly probabilities: number[];
}

const historyIn = async (out: string): Promise<HistoryFile> =>
  (await readJson(join(out, 'history.json'))) as HistoryFile;

async function shapesIn(out: string, name: string): Promise<Record<string, readonly number[]>> {
  const { tensors } = await readSafetensors(join(out, name));
  return Object.fromEntries([...tensors].map(([key, { shape }]) => [key, shape]));
}

const SHAPES = { 'fc1.weight': [8, 2352], 'fc1.bias': [8], 'fc2.weight': [2, 8], 'fc2.bias': [2] };

test('MyNet trains on a folder, writes what it promises, and writes the same again from the same seed', async (t) => {
  await inFolder(async (folder) => {
    const data = await drawPictures(join(folder, 'train'), CLASSES, 6);
    const tests = await drawPictures(join(folder, 'test'), CLASSES, 2);
    const args = ['--data', data, '--test', tests, '--hidden', '8', '--epochs', '5', '--seed', '3'];
    const outs = ['first', 'second'].map((name) => join(folder, 'runs', name));
    const endings = await Promise.all(
      outs.map((out, i) => runMyNet([...args, ...(i === 1 ? ['--report'] : []), '--out', out])),
    );
    const [out = '', again = ''] = outs;
    for (const { code, errors } of endings) t.deepEqual([code, errors], [0, '']);

    const output = endings[0]?.output ?? '';
    for (const text of [
      'device: ',
      '10 to train on, 2 held out',
      'fc1 (Dense)',
      '18,842 parameters',
      'epoch 5/5  loss ',
    ]) {
      t.ok(output.includes(text), `prints '${text}'`);
    }
    t.deepEqual((await readdir(out)).sort(), [
      'best.safetensors',
      'history.json',
      'last.safetensors',
      'predictions.json',
    ]);

    const history = await historyIn(out);
    const { loss, accuracy, validationLoss, validationAccuracy } = history;
    for (const numbers of [loss, accuracy, validationLoss, validationAccuracy]) {
      t.ok(numbers.length === 5 && numbers.every(Number.isFinite), 'one number an epoch');
    }
    t.deepEqual([history.seed, history.device.kind, typeof history.seconds], [3, 'cpu', 'number']);
    t.deepEqual([history.options['hidden'], history.options['epochs'], history.options['batchSize']], [8, 5, 32]);

    const predictions = (await readJson(join(out, 'predictions.json'))) as PredictionEntry[];
    t.deepEqual(
      predictions.map(({ file, label }) => [file, label]),
      CLASSES.flatMap((name) => [0, 1].map((i) => [`${name}/${name}_${i}.png`, name])),
    );
    for (const { file, predicted, probabilities } of predictions) {
      const [first = NaN, second = NaN] = probabilities;
      t.ok(probabilities.length === 2 && Math.abs(first + second - 1) < 1e-6, `${file}: probabilities sum to 1`);
      t.equal(predicted, first > second ? 'Hook' : 'Spanner');
      t.ok(output.includes(`${file}: ${predicted} (Hook ${first.toFixed(3)}, Spanner ${second.toFixed(3)})`));
    }
    t.deepEqual(await shapesIn(out, 'last.safetensors'), SHAPES);
    t.deepEqual(await shapesIn(out, 'best.safetensors'), SHAPES);

    const numbersOf = ({ loss, accuracy, validationLoss, validationAccuracy }: HistoryFile): number[][] => [
      loss,
      accuracy,
      validationLoss,
      validationAccuracy,
    ];
    t.deepEqual(numbersOf(await historyIn(again)), numbersOf(history));
    for (const name of ['predictions.json', 'last.safetensors', 'best.safetensors']) {
      t.ok((await readFile(join(again, name))).equals(await readFile(join(out, name))), `${name} is the same`);
    }
    const report = await readFile(join(again, 'report.html'), 'utf8');
    t.ok(report.includes('10 to train on, 2 held out, 4 to test') && report.includes('>Spanner_1.png</text>'));
    t.ok(
      report.includes('<h2>What matters in the pictures</h2>') &&
        report.includes('<h2>Weights of the first layer</h2>'),
    );
  });
});

test("--article sets the article's values, and an option beside it wins", async (t) => {
  await inFolder(async (folder) => {
    const data = await drawPictures(join(folder, 'train'), CLASSES, 3);
    const args = ['--data', data, '--hidden', '8', '--epochs', '1', '--validation-split', '0', '--article'];
    const [out, mixed] = [join(folder, 'article'), join(folder, 'mixed')];
    const endings = await Promise.all([
      runMyNet([...args, '--out', out]),
      runMyNet([...args, '--momentum', '0.5', '--report', '--out', mixed]),
    ]);
    for (const { code, errors } of endings) t.deepEqual([code, errors], [0, '']);
    t.notOk(
      (await readFile(join(mixed, 'report.html'), 'utf8')).includes('Predictions'),
      'there is nothing to predict',
    );
    const [article, other] = [await historyIn(out), await historyIn(mixed)];
    t.deepEqual([article.options['learningRate'], article.options['momentum']], [0.001, 0]);
    t.deepEqual([other.options['learningRate'], other.options['momentum']], [0.001, 0.5]);
    t.deepEqual([article.validationLoss, article.validationAccuracy], [[], []], 'nothing was held out');
    t.deepEqual(await readJson(join(out, 'predictions.json')), [], 'nor predicted: no --test was given');
  });
});

/** The message is the whole of it: a line of its own, and no stack trace. */
function isPlain(errors: string): boolean {
  return errors.startsWith('mynet: ') && !/^\s+at /m.test(errors);
}

test('a wrong command line ends with exit code 2 and one message', async (t) => {
  const cases: [string[], ...string[]][] = [
    [['--epoch', '3'], "unknown option '--epoch'", "did you mean '--epochs'"],
    [['--dropout', '1'], '--dropout 1', 'less than 1'],
    [['--device', 'gpu'], '--device gpu', 'auto, cpu or webgpu'],
  ];
  const endings = await Promise.all(cases.map(([args]) => runMyNet(args)));
  endings.forEach(({ code, errors, output }, i) => {
    const [args = [], ...words] = cases[i] ?? [];
    t.equal(code, 2, args.join(' '));
    t.ok(isPlain(errors) && words.every((word) => errors.includes(word)), errors);
    t.equal(output, '');
  });
});

test('pictures that cannot be used end with exit code 1, before anything is trained or written', async (t) => {
  await inFolder(async (folder) => {
    const good = await drawPictures(join(folder, 'good'), CLASSES, 3);
    const oneClass = await drawPictures(join(folder, 'one'), ['Hook'], 2);
    const empty = await drawPictures(join(folder, 'empty'), ['Hook'], 2);
    await mkdir(join(empty, 'Spanner'));
    const broken = await drawPictures(join(folder, 'broken'), CLASSES, 2);
    await truncate(join(broken, 'Hook/Hook_1.png'), 100);
    await writeFile(join(broken, 'Spanner/fake.png'), 'no picture');
    const others = await drawPictures(join(folder, 'others'), ['Hook', 'W\x1b[31mrench'], 2);
    const out = join(folder, 'out');
    const cases: [string[], ...string[]][] = [
      [['--data', join(folder, 'nowhere')], 'nowhere'],
      [['--data', oneClass], 'one class only', 'Hook'],
      [['--data', empty], 'No picture', join(empty, 'Spanner')],
      [['--data', broken], '2 of 5', 'Hook/Hook_1.png', 'Spanner/fake.png'],
      [['--data', good, '--test', others], 'classes differ', 'Spanner', 'W\\u{1b}[31mrench'],
    ];
    const endings = await Promise.all(
      cases.map(([args]) => runMyNet([...args, '--out', out, '--hidden', '8', '--epochs', '1'])),
    );
    endings.forEach(({ code, errors, output }, i) => {
      const [args = [], ...words] = cases[i] ?? [];
      t.equal(code, 1, args.join(' '));
      t.ok(isPlain(errors) && words.every((word) => errors.includes(word)), errors);
      t.notOk(output.includes('epoch') || errors.includes('\x1b'));
    });
    t.notOk((await readdir(folder)).includes('out'), 'nothing is written');
  });
});

test('a loss that runs away ends with exit code 1, names the step, and leaves good weights', async (t) => {
  await inFolder(async (folder) => {
    const data = await drawPictures(join(folder, 'train'), CLASSES, 6);
    const out = join(folder, 'out');
    const args = ['--data', data, '--hidden', '8', '--batch-size', '4', '--learning-rate', '1e30', '--out', out];
    const { code, errors } = await runMyNet(args);
    t.equal(code, 1);
    t.ok(isPlain(errors) && /not finite at step [2-9]\b/.test(errors), errors);
    for (const name of ['last.safetensors', 'best.safetensors']) {
      t.deepEqual(await shapesIn(out, name), SHAPES);
      const { tensors } = await readSafetensors(join(out, name));
      t.ok([...tensors.values()].every(({ data: values }) => Array.from(values, Number).every((v) => Math.abs(v) < 1)));
    }
  });
});

test('Ctrl-C ends the training with history and weights on disk and exit code 130', async (t) => {
  await inFolder(async (folder) => {
    const data = await drawPictures(join(folder, 'train'), CLASSES, 6);
    const out = join(folder, 'out');
    const args = ['--data', data, '--hidden', '8', '--epochs', '100000', '--out', out];
    const { code, output, errors } = await runMyNet(args, (text, interrupt) => {
      if (text.includes('epoch      2/')) interrupt(); // at every line from there on: more than once, as under npm
    });
    t.deepEqual([code, errors], [130, '']);
    const epochs = Number(/interrupted after (\d+) epochs/.exec(output)?.[1]);
    t.ok(epochs >= 2 && epochs < 100_000, `after ${epochs} epochs`);
    const { loss, validationLoss } = await historyIn(out);
    t.deepEqual([loss.length, validationLoss.length], [epochs, epochs]);
    t.deepEqual(await shapesIn(out, 'last.safetensors'), SHAPES);
    const files = ['best.safetensors', 'history.json', 'last.safetensors', 'predictions.json'];
    t.deepEqual((await readdir(out)).sort(), files, 'no half files');
  });
});

import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'tape';
import { loadModel } from '../../lib/node/index.js';
import { drawPictures, inFolder } from '../examples/program.js';
import { documentOf, kernelwright } from './program.js';

/** What `predict --json` says of a file. */
interface Found {
  readonly file: string;
  readonly predicted?: string;
  readonly probabilities?: Readonly<Record<string, number>>;
  readonly error?: string;
}

test('what train writes is all that predict, evaluate and summary need', async (t) => {
  await inFolder(async (folder) => {
    const data = await drawPictures(join(folder, 'train'), ['Light', 'Dark'], 8);
    const tests = await drawPictures(join(folder, 'test'), ['Light', 'Dark'], 2);
    const out = join(folder, 'out');
    const given = ['--input-size', '17', '--epochs', '8', '--learning-rate', '0.01'];
    const trained = await kernelwright(['train', data, ...given, '--out', out, '--json']);
    t.equal(trained.code, 0, trained.errors);
    const told = documentOf(trained) as { best: string; interrupted: boolean; history: { epoch: number }[] };
    t.deepEqual(told.history.map(({ epoch }) => epoch), Array.from({ length: 8 }, (_, i) => i + 1)); // prettier-ignore
    t.equal(told.interrupted, false);
    const model = told.best;
    const { architecture, classNames } = (await loadModel(model)).description;
    t.deepEqual([architecture, classNames], ['convnet', ['Dark', 'Light']]);
    t.ok(trained.errors.includes('held out'), 'how it gets on is told on standard error');

    const broken = join(tests, 'Dark/Dark_1.png');
    await truncate(broken, 100);
    const single = join(folder, 'train/Light/Light_0.png');
    const predicted = await kernelwright(['predict', model, tests, single, 'nowhere.png', '--json']);
    t.equal(predicted.code, 1, 'a picture could not be read');
    const answers = documentOf(predicted) as Found[];
    t.deepEqual(
      answers.map(({ file }) => file),
      [...['Dark/Dark_0', 'Dark/Dark_1', 'Light/Light_0', 'Light/Light_1'].map((name) => join(tests, `${name}.png`)), single, 'nowhere.png'],
    ); // prettier-ignore
    t.deepEqual(
      answers.map(({ predicted: name, error }) => name ?? typeof error),
      ['Dark', 'string', 'Light', 'Light', 'Light', 'string'],
    );
    const shares = answers[0]?.probabilities;
    t.ok(Math.abs((shares?.['Dark'] ?? NaN) + (shares?.['Light'] ?? NaN) - 1) < 1e-6, JSON.stringify(shares));
    t.equal(predicted.errors.trim().split('\n').length, 2, predicted.errors);
    const views = documentOf(await kernelwright(['predict', model, tests, '--views', '8', '--json'])) as Found[];
    t.deepEqual(
      views.map(({ predicted: name, error }) => name ?? typeof error),
      ['Dark', 'string', 'Light', 'Light'],
    );
    t.notDeepEqual(views[0]?.probabilities, shares, 'the mean of eight views');

    const [evaluated, summed, audited, headed] = await Promise.all([
      kernelwright(['evaluate', model, data, '--json']),
      kernelwright(['summary', model]),
      kernelwright(['audit', tests, '--json']),
      kernelwright(['predict', model, data], (text, { stdout }) => {
        if (text.includes('\n')) stdout?.destroy();
      }),
    ]);
    const evaluation = documentOf(evaluated) as { pictures: number; confusion: number[][] };
    t.deepEqual([evaluated.code, evaluation.pictures, evaluation.confusion], [0, 16, [[8, 0], [0, 8]]]); // prettier-ignore
    t.ok(
      summed.output.startsWith('net: convnet (The small convolutional net)\nclasses: Dark, Light\npictures: 17 × 17'),
      summed.output,
    );
    t.deepEqual([audited.code, (documentOf(audited) as { unreadable: unknown[] }).unreadable.length], [1, 1]);
    t.deepEqual([headed.code, headed.errors], [0, ''], 'a reader that has seen enough is no error');

    const wrong = join(folder, 'wrong');
    await drawPictures(wrong, ['Light'], 2);
    const [mixed, one, alone, swapped, strange] = await Promise.all([
      kernelwright(['predict', model, tests, join(folder, 'nothing'), single, '--json']),
      kernelwright(['evaluate', model, wrong, '--json']),
      kernelwright(['audit', wrong]),
      kernelwright(['predict', single, model]),
      kernelwright([
        'train',
        data,
        '--model',
        'resnet8',
        '--weights',
        model,
        '--input-size',
        '17',
        '--out',
        join(folder, 'no'),
      ]),
    ]);
    t.deepEqual((documentOf(mixed) as Found[]).map(({ error }) => typeof error), ['undefined', 'string', 'undefined', 'undefined', 'string', 'undefined'], 'in their order'); // prettier-ignore
    const { pictures, classes } = documentOf(one) as { pictures: number; classes: { pictures: number }[] };
    t.deepEqual([pictures, classes.map((own) => own.pictures)], [2, [0, 2]], 'of one class alone');
    t.deepEqual([alone.code, alone.output.includes('One class only: a training takes two or more')], [1, true]);
    t.deepEqual([swapped.code, swapped.errors], [1, `kernelwright: ${single}: it is no model but a PNG file\n`]);
    t.deepEqual([strange.code, strange.errors], [1, `kernelwright: ${model}: it is a model of convnet; expected the weights of resnet8\n`]); // prettier-ignore

    const others = await drawPictures(join(folder, 'others'), ['Light', 'Green'], 1);
    const unknown = await kernelwright(['evaluate', model, others]);
    t.equal(unknown.code, 1);
    t.match(
      unknown.errors,
      /^kernelwright: .*others has Green, of which the model knows nothing: it knows Dark, Light\n$/,
    );
    const history: unknown = JSON.parse(await readFile(join(out, 'history.json'), 'utf8'));
    t.equal((history as { loss: number[] }).loss.length, 8);
  });
});

test('a wrong command line ends with exit code 2, a file of another kind with 1, each with one line', async (t) => {
  await inFolder(async (folder) => {
    const text = join(folder, 'notes.txt');
    await writeFile(text, 'no model, but some words of a text');
    const cases: [number, string[], RegExp][] = [
      [2, ['trian'], /^kernelwright: unknown command 'trian' \(did you mean 'train'\?\)/],
      [2, ['predict', '-q'], /^kernelwright: unknown option '-q'/],
      [2, ['--versoin'], /^kernelwright: unknown option '--versoin' \(did you mean '--version'\?\)/],
      [2, ['train'], /^kernelwright: expected one folder of pictures/],
      [2, ['train', 'a', 'b'], /^kernelwright: 'b' is one word too many/],
      [2, ['train', 'a', '--model', 'convnt'], /^kernelwright: --model convnt: expected .*did you mean 'convnet'/],
      [2, ['train', 'a', '--hidden', '3'], /^kernelwright: --hidden is an option of mynet, not of convnet/],
      [
        2,
        ['train', 'a', '--momentum', '0.9'],
        /^kernelwright: --momentum is an option of sgd and rmsprop, not of adamw/,
      ],
      [2, ['predict', 'a', 'b', '--views', '3'], /^kernelwright: --views 3: expected 1, 2 or 8/],
      [2, ['evaluate', 'a', 'b', '--views', '4'], /^kernelwright: --views 4: expected 1, 2 or 8/],
      [2, ['predict', 'a', '--quite'], /^kernelwright: unknown option '--quite' \(did you mean '--quiet'\?\)/],
      [2, ['audit', 'a', '--quiet', '--verbose'], /^kernelwright: --quiet and --verbose contradict/],
      [1, ['predict', text, 'a.png'], /^kernelwright: .*notes.txt: it is no model: /],
      [1, ['summary', join(folder, 'nowhere')], /^kernelwright: Cannot read .*nowhere: there is no such file/],
      [1, ['train', join(folder, 'nowhere')], /^kernelwright: Cannot read pictures from .*nowhere/],
    ];
    const endings = await Promise.all(cases.map(([, args]) => kernelwright(args)));
    for (const [i, [code, args, message]] of cases.entries()) {
      const { code: found, errors, output } = endings[i] ?? { code: undefined, errors: '', output: '' };
      t.ok(found === code && message.test(errors) && /^.*\n$/.test(errors), `${args.join(' ')}: ${found} ${errors}`);
      t.equal(output, '');
    }
  });
});

test('help and version are printed', async (t) => {
  const [all, ofTrain, again, version] = await Promise.all(
    [['--help'], ['train', '--help'], ['train', '-h'], ['--version']].map((args) => kernelwright(args)),
  ); // prettier-ignore
  for (const name of ['train', 'predict', 'evaluate', 'summary', 'audit', 'doctor']) {
    t.ok(all?.output.includes(`\n  ${name} `), name);
  }
  t.ok(ofTrain?.output.includes('usage: kernelwright train DIR [options]') && ofTrain.output === again?.output);
  t.match(version?.output ?? '', /^\d+\.\d+\.\d+\n$/);
});

import test from 'tape';
import { OptionError } from '../../lib/index.js';
import { drawCurves } from '../../lib/report/index.js';
import { rejects } from '../support/errors.js';
import { marksOf, pointsOf, textsOf } from './svg.js';

const course = (epochs: number, value: (i: number) => number) => Array.from({ length: epochs }, (_, i) => value(i));

test('drawCurves has a panel for the loss and for each metric, with both parts', async (t) => {
  const svg = await drawCurves(
    {
      accuracy: [0.5, 0.75, 1],
      loss: [0.7, 0.4, 0.3],
      validationLoss: [0.65, 0.45, 0.4],
      validationAccuracy: [0.5, 0.5, 0.75],
      top5Accuracy: [0.9, 0.95, 1],
      confusion: [[[1]], [[1]], [[1]]],
      seconds: [1, 1, 1],
      title: 'A net',
    },
    { title: 'MyNet <b>', subtitle: 'on an abacus' },
  );
  const texts = textsOf(svg);
  for (const text of ['MyNet &lt;b&gt;', 'on an abacus', 'loss', 'accuracy', 'top 5 accuracy', '100%']) {
    t.ok(texts.includes(text), text);
  }
  t.equal(texts.filter((text) => text === 'epoch').length, 3);
  t.equal(texts.filter((text) => text === 'validation').length, 2);
  t.notOk(texts.includes('seconds') || texts.includes('confusion'));
  t.deepEqual(marksOf(svg, 'line').map(pointsOf), [3, 3, 3, 3, 3]);
  t.equal(marksOf(svg, 'symbol').length, 15, 'a point for each epoch');
  t.match(
    svg,
    /^<svg role="img" aria-label="Loss over 3 epochs: in training from 0.7 to 0.3, in validation from 0.65 to 0.4\./,
  );
});

test('drawCurves shows one epoch as a point, and a thousand without points', async (t) => {
  const one = await drawCurves({ loss: [0.7], accuracy: [0.5] });
  t.equal(marksOf(one, 'symbol').length, 2);
  t.ok(textsOf(one).includes('1') && textsOf(one).includes('0.7'));
  const many = await drawCurves({ loss: course(1000, (i) => 1 / (i + 10)) });
  t.deepEqual(marksOf(many, 'line').map(pointsOf), [1000]);
  t.equal(marksOf(many, 'symbol').length, 0);
});

test('drawCurves has gaps where a number is not finite, and says so', async (t) => {
  const svg = await drawCurves({ loss: [0.7, 0.6, NaN, null, 0.4, Infinity, 0.3] });
  const [line = ''] = marksOf(svg, 'line');
  t.equal([...line.matchAll(/M/g)].length, 3, 'the line is in three parts');
  t.equal(marksOf(svg, 'rule').length, 3, 'a mark for each epoch');
  t.ok(textsOf(svg).includes('not finite'));
  t.notOk(/NaN|Infinity/.test(svg));
});

test('drawCurves takes a logarithmic axis where a few numbers would press all others flat', async (t) => {
  const ticks = (loss: number[]) => drawCurves({ loss }).then((svg) => textsOf(svg));
  t.ok((await ticks([10_000, 500, ...course(20, (i) => 2 - i / 20)])).includes('10,000'));
  t.notOk((await ticks([2, 1.5, 1.2])).includes('10'));
});

test('drawCurves refuses what is no history', async (t) => {
  await rejects(t, drawCurves({ loss: [] }), OptionError, 'loss');
  for (const history of [undefined, {}, { loss: 'low' }, { loss: ['low'] }]) {
    await rejects(t, drawCurves(history as never), OptionError, 'the history must be a history');
  }
});

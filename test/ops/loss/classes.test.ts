/** softmaxCrossEntropy and negativeLogLikelihood of PyTorch: class weights, ignored rows, reductions, more axes. */
import test from 'tape';
import {
  accuracy,
  gradient,
  logSoftmax,
  negativeLogLikelihood,
  OptionError,
  run,
  ShapeError,
  softmaxCrossEntropy,
  tensor,
  type Tensor,
} from '../../../lib/index.js';
import { RandomStream } from '../../../lib/random.js';
import { differs } from '../../support/close.js';
import { testOnDevices } from '../../support/devices.js';
import { refuses } from '../../support/errors.js';

const CLOSE = { absolute: 1e-5, relative: 1e-5 };

// From PyTorch 2: log_p = [[-1, -2, -3], [-4, -5, -6], [-7, -8, -9], [-0.5, -1.5, -2.5]], w = [1, 2, 4].
const logs = tensor([
  [-1, -2, -3],
  [-4, -5, -6],
  [-7, -8, -9],
  [-0.5, -1.5, -2.5],
]);
const weights = tensor([1, 2, 4]);
const labels = tensor(Int32Array.of(0, 2, 1, 2));

testOnDevices('negativeLogLikelihood weighs, ignores and reduces as nll_loss does', async (t, device) => {
  const cases: [name: string, of: () => Tensor, expected: number[]][] = [
    ['mean', () => negativeLogLikelihood(logs, labels), [(1 + 6 + 8 + 2.5) / 4]],
    [
      'weighted, none',
      () => negativeLogLikelihood(logs, labels, { classWeights: weights, reduction: 'none' }),
      [1, 24, 16, 10],
    ],
    ['weighted, sum', () => negativeLogLikelihood(logs, labels, { classWeights: weights, reduction: 'sum' }), [51]],
    ['weighted, mean', () => negativeLogLikelihood(logs, labels, { classWeights: weights }), [51 / 11]],
    ['ignored, none', () => negativeLogLikelihood(logs, labels, { ignoreIndex: 2, reduction: 'none' }), [1, 0, 8, 0]],
    ['ignored, mean', () => negativeLogLikelihood(logs, labels, { ignoreIndex: 2 }), [4.5]],
    ['both, mean', () => negativeLogLikelihood(logs, labels, { ignoreIndex: 1, classWeights: weights }), [35 / 9]],
    [
      'all ignored, mean',
      () => negativeLogLikelihood(logs, tensor(Int32Array.of(9, 9, 9, 9)), { ignoreIndex: 9 }),
      [NaN],
    ],
    [
      'all ignored, sum',
      () => negativeLogLikelihood(logs, tensor(Int32Array.of(-5, -5, -5, -5)), { ignoreIndex: -5, reduction: 'sum' }),
      [0],
    ],
    [
      'no class',
      () => negativeLogLikelihood(logs, tensor(Int32Array.of(0, 3, -1, 1)), { reduction: 'none' }),
      [1, NaN, NaN, 1.5],
    ],
  ];
  for (const [name, of, expected] of cases) {
    const got = await (await run(of, { device })).data();
    t.equal(differs(got, Float32Array.from(expected), CLOSE), undefined, name);
  }
});

testOnDevices('the gradient of negativeLogLikelihood is that of its formula', async (t, device) => {
  const of = () =>
    gradient(negativeLogLikelihood(logs, labels, { ignoreIndex: 1, classWeights: weights }), [logs])[0] ?? logs;
  const got = await (await run(of, { device })).data();
  const [a, b] = [-1 / 9, -4 / 9];
  t.equal(differs(got, Float32Array.of(a, 0, 0, 0, 0, b, 0, 0, 0, 0, 0, b), CLOSE), undefined);
});

/** Scores [N, C, ...places] in the order of rows [N · places, C]. */
function rowsOf(scores: ArrayLike<number>, [N, C, ...places]: readonly [number, number, ...number[]]) {
  const inner = places.reduce((product, size) => product * size, 1);
  const rows = new Float32Array(N * C * inner);
  for (let n = 0; n < N; n++) {
    for (let p = 0; p < inner; p++) {
      for (let c = 0; c < C; c++) rows[(n * inner + p) * C + c] = scores[(n * C + c) * inner + p] ?? NaN;
    }
  }
  return rows;
}

testOnDevices('more axes are more rows: [N, C, d1, ..] and [N, d1, ..]', async (t, device) => {
  const shape = [2, 3, 4, 2] as const;
  const places = [2, 4, 2];
  const scores = new RandomStream(1, 'scores').normal(48);
  const classes = Int32Array.from(new RandomStream(1, 'classes').uniform(16), (u) => Math.floor(u * 3));
  const probabilities = new RandomStream(1, 'probabilities').uniform(48);
  const options = { classWeights: tensor([0.5, 1, 2]), ignoreIndex: 1 };
  const [wide, rows] = [tensor(scores, { shape }), tensor(rowsOf(scores, shape), { shape: [16, 3] })];
  for (const reduction of ['mean', 'sum', 'none'] as const) {
    const all = { ...options, reduction };
    const pairs: [name: string, ofAxes: () => Tensor, ofRows: () => Tensor][] = [
      [
        'softmaxCrossEntropy',
        () => softmaxCrossEntropy(wide, tensor(classes, { shape: places }), all),
        () => softmaxCrossEntropy(rows, tensor(classes), all),
      ],
      [
        'of probabilities',
        () => softmaxCrossEntropy(wide, tensor(probabilities, { shape }), { reduction, labelSmoothing: 0.1 }),
        () =>
          softmaxCrossEntropy(rows, tensor(rowsOf(probabilities, shape), { shape: [16, 3] }), {
            reduction,
            labelSmoothing: 0.1,
          }),
      ],
      [
        'negativeLogLikelihood',
        () => negativeLogLikelihood(logSoftmax(wide, { axis: 1 }), tensor(classes, { shape: places }), all),
        () => negativeLogLikelihood(logSoftmax(rows), tensor(classes), all),
      ],
    ];
    for (const [name, ofAxes, ofRows] of pairs) {
      const [got, expected] = await run(() => [ofAxes(), ofRows()], { device });
      t.deepEqual(got.shape, reduction === 'none' ? places : [], `${name}, ${reduction}`);
      const [values, right] = [await got.data(), await expected.data()];
      t.equal(differs(values, right, CLOSE), undefined, `${name}, ${reduction}`);
    }
  }
  const slopesOf = async (scores: Tensor, target: Tensor) =>
    (await run(() => gradient(softmaxCrossEntropy(scores, target), [scores])[0] ?? scores, { device })).data();
  const slopes = rowsOf(await slopesOf(wide, tensor(classes, { shape: places })), shape);
  t.equal(differs(slopes, await slopesOf(rows, tensor(classes)), CLOSE), undefined, 'the gradient');
});

test('losses of classes refuse what does not fit, and unknown options', (t) => {
  const wide = tensor(new Float32Array(24), { shape: [2, 3, 4] });
  const classes = tensor(new Int32Array(8), { shape: [2, 4] });
  for (const loss of [softmaxCrossEntropy, negativeLogLikelihood]) {
    refuses(t, () => loss(wide, tensor(new Int32Array(2))), ShapeError, '[2, 3, 4]', 'i32 [2, 4]', 'i32 [2]');
    refuses(t, () => loss(wide, classes, { classWeights: [1, 2] }), ShapeError, 'classWeights', 'f32 [3]', '[2]');
    refuses(t, () => loss(wide, classes, { ignoreIndex: 0.5 }), OptionError, 'ignoreIndex', '0.5');
    refuses(t, () => loss(wide, classes, { weight: 1 } as never), OptionError, "'weight'", "'weights'");
    refuses(t, () => loss(tensor([1, 2]), tensor(Int32Array.of(0))), ShapeError, '[N, C]', '[2]');
  }
  refuses(t, () => negativeLogLikelihood(wide, wide), ShapeError, 'i32 [2, 4]', 'f32 [2, 3, 4]');
  t.deepEqual(softmaxCrossEntropy(wide, wide, { reduction: 'none' }).shape, [2, 4]);
  t.end();
});

testOnDevices('more classes than a call takes arguments', async (t, device) => {
  const classes = 150_000;
  const values = new Float32Array(2 * classes);
  values[5] = 3;
  values[classes + 7] = 4;
  const rows = tensor(values, { shape: [2, classes] });
  const found = tensor(Int32Array.of(5, 6));
  const [hits, loss] = await run(() => [accuracy(rows, found), softmaxCrossEntropy(rows, found)], { device });
  t.equal(await hits.item(), 0.5);
  const rest = classes - 1;
  const expected = (Math.log(rest + Math.exp(3)) - 3 + Math.log(rest + Math.exp(4))) / 2;
  t.equal(differs(await loss.data(), [expected], CLOSE), undefined);
});

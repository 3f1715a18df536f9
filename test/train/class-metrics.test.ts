/** Metrics of classes: top-k, precision, recall, F1, accuracy by class, confusion matrix, counted on the device. */
import test from 'tape';
import {
  accuracy,
  accuracyByClass,
  add,
  binaryCrossEntropyWithLogits,
  cast,
  compile,
  confusionMatrix,
  type CountedMetric,
  Dense,
  evaluate,
  f1Score,
  fit,
  fromArrays,
  meanSquaredError,
  OptionError,
  precision,
  RandomStream,
  recall,
  Sequential,
  SGD,
  ShapeError,
  sum,
  tensor,
  topK,
  Variable,
} from '../../lib/index.js';
import { applyOne } from '../../lib/graph/node.js';
import { confusionUpdate } from '../../lib/ops/loss/confusion.js';
import { cpu, testOnDevices } from '../support/devices.js';
import { rejects } from '../support/errors.js';

/** A model that gives its inputs. */
function identity(size: number): Sequential {
  const model = new Sequential({ fc: new Dense(size, { bias: false }) }).build([size]);
  const ones = Float32Array.from({ length: size * size }, (_, i) => Number(i % (size + 1) === 0));
  model.namedParameters().get('fc.weight')?.set(ones);
  return model;
}

/** Logits by which each row is taken for a class. */
function takenFor(classes: readonly number[], of: number): number[][] {
  return classes.map((taken) => Array.from({ length: of }, (_, c) => Number(c === taken)));
}

const METRICS = {
  matrix: confusionMatrix(),
  byClass: accuracyByClass(),
  precision: precision(),
  recall: recall(),
  f1: f1Score(),
  precision0: precision({ ofClass: 0 }),
  recall0: recall({ ofClass: 0 }),
  f1OfClass2: f1Score({ ofClass: 2 }),
};

/** Nothing is of class 3 or taken for it, nothing taken for 2, nothing of 4. */
const LABELS = [0, 0, 0, 1, 1, 2, 1];
const TAKEN = [0, 0, 1, 1, 0, 1, 4];
const EXPECTED = {
  matrix: [
    [2, 1, 0, 0, 0],
    [1, 1, 0, 0, 1],
    [0, 1, 0, 0, 0],
    [0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0],
  ],
  byClass: [2 / 3, 1 / 3, 0, NaN, NaN],
  precision: (2 / 3 + 1 / 3 + 0 + 0) / 4, // of classes 0, 1, 2 and 4: 0 / 0 is 0, and 3 does not occur
  recall: (2 / 3 + 1 / 3 + 0 + 0) / 4,
  f1: (4 / 6 + 2 / 6 + 0 + 0) / 4,
  precision0: 2 / 3,
  recall0: 2 / 3,
  f1OfClass2: 0,
};

testOnDevices('metrics of classes are those of all rows, whatever the batches', async (t, device) => {
  const data = fromArrays(takenFor(TAKEN, 5), LABELS, { classNames: ['a', 'b', 'c', 'd', 'e'] });
  for (const batchSize of [1, 2, 3, 6, 7, 100]) {
    const { loss, ...found } = await evaluate(identity(5), data, { metrics: METRICS, batchSize, device });
    t.deepEqual(found, EXPECTED, `batches of ${batchSize}`);
    t.ok(loss > 0);
  }
});

testOnDevices('in fit they are of each epoch, of training and of validation', async (t, device) => {
  const data = fromArrays(takenFor(TAKEN, 5), LABELS, { classNames: ['a', 'b', 'c', 'd', 'e'] });
  const right = fromArrays(takenFor([3, 4], 5), [3, 4], { classNames: data.classNames });
  const seen: (readonly number[] | undefined)[] = [];
  const history = await fit(identity(5), data, {
    epochs: 3,
    batchSize: 3,
    optimizer: new SGD({ learningRate: 0 }),
    metrics: { ...METRICS, accuracy, top2: topK(2) },
    validation: right,
    onEpochEnd: ({ validationByClass }) => void seen.push(validationByClass),
    device,
  });
  for (const epoch of [0, 1, 2]) {
    t.deepEqual(history.matrix[epoch], EXPECTED.matrix, 'each epoch begins afresh');
    t.deepEqual(history.byClass[epoch], EXPECTED.byClass);
    t.equal(history.f1[epoch], EXPECTED.f1);
    t.deepEqual([history.validationPrecision[epoch], history.validationF1[epoch]], [1, 1]);
    t.deepEqual(seen[epoch], [NaN, NaN, NaN, 1, 1]);
    t.ok(Math.abs((history.accuracy[epoch] ?? NaN) - 3 / 7) < 1e-6);
  }
});

testOnDevices('bits are counted by their threshold: of one output, and of several', async (t, device) => {
  const metrics = { precision: precision(), recall: recall(), f1: f1Score(), none: recall({ ofClass: 0 }) };
  // Above 0: 1, 1, 1, 0, 0, of which 1, 0, 1, 1, 0 are ones; 0 itself is no one.
  const outputs = [[2], [1], [0.5], [0], [-1]];
  const expected = { precision: 2 / 3, recall: 2 / 3, f1: 2 / 3, none: 1 / 2 };
  const bits = [1, 0, 1, 1, 0];
  const targets = bits.map((bit) => [bit]);
  const options = { loss: binaryCrossEntropyWithLogits, metrics, batchSize: 2, device };
  for (const data of [fromArrays(outputs, targets), fromArrays(outputs, bits, { classNames: ['no', 'yes'] })]) {
    const { loss, ...found } = await evaluate(identity(1), data, options);
    t.deepEqual(found, expected, 'classes are the bit of one output');
    t.ok(loss > 0);
  }
  const several = fromArrays(
    [
      [0.7, 0.2, 0.9],
      [0.5, 0.6, 0.1],
    ],
    [
      [1, 0, 0],
      [1, 1, 0],
    ],
  );
  const found = await evaluate(identity(3), several, {
    loss: meanSquaredError,
    metrics: { matrix: confusionMatrix({ threshold: 0.5 }), precision: precision({ threshold: 0.5 }) },
    device,
  });
  t.deepEqual([found.matrix, found.precision], [[[2, 1], [1, 2]], 2 / 3]); // prettier-ignore
});

testOnDevices('rows of probabilities count for their largest', async (t, device) => {
  const targets = [
    [0.6, 0.3, 0.1],
    [0.2, 0.3, 0.5],
  ];
  const data = fromArrays(takenFor([0, 1], 3), targets);
  const metrics = { matrix: confusionMatrix(), top1: topK(1), top3: topK(3) };
  const { matrix, top1, top3 } = await evaluate(identity(3), data, { metrics, device });
  t.deepEqual([matrix, top1, top3], [[[1, 0, 0], [0, 0, 0], [0, 1, 0]], 0.5, 1]); // prettier-ignore
});

testOnDevices('a row with NaN is of its class, and taken for none', async (t, device) => {
  const totals = new Variable('totals', new Uint32Array(12), [3, 4]);
  const logits = tensor([
    [NaN, 1, 2],
    [0, 0, 0],
    [0, 5, NaN],
    [-Infinity, 3, 3],
  ]);
  const step = compile(
    () => {
      totals.update(applyOne(confusionUpdate, [totals.value, logits, tensor(Int32Array.of(0, 0, 1, 2))], {}));
    },
    { device },
  );
  await step();
  await step.repeat(2);
  const counted = await totals.data();
  t.deepEqual([...counted], [3, 0, 0, 3, 0, 0, 0, 3, 0, 3, 0, 0]);
  const { check, value } = accuracyByClass();
  t.deepEqual([value(counted, [3]), check], [[0.5, 0, 0], undefined]);
  t.equal(precision().value(counted, [3]), (1 + 0 + 0) / 3);
});

testOnDevices('counts are exact beyond 2^24', async (t, device) => {
  const totals = new Variable('totals', Uint32Array.of(2 ** 24, 0, 0, 0, 2 ** 32 - 2, 0), [2, 3]);
  const step = compile(
    () => {
      const logits = tensor(takenFor([0, 0, 0, 1], 2));
      totals.update(applyOne(confusionUpdate, [totals.value, logits, tensor(Int32Array.of(0, 0, 0, 1))], {}));
    },
    { device },
  );
  await step();
  t.deepEqual([...(await totals.data())], [2 ** 24 + 3, 0, 0, 0, 2 ** 32 - 1, 0]);
});

testOnDevices(
  'what is counted agrees with counting the rows, of odd numbers of rows and classes',
  async (t, device) => {
    for (const [rows, classes] of [
      [1, 2],
      [257, 3],
      [65, 67],
      [300, 2],
    ] as const) {
      const stream = new RandomStream(rows, 'rows');
      const inputs = Array.from({ length: rows }, () => Array.from(stream.normal(classes)));
      const labels = Array.from({ length: rows }, (_, row) => row % classes);
      const classNames = Array.from({ length: classes }, (_, c) => `class ${c}`);
      const { matrix, top } = await evaluate(identity(classes), fromArrays(inputs, labels, { classNames }), {
        metrics: { matrix: confusionMatrix(), top: topK(2) },
        batchSize: 64,
        device,
      });
      const expected = classNames.map(() => classNames.map(() => 0));
      let amongTwo = 0;
      for (const [row, label] of labels.entries()) {
        const order = classNames.map((_, c) => c).sort((a, b) => (inputs[row]?.[b] ?? 0) - (inputs[row]?.[a] ?? 0));
        const line = expected[label];
        if (line) line[order[0] ?? 0] = (line[order[0] ?? 0] ?? NaN) + 1;
        amongTwo += Number(order.slice(0, 2).includes(label));
      }
      t.deepEqual(matrix, expected, `${rows} rows of ${classes} classes`);
      t.ok(Math.abs(top - amongTwo / rows) < 1e-6, `top-2 accuracy ${top}`);
    }
  },
);

testOnDevices('one may be written in place; two evaluations side by side do not mix', async (t, device) => {
  const rowsAbove: CountedMetric<number> = {
    counter: {
      shape: () => [],
      count: (totals, output) => {
        totals.assign(add(totals.value, sum(cast(output, 'u32'))));
      },
    },
    value: (totals) => totals[0] ?? NaN,
  };
  const [five, three] = [[1, 2, 3, 4, 5], [7, 8, 9]].map((values) => fromArrays(values.map((v) => [v]), values.map(() => [0]))); // prettier-ignore
  if (!five || !three) throw new Error('no data');
  const model = identity(1);
  const options = { loss: meanSquaredError, metrics: { total: rowsAbove }, batchSize: 2, device };
  const found = await Promise.all([
    evaluate(model, five, options),
    evaluate(model, three, options),
    evaluate(model, five, options),
  ]);
  t.deepEqual(found.map(({ total }) => total), [15, 24, 15]); // prettier-ignore
});

test('what does not go with the model is refused, before anything is computed', async (t) => {
  const data = fromArrays(takenFor(TAKEN, 5), LABELS, { classNames: ['a', 'b', 'c', 'd', 'e'] });
  const attempt = (metric: CountedMetric) => evaluate(identity(5), data, { metrics: { metric }, device: cpu });
  await rejects(t, attempt(recall({ ofClass: 5 })), OptionError, 'recall: ofClass is 5', '0 to 4');
  await rejects(t, attempt(precision({ threshold: 0 })), ShapeError, 'totals of metric', 'i32 [7]', 'f32 [7, 5]');
  t.throws(() => precision({ ofClass: -1 }), OptionError);
  t.throws(() => topK(0), OptionError);
  t.throws(() => topK(1.5), OptionError);
  const mistyped: object = { ofclass: 1 };
  t.throws(() => f1Score(mistyped), /ofClass/);
  const half: object = { metric: { value: () => 1 } };
  await rejects(t, evaluate(identity(5), data, { metrics: { ...half } }), OptionError, 'counted metrics');
  t.equal(
    (await evaluate(identity(5), data, { metrics: { recall: recall({ ofClass: 4 }) } })).recall,
    0,
    'the control',
  );
});

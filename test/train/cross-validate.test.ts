import test from 'tape';
import {
  crossValidate,
  Dense,
  fit,
  type Fold,
  fromArrays,
  OptionError,
  predict,
  SGD,
  ShapeError,
  softmax,
  tensor,
} from '../../lib/index.js';
import { openDevice } from '../../lib/node/index.js';
import { rejects } from '../support/errors.js';

/** Six groups of five; those of `odd` groups have the labels the wrong way round, so that nobody can learn them from others. */
const groups = Array.from({ length: 30 }, (_, row) => `group ${Math.floor(row / 5)}`);
const truth = Array.from({ length: 30 }, (_, row) => row % 2);
const data = fromArrays(
  truth.map((label, row) => [label === 1 ? 1 : -1, row]),
  truth,
  { classNames: ['no', 'yes'] },
);

/** Answers by the first number of an input, but for `group 3` always wrong. */
function answers({ heldOut }: Fold) {
  const rows = Array.from(heldOut.labels, (_, i) => {
    const [first = 0, row = 0] = heldOut.inputs.subarray(2 * i, 2 * i + 2);
    const isWrong = groups[row] === 'group 3';
    return first > 0 === isWrong ? [1, 0] : [0, 1];
  });
  return tensor(rows);
}

test('every example is judged once a seed, by a training that has not seen its group', async (t) => {
  const seen: string[] = [];
  const { scores, measured } = await crossValidate(data, {
    folds: 3,
    seeds: [0, 5],
    groups,
    train: (fold) => {
      const groupsOf = ({ inputs }: Fold['training']): Set<string> =>
        new Set(Array.from({ length: inputs.length / 2 }, (_, i) => groups[inputs[2 * i + 1] ?? 0] ?? ''));
      const [trained, heldOut] = [groupsOf(fold.training), groupsOf(fold.heldOut)];
      t.deepEqual(
        [...trained].filter((group) => heldOut.has(group)),
        [],
        `seed ${fold.seed}, fold ${fold.fold}: no group is on both sides`,
      );
      t.equal(trained.size + heldOut.size, 6, 'all groups are on one of them');
      seen.push(...[...heldOut].map((group) => `${fold.seed} ${group}`));
      return Promise.resolve({
        predictions: { plain: answers(fold), reversed: tensor([...fold.heldOut.labels].map(() => [NaN, NaN])) },
        measured: { fold: fold.fold },
      });
    },
  });
  t.equal(new Set(seen).size, 12, 'each group is held out once a seed');
  const { plain, reversed } = scores;
  if (!plain || !reversed) throw new Error('a name is missing');
  t.equal(plain.accuracy, 25 / 30);
  t.deepEqual(plain.bySeed, [25 / 30, 25 / 30]);
  t.equal(plain.deviationOfSeeds, 0);
  t.equal(plain.byFold.length, 6);
  t.ok(plain.deviationOfFolds > 0, 'folds differ: one of them has group 3');
  t.deepEqual(
    plain.byGroup,
    [0, 1, 2, 3, 4, 5].map((i) => ({ group: `group ${i}`, count: 5, accuracy: i === 3 ? 0 : 1 })),
  );
  t.deepEqual(
    [...plain.right],
    groups.map((group) => (group === 'group 3' ? 0 : 2)),
  );
  t.equal(reversed.accuracy, 0, 'NaN is no answer');
  t.equal(measured['fold'], 1, 'a mean over all trainings');
});

test('a model that is trained anew for each fold', async (t) => {
  const device = await openDevice('cpu');
  const { scores } = await crossValidate(
    fromArrays(
      truth.map((label) => [label === 1 ? 1 : -1]),
      truth,
      { classNames: ['no', 'yes'] },
    ),
    {
      async train({ training, heldOut, seed }) {
        const model = new Dense(2);
        await fit(model, training, { epochs: 20, optimizer: new SGD({ learningRate: 0.5 }), seed, device });
        return { predictions: softmax(await predict(model, heldOut, { device })) };
      },
    },
  );
  const { predictions } = scores;
  if (!predictions) throw new Error('predictions are missing');
  t.equal(predictions.accuracy, 1);
  t.equal(predictions.byFold.length, 5, 'five folds of one seed');
  t.deepEqual(predictions.byGroup, [], 'no groups, no table');
  device.dispose();
});

test('what does not fit is refused, and an error of a training ends it', async (t) => {
  const train = (fold: Fold) => Promise.resolve({ predictions: answers(fold) });
  await rejects(t, crossValidate(data, { train, folds: 1 }), OptionError, 'folds');
  await rejects(t, crossValidate(data, { train, seeds: [1, 1] }), OptionError, 'seeds');
  await rejects(t, crossValidate(data, { train, seeds: [] }), OptionError, 'seeds');
  const wrong = () => Promise.resolve({ predictions: tensor([[1, 0]]) });
  await rejects(
    t,
    crossValidate(data, { train: wrong, folds: 3 }),
    ShapeError,
    'predictions must be [10, 2]',
    '[1, 2]',
  );
  const failing = () => Promise.reject(new Error('no more'));
  await rejects(t, crossValidate(data, { train: failing, folds: 3 }), Error, 'no more');
});

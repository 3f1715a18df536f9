import test from 'tape';
import { compareResults, type Measured, nameOf, readResults } from '../../bench/comparison.js';
import { DataError } from '../../lib/index.js';
import { refuses } from '../support/errors.js';

function measured(medianMilliseconds: number, spread: number, more: Partial<Measured> = {}): Measured {
  return {
    device: 'cpu',
    operation: 'matmul',
    shape: 'cube512',
    variant: 'default',
    medianMilliseconds,
    spread,
    ...more,
  };
}

function verdict(old: Measured, now: Measured): string | undefined {
  return compareResults([old], [now]).changes[0]?.verdict;
}

test('a median is slower or faster where it is off by more than both spreads together', (t) => {
  t.equal(verdict(measured(10, 1), measured(12.5, 1)), 'slower');
  t.equal(verdict(measured(10, 1), measured(11.5, 1)), 'same', 'by 1.5, and the spreads sum to 2');
  t.equal(verdict(measured(10, 1), measured(7.5, 1)), 'faster');
  t.end();
});

test('a change of 5 % or less is none, however small the spreads', (t) => {
  t.equal(verdict(measured(100, 0), measured(105, 0)), 'same');
  t.equal(verdict(measured(100, 0), measured(106, 0)), 'slower');
  t.equal(verdict(measured(100, 0), measured(94, 0)), 'faster');
  t.end();
});

test('results are paired by device, operation, shape and variant; the others are named', (t) => {
  const old = [
    measured(1, 0),
    measured(2, 0, { device: 'webgpu', variant: 'tiled' }),
    measured(3, 0, { shape: 'gemv' }),
  ];
  const now = [
    measured(2, 0),
    measured(2, 0, { device: 'webgpu', variant: 'naive' }),
    measured(6, 0, { shape: 'gemv' }),
  ];
  const { changes, onlyOld, onlyNew } = compareResults(old, now);
  t.deepEqual(
    changes.map(({ ratio }) => ratio),
    [2, 2],
  );
  t.deepEqual(onlyOld.map(nameOf), ['matmul cube512 on webgpu (tiled)']);
  t.deepEqual(onlyNew.map(nameOf), ['matmul cube512 on webgpu (naive)']);
  t.end();
});

test('readResults refuses what is no report, naming the file and the result', (t) => {
  t.equal(readResults('a.json', JSON.stringify({ results: [measured(1, 0)] })).length, 1);
  refuses(t, () => readResults('a.json', '{'), DataError, /a\.json is not JSON/);
  refuses(t, () => readResults('a.json', '[]'), DataError, /a\.json has no list 'results'/);
  const broken = JSON.stringify({ results: [measured(1, 0), { ...measured(1, 0), spread: null }] });
  refuses(t, () => readResults('a.json', broken), DataError, /result 1 has no number 'spread'/);
  t.end();
});

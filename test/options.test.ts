import test from 'tape';
import { OptionError } from '../lib/errors.js';
import * as rule from '../lib/options.js';

interface Options {
  readonly rate: number;
  readonly count?: number;
  readonly mode?: string;
  readonly axes?: readonly number[] | null;
}

const rules: rule.OptionRules<Options> = {
  rate: rule.required(rule.number({ above: 0, max: 1 })),
  count: rule.wholeNumber({ min: 1 }),
  mode: rule.oneOf('mean', 'sum'),
  axes: rule.nullable({ expected: 'a list', accepts: Array.isArray }),
};

function messageOf(options: unknown): string {
  try {
    rule.checkOptions('f', options as Options, rules);
    return '';
  } catch (error) {
    return error instanceof OptionError ? error.message : `not an OptionError: ${String(error)}`;
  }
}

test('options that fit are taken', (t) => {
  t.equal(messageOf({ rate: 1 }), '');
  t.equal(messageOf({ rate: 0.5, count: undefined, mode: 'sum', axes: null }), '');
  t.end();
});

test('unknown options are refused with the right name', (t) => {
  t.equal(messageOf({ rate: 1, cuont: 2 }), "f: unknown option 'cuont' (did you mean 'count'?)");
  t.equal(messageOf({ rate: 1, something: 2 }), "f: unknown option 'something'; it takes rate, count, mode, axes");
  t.end();
});

test('values that do not fit are refused with what was expected', (t) => {
  t.equal(messageOf({}), 'f: rate must be a number above 0 and of 1 or less, found undefined');
  t.equal(messageOf({ rate: NaN }), 'f: rate must be a number above 0 and of 1 or less, found NaN');
  t.equal(messageOf({ rate: 0 }), 'f: rate must be a number above 0 and of 1 or less, found 0');
  t.equal(messageOf({ rate: '1' }), 'f: rate must be a number above 0 and of 1 or less, found "1"');
  t.equal(messageOf({ rate: 1, count: 1.5 }), 'f: count must be a whole number of 1 or more, found 1.5');
  t.equal(messageOf({ rate: 1, count: null }), 'f: count must be a whole number of 1 or more, found null');
  t.equal(messageOf({ rate: 1, count: 2n }), 'f: count must be a whole number of 1 or more, found 2n');
  t.equal(messageOf({ rate: 1, mode: 'max' }), "f: mode must be 'mean' or 'sum', found \"max\"");
  t.equal(messageOf({ rate: 1, axes: {} }), 'f: axes must be a list or null, found an object');
  t.end();
});

test('what is no object is refused', (t) => {
  for (const [options, shown] of [
    [3, '3'],
    [null, 'null'],
    [[1], 'an array of 1'],
    [new Float32Array(2), 'a Float32Array'],
  ] as const) {
    t.equal(messageOf(options), `f: options must be an object, found ${shown}`);
  }
  t.end();
});

test('values are shown whatever they are', (t) => {
  class Own {
    readonly is = 1;
  }
  const odd = [
    Object.create(null) as object,
    { constructor: 3 },
    { constructor: undefined },
    new (class extends Own {})(),
  ];
  t.deepEqual(
    odd.map(rule.show),
    odd.map(() => 'an object'),
  );
  t.deepEqual([new Own(), [1, 2], 2n, null, Own].map(rule.show), [
    'a Own',
    'an array of 2',
    '2n',
    'null',
    'a function',
  ]);
  t.end();
});

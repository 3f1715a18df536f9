import test from 'tape';
import { packFloat16, roundToFloat16, unpackFloat16, widenFloat16 } from '../lib/float16.js';

const ALL = widenFloat16(Uint16Array.from({ length: 65_536 }, (_, bits) => bits));
/** Those of 0 and above, in order, without infinity. */
const POSITIVE = ALL.subarray(0, 0x7c00);

test('every 16-bit float is rounded to itself, and packed and unpacked without a change', (t) => {
  t.deepEqual([...ALL.map(roundToFloat16)], [...ALL]);
  t.deepEqual([...unpackFloat16(packFloat16(ALL), ALL.length)], [...ALL]);
  t.end();
});

test('between two 16-bit floats the nearer one is taken, in the middle the even one', (t) => {
  const faults: number[] = [];
  POSITIVE.forEach((low, i) => {
    const high = POSITIVE[i + 1] ?? 65_536; // the next spacing, where infinity begins
    const middle = (low + high) / 2;
    const nudge = (high - low) / 1e6;
    const above = high === 65_536 ? Infinity : high;
    const expected = [
      [middle - nudge, low],
      [middle, i % 2 === 0 ? low : above],
      [middle + nudge, above],
    ] as const;
    for (const [value, nearest] of expected) {
      if (roundToFloat16(value) !== nearest || roundToFloat16(-value) !== -nearest) faults.push(value);
    }
  });
  t.deepEqual(faults, []);
  t.end();
});

test('special values become 16-bit floats', (t) => {
  t.ok(Number.isNaN(roundToFloat16(NaN)));
  t.deepEqual([Infinity, -Infinity, 65_519.99, 65_520, 1e300, -1e300].map(roundToFloat16), [
    ...[Infinity, -Infinity, 65_504, Infinity, Infinity, -Infinity],
  ]);
  t.ok(Object.is(roundToFloat16(-0), -0));
  t.ok(Object.is(roundToFloat16(-1e-9), -0));
  t.deepEqual([...packFloat16([1, -2, NaN])], [0xc000_3c00, 0x7e00], 'the first one in the lower half');
  t.end();
});

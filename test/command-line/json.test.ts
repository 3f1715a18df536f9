import test from 'tape';
import { jsonText } from '../../lib/command-line/json.js';

test('numbers are written with the digits of float32, counts and what is out of its range as they are', (t) => {
  const written: readonly (readonly [number, string])[] = [
    [Math.fround(0.8), '0.8'],
    [2 / 3, '0.6666667'],
    [-Math.fround(1e-7), '-1e-7'],
    [16_777_217, '16777217'],
    [2 ** 53 - 1, '9007199254740991'],
    [1e300, '1e+300'],
    [1.5e-300, '1.5e-300'],
    [0, '0'],
    [NaN, 'null'],
  ];
  for (const [number, text] of written) t.equal(jsonText({ number }), `{"number":${text}}`);
  for (let i = 0; i < 1000; i++) {
    const [float = 0] = new Float32Array(Int32Array.of(i * 4_294_967).buffer);
    if (Number.isFinite(float)) t.equal(Math.fround(Number(jsonText(float))), float);
  }
  t.equal(jsonText([0.5], 2), '[\n  0.5\n]');
  t.end();
});

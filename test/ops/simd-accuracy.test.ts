/** How exact the functions of kernels/common/exponential.wat and kernels/pointwise/pointwise.wat are, over all of their range. */
import test from 'tape';
import { elu, exp, gelu, log, run, sigmoid, silu, softplus, tanh, tensor, type Tensor } from '../../lib/index.js';
import { differs } from '../support/close.js';
import { cpu, simd } from '../support/devices.js';

/** Distance of two neighbouring float32 numbers at x. */
function unitAt(x: number): number {
  const exponent = Math.floor(Math.log2(Math.max(Math.abs(x), 2 ** -126)));
  return 2 ** (exponent - 23);
}

/** The largest error of f over `count` numbers from low to high, in units of the last place. */
async function worstUnits(
  f: (x: Tensor) => Tensor,
  exact: (x: number) => number,
  [low, high]: readonly [number, number],
  spacing: 'even' | 'powers' = 'even',
): Promise<number> {
  const count = 40_001;
  const inputs = Float32Array.from({ length: count }, (_, i) => {
    const share = i / (count - 1);
    return spacing === 'even' ? low + (high - low) * share : low * (high / low) ** share;
  });
  const results = await (await run(() => f(tensor(inputs)), { device: simd })).data();
  const errors = Array.from(results, (result, i) => {
    const expected = exact(inputs[i] ?? NaN);
    return Math.abs(result - expected) / unitAt(expected);
  });
  return errors.reduce((worst, error) => Math.max(worst, error), 0);
}

function atMost(t: test.Test, units: number, bound: number): void {
  t.ok(units <= bound, `${units.toFixed(2)} units, at most ${bound}`);
}

const sigmoidOf = (x: number): number => 1 / (1 + Math.exp(-x));

test('exp on SIMD is within 1.5 units of the last place, down to subnormal results', async (t) => {
  atMost(t, await worstUnits(exp, Math.exp, [-103, 88.7]), 1.5);
  atMost(t, await worstUnits(exp, Math.exp, [-1, 1]), 1.5);
});

test('log on SIMD is within 1.5 units of the last place, from the smallest to the largest number', async (t) => {
  atMost(t, await worstUnits(log, Math.log, [0.5, 2]), 1.5);
  atMost(t, await worstUnits(log, Math.log, [2 ** -149, 3.4e38], 'powers'), 1.5);
});

test('tanh, sigmoid, elu, softplus and silu on SIMD are within 3 units of the last place', async (t) => {
  atMost(t, await worstUnits(tanh, Math.tanh, [-12, 12]), 3);
  atMost(t, await worstUnits(tanh, Math.tanh, [1e-40, 1], 'powers'), 3);
  atMost(t, await worstUnits(sigmoid, sigmoidOf, [-87, 30]), 3);
  atMost(t, await worstUnits(elu, (x) => (x > 0 ? x : Math.expm1(x)), [-20, 1]), 3);
  atMost(t, await worstUnits(elu, Math.expm1, [-1, -1e-30], 'powers'), 3);
  atMost(t, await worstUnits(softplus, (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), [-80, 20]), 3);
  atMost(t, await worstUnits(silu, (x) => x * sigmoidOf(x), [-80, 30]), 3);
});

test('gelu on SIMD is within 6e-7 of the reference', async (t) => {
  const inputs = Float32Array.from({ length: 4001 }, (_, i) => (i - 2000) / 500);
  const [got, expected] = await Promise.all(
    [simd, cpu].map(async (device) => (await run(() => gelu(tensor(inputs)), { device })).data()),
  );
  t.equal(differs(got ?? inputs, expected ?? [], { absolute: 6e-7, relative: 0 }), undefined);
});

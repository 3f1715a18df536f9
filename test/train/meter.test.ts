import test from 'tape';
import { applyOne } from '../../lib/graph/node.js';
import { compile, Meter, OptionError, run, tensor, type Tensor, Variable } from '../../lib/index.js';
import { METER_SIZE, meterTotals, meterUpdate } from '../../lib/ops/state/meter.js';
import { testOnDevices } from '../support/devices.js';
import { rejects } from '../support/errors.js';

const NONE = { mean: NaN, updates: 0, firstNonFinite: undefined };

testOnDevices('a meter adds up with weights; read() leaves what there is, take() starts afresh', async (t, device) => {
  const meter = new Meter();
  t.deepEqual(await meter.take(), NONE, 'before any plan has used it');
  const add = compile(
    (value: Tensor) => {
      meter.update(value, 3);
    },
    { device },
  );
  for (const value of [1, 2]) await add(value);
  const both = { mean: 1.5, updates: 2, firstNonFinite: undefined };
  t.deepEqual(await meter.read(), both);
  t.deepEqual(await meter.take(), both);
  t.deepEqual(await meter.take(), NONE);
  for (const value of [4, Infinity, NaN]) await add(value);
  const { updates, firstNonFinite } = await meter.take();
  t.deepEqual([updates, firstNonFinite], [3, 1], 'which of them was the first');
});

testOnDevices('take() comes between what is queued before it and behind it', async (t, device) => {
  const meter = new Meter();
  const add = compile(
    (value: Tensor) => {
      meter.update(value);
    },
    { device },
  );
  await add(1);
  await meter.take();
  const before = add(10);
  await before;
  const taken = meter.take();
  const after = add(100);
  t.equal((await taken).mean, 10);
  await after;
  t.equal((await meter.take()).mean, 100);
});

test('a weight that is none is refused', async (t) => {
  const meter = new Meter();
  for (const weight of [NaN, -1, Infinity, '2' as never]) {
    await rejects(
      t,
      run(() => meter.update(tensor(1), weight)),
      OptionError,
      'Meter.update: the weight',
      String(weight),
    );
  }
  await run(() => meter.update(tensor(4), 0.5));
  t.equal((await meter.read()).mean, 4, 'the control');
});

testOnDevices('a mean of very many values keeps its digits', async (t, device) => {
  const meter = new Meter();
  const add = compile(
    (value: Tensor) => {
      for (let i = 0; i < 50; i++) meter.update(value, 3);
    },
    { device },
  );
  const times = 200;
  for (let i = 0; i < times; i++) await add(tensor([0.1]));
  const { mean, updates } = await meter.read();
  t.ok(Math.abs(mean / Math.fround(0.1) - 1) < 1e-7, `mean ${mean}`);
  t.equal(updates, times * 50);
});

testOnDevices('a meter counts on, and takes in small values, beyond 2^24', async (t, device) => {
  const start = new Float32Array(METER_SIZE);
  start.set([2 ** 24, 2 ** 24, 2 ** 24]); // so many ones with a weight of 1
  const state = new Variable('meter', start);
  const add = compile(
    (value: Tensor) => {
      for (let i = 0; i < 3; i++) state.update(applyOne(meterUpdate, [state.value, value], { weight: 1 }));
    },
    { device },
  );
  await add(tensor(0.25));
  const { total, weights, updates, first } = meterTotals(await state.data());
  t.deepEqual([total, weights, updates, first], [2 ** 24 + 0.75, 2 ** 24 + 3, 2 ** 24 + 3, 0]);
  await add(tensor(NaN));
  t.equal(meterTotals(await state.data()).first, 2 ** 24 + 4);
});

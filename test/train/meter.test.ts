import test from 'tape';
import { compile, Meter, OptionError, run, tensor, type Tensor } from '../../lib/index.js';
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

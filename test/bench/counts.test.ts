import test from 'tape';
import { CALL_NAMES, countCalls, countsPerStep, subtractCounts } from '../../bench/host/call-counts.js';
import { interfaces, openNullDevice } from '../../bench/host/null-device.js';
import { compile, exp, relu, tensor, type Tensor } from '../../lib/index.js';

/** relu keeps what exp gave, so that a pass that fuses elementwise operations makes one dispatch of two. */
const chain = (x: Tensor): Tensor => relu(exp(x));

test('calls of a small compiled function are counted, and only while counting', async (t) => {
  const device = await openNullDevice();
  const step = compile(chain, { device });
  const row = tensor([1, 2, 3]);

  const first = await countCalls(interfaces, async () => {
    await step(row);
  });
  t.ok(first.buffersCreated > 0, `the first call makes ${first.buffersCreated} buffers`);
  t.ok(first.bindGroupsCreated > 0, 'and bind groups');
  t.ok(first.pipelinesCreated > 0, 'and pipelines');
  await step(row);

  const three = await countCalls(interfaces, async () => {
    for (let i = 0; i < 3; i++) await step(row);
    await device.finished();
  });
  const dispatches = step.plans()[0]?.program.steps.length ?? 0;
  t.deepEqual(countsPerStep(three, 3), {
    dispatches,
    computePasses: 1,
    submits: 1,
    buffersCreated: 0,
    bindGroupsCreated: 0,
    pipelinesCreated: 0,
    writeBuffers: 1,
  });
  t.ok(dispatches === 1 || dispatches === 2, `${dispatches} dispatches`);
  t.deepEqual(
    subtractCounts(three, three),
    Object.fromEntries(CALL_NAMES.map((name) => [name, 0])),
    'nothing is left of equal counts',
  );
  step.dispose();
  device.dispose();
});

test('what ends in an error is counted no longer', async (t) => {
  const device = await openNullDevice();
  const before = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(device.gpu), 'createBuffer');
  try {
    await countCalls(interfaces, () => {
      throw new Error('on purpose');
    });
    t.fail('the error is passed on');
  } catch (error) {
    t.equal(error instanceof Error && error.message, 'on purpose');
  }
  const after = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(device.gpu), 'createBuffer');
  t.equal(after?.value, before?.value, 'the method is the one that it was');
  device.dispose();
});

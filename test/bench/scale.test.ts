import test from 'tape';
import { BufferLedger } from '../../bench/scale/buffer-ledger.js';
import { growthOf, type MemorySample } from '../../bench/scale/endurance.js';
import { drawScale } from '../../bench/scale/picture.js';
import type { ScalePoint } from '../../bench/scale/points.js';
import { multiplyAddsOf, scaledStep } from '../../bench/scale/scaled-step.js';
import { scaleTable } from '../../bench/scale/tables.js';
import { factsOf } from '../../bench/step/report.js';
import { CpuDevice } from '../../lib/device/cpu/device.js';
import type { Device } from '../../lib/index.js';
import { openWebGpu } from '../support/webgpu.js';

const SMALL = { inputs: 7, batch: 5, hidden: 3, examples: 11 };

const devices: readonly [string, () => Device | Promise<Device>][] = [
  ['cpu', () => new CpuDevice({ path: 'simd', reason: 'test' })],
  ['webgpu', openWebGpu],
];

for (const [name, open] of devices) {
  test(`over 300 training steps the buffers on ${name} stay exactly the same, and all of them are freed`, async (t) => {
    const device = await open();
    // Kernels stay with a device: they come with the first step, before the ledger begins.
    const first = scaledStep(device, SMALL);
    await first.run(1);
    await first.readLoss();
    first.dispose();
    const ledger = new BufferLedger(device);
    const step = scaledStep(device, SMALL);
    await step.run(1);
    await step.readLoss();
    const before = ledger.now;
    const memory = device instanceof CpuDevice ? device.heap.memory.buffer.byteLength : 0;
    t.ok(before.buffers > 0 && before.bytes > 0, `${before.buffers} buffers of ${before.bytes} bytes`);
    for (let i = 0; i < 30; i++) {
      await step.run(10);
      t.ok(Number.isFinite(await step.readLoss()), 'the loss is a number');
      t.deepEqual(ledger.now, before, `step ${10 * (i + 1)}`);
    }
    if (device instanceof CpuDevice) t.equal(device.heap.memory.buffer.byteLength, memory, 'the heap has not grown');
    step.dispose();
    t.deepEqual(ledger.now, { buffers: 0, bytes: 0 }, 'nothing is left');
    device.dispose();
  });
}

test('a buffer that is destroyed twice is subtracted once', async (t) => {
  const device = await openWebGpu();
  const ledger = new BufferLedger(device);
  const kept = device.allocate({ shape: [3], dtype: 'f32' });
  const gone = device.allocate({ shape: [5], dtype: 'f32' });
  t.deepEqual(ledger.now, { buffers: 2, bytes: 16 + 32 });
  gone.dispose();
  gone.dispose();
  t.deepEqual(ledger.now, { buffers: 1, bytes: 16 });
  kept.dispose();
  device.dispose();
});

test('growth of buffers by one byte, or of the process by more than a twentieth, is named', (t) => {
  const sample: MemorySample = {
    library: 'kernelwright',
    device: 'cpu',
    steps: 1000,
    buffers: 28,
    bytes: 1000,
    residentBytes: 100,
    heapBytes: 100,
  };
  /** Three samples as they were at first, then three that differ. */
  const growth = (change: Partial<MemorySample>) =>
    growthOf([sample, sample, sample, ...Array.from({ length: 3 }, () => ({ ...sample, steps: 2000, ...change }))]);
  t.deepEqual(growth({ residentBytes: 104, heapBytes: 90 }), []);
  t.match(growth({ bytes: 1001 })[0] ?? '', /1001 bytes at step 2000/);
  t.match(growth({ residentBytes: 106 })[0] ?? '', /process: by 6.0 %/);
  t.match(growth({ heapBytes: 106 })[0] ?? '', /JavaScript heap: by 6.0 %/);
  t.equal(growthOf([sample, sample, sample, { ...sample, residentBytes: 200 }]).length, 0, 'one sample is no growth');
  t.end();
});

test('multiply-adds of a step are those of its five products', (t) => {
  // forwards 5·7·3 + 5·3·2, weight gradients the same, hidden gradient 5·3·2
  t.equal(multiplyAddsOf(SMALL), 2 * (105 + 30) + 30);
  t.end();
});

test('points are rows of a table and marks of a picture', async (t) => {
  const point: ScalePoint = {
    library: 'kernelwright',
    device: 'cpu',
    sweep: 'batch',
    ...SMALL,
    multiplyAdds: 300,
    millisecondsPerStep: 0.25,
    nanosecondsPerMultiplyAdd: 833,
    hostMillisecondsPerStep: 0.05,
    buffers: 28,
    bytes: 12_345_678,
    residentBytes: 98_765_432,
  };
  for (const part of ['batch', '833', '12.3', '98.8']) t.ok(scaleTable([point]).includes(part), part);
  const svg = await drawScale(factsOf('a CPU', {}), [point, { ...point, batch: 20 }]);
  for (const part of ['<svg', 'a CPU', 'ns a multiply-add', 'MB in buffers', 'batch']) t.ok(svg.includes(part), part);
});

import test from 'tape';
import { CpuDevice } from '../../lib/device/cpu/device.js';
import { SharedBuffers } from '../../lib/device/shared-buffers.js';
import { collectGarbage } from '../support/garbage.js';

/** Buffers of a CPU device, and how many bytes of it are in use. */
function open(memoryLimit?: number) {
  const device = new CpuDevice({ reason: 'test', memoryLimit });
  return { buffers: new SharedBuffers((spec) => device.allocate(spec)), used: () => device.memory.used };
}

test('programs share buffers, the largest with the largest, and those of one program are all different', (t) => {
  const { buffers, used } = open();
  const first = buffers.lease([64, 640, 256]);
  t.equal(used(), 0, 'nothing is allocated before it is asked for');
  const own = first.arrays();
  t.equal(used(), 960);
  t.deepEqual(
    own.map(({ shape }) => shape[0]),
    [64, 640, 256],
    'in the order in which they were asked for',
  );
  t.deepEqual(first.arrays(), own, 'asked for again they are the same');
  const second = buffers.lease([128, 512, 64, 64]).arrays();
  t.equal(used(), 1024, 'one more was missing');
  t.deepEqual(second.slice(0, 3), [own[2], own[1], own[0]]);
  t.equal(new Set(second).size, 4);
  t.end();
});

test('a buffer goes with the last who has it, once', (t) => {
  const { buffers, used } = open();
  const leases = [buffers.lease([640, 64]), buffers.lease([640])];
  for (const lease of leases) lease.arrays();
  t.equal(used(), 704);
  leases[0]?.release();
  leases[0]?.release();
  t.equal(used(), 640, 'the second one has it still');
  leases[1]?.release();
  t.equal(used(), 0);
  const later = buffers.lease([640]);
  t.equal(later.arrays().length, 1);
  t.equal(used(), 640, 'what was freed is not given out again');
  buffers.lease([640]).release();
  t.equal(used(), 640, 'a lease whose buffers were never asked for');
  t.end();
});

test('a buffer that is much too large is left to others', (t) => {
  const { buffers, used } = open();
  buffers.lease([64 * 100]).arrays();
  const small = buffers.lease([64 * 12, 64 * 5]);
  small.arrays();
  t.equal(used(), 64 * 117, 'eight times as large is too large');
  buffers.lease([64 * 13]).arrays();
  t.equal(used(), 64 * 117);
  t.end();
});

test('what is missing is what would be allocated', (t) => {
  let random = 7;
  const next = (): number => (random = (random * 16807) % 2147483647);
  for (let round = 0; round < 50; round++) {
    const { buffers, used } = open();
    const programs = Array.from({ length: 4 }, () =>
      Array.from({ length: next() % 6 }, () => 64 * (1 + (next() % 40))),
    );
    const leases = programs.slice(0, 1).map((sizes) => buffers.lease(sizes));
    for (const lease of leases) lease.arrays();
    const before = used();
    const missing = buffers.missing(programs.slice(1));
    t.equal(used(), before);
    for (const sizes of programs.slice(1)) leases.push(buffers.lease(sizes));
    for (const lease of leases) lease.arrays();
    t.equal(used() - before, missing, JSON.stringify(programs));
    t.equal(buffers.missing(programs), 0, 'all of it is there now');
    for (const lease of leases) lease.release();
    t.equal(used(), 0);
  }
  t.end();
});

test('a lease whose buffer is refused gives back those that it got', (t) => {
  const { buffers, used } = open(1000);
  const lease = buffers.lease([640, 512]);
  t.throws(() => lease.arrays(), /DeviceMemoryError|needs/);
  lease.release();
  t.equal(used(), 0);
  t.equal(buffers.lease([960]).arrays().length, 1);
  t.end();
});

test('buffers of leases that were forgotten go, and those of others stay', async (t) => {
  const { buffers, used } = open();
  const kept = buffers.lease([640]);
  kept.arrays();
  buffers.lease([640, 6400]).arrays();
  t.equal(used(), 7040);
  await collectGarbage(8);
  t.equal(used(), 640);
  t.equal(buffers.missing([[640], [6400]]), 6400);
  kept.release();
});

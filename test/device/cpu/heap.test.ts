import fc from 'fast-check';
import test from 'tape';
import { Heap } from '../../../lib/device/cpu/heap.js';
import { DeviceError } from '../../../lib/errors.js';

interface Block {
  readonly start: number;
  readonly bytes: number;
}

/** Whether two blocks share a byte. */
function overlap(a: Block, b: Block): boolean {
  return a.start < b.start + b.bytes && b.start < a.start + a.bytes;
}

test('blocks of the heap never overlap, whatever is given back in between', (t) => {
  const steps = fc.array(
    fc.record({ bytes: fc.integer({ min: 0, max: 300_000 }), release: fc.boolean(), pick: fc.nat() }),
    {
      maxLength: 60,
    },
  );
  fc.assert(
    fc.property(steps, (actions) => {
      const heap = new Heap();
      const live: Block[] = [];
      for (const { bytes, release, pick } of actions) {
        if (release && live.length > 0) {
          const [freed] = live.splice(pick % live.length, 1);
          if (freed) heap.release(freed.start, freed.bytes);
        } else {
          const block = { start: heap.allocate(bytes), bytes };
          if (live.some((other) => overlap(block, other))) return false;
          if (block.start % 64 !== 0 || block.start + bytes > heap.memory.buffer.byteLength) return false;
          live.push(block);
        }
      }
      return true;
    }),
  );
  t.pass('in all of the random sequences');
  t.end();
});

test('what was given back is joined, so that the same memory serves again without growing', (t) => {
  const heap = new Heap();
  const half = 450_000;
  const blocks = [heap.allocate(half), heap.allocate(half)];
  const before = heap.memory.buffer.byteLength;
  for (const start of blocks) heap.release(start, half);
  heap.allocate(2 * half);
  t.equal(heap.memory.buffer.byteLength, before);
  t.equal(heap.generation, 0);
  t.end();
});

test('a block that is given out again holds zeros', (t) => {
  const heap = new Heap();
  const start = heap.allocate(64);
  heap.view('f32', start, 16, false).fill(7);
  heap.release(start, 64);
  t.equal(heap.allocate(64), start);
  t.deepEqual(heap.view('f32', start, 16, false), new Float32Array(16));
  t.end();
});

test('the heap grows when it is full, counting generations, and keeps what is in it', (t) => {
  const heap = new Heap();
  const first = heap.allocate(64);
  heap.view('f32', first, 16, false).fill(3);
  heap.allocate(5_000_000);
  t.equal(heap.generation, 1);
  t.deepEqual(heap.view('f32', first, 16, false), new Float32Array(16).fill(3));
  t.end();
});

test('a block beyond 4 GiB is refused, naming the bytes', (t) => {
  const heap = new Heap();
  t.throws(
    () => heap.allocate(5 * 2 ** 30),
    (error: unknown) => error instanceof DeviceError && error.message.includes('5368709120'),
  );
  t.end();
});

import test from 'tape';
import { fillBlock, foldWorkgroups, MAX_WORKGROUPS_PER_DIMENSION, Uniforms } from '../../lib/graph/launch.js';
import { relu, run, tensor } from '../../lib/index.js';
import { webgpu } from '../support/webgpu.js';

test('workgroups are folded into rows within the limit, with fewer surplus ones than rows', (t) => {
  t.deepEqual(
    [foldWorkgroups(0), foldWorkgroups(1), foldWorkgroups(65_535)],
    [
      [0, 1, 1],
      [1, 1, 1],
      [65_535, 1, 1],
    ],
  );
  t.deepEqual(foldWorkgroups(65_536), [32_768, 2, 1]);
  for (const count of [65_537, 131_070, 131_071, 1_000_003, 2 ** 31 - 1]) {
    const [x, y, z] = foldWorkgroups(count);
    t.ok(x <= MAX_WORKGROUPS_PER_DIMENSION && y <= MAX_WORKGROUPS_PER_DIMENSION && z === 1, `${count} as ${x} x ${y}`);
    t.ok(x * y >= count && x * y - count < y);
  }
  t.end();
});

test('uniforms are laid out as WGSL lays out a struct', (t) => {
  const bytes = new Uniforms().u32(1, -1).f32(0.5).axes([2, 3], 7).u32(9).bytes();
  const words = new Uint32Array(bytes.buffer);
  t.deepEqual(Array.from(words), [1, 0xffffffff, 0x3f000000, 0, 2, 3, 7, 7, 7, 7, 7, 7, 9, 0, 0, 0]);
  t.equal(new Uniforms().u32(1).bytes().byteLength, 16);
  t.end();
});

test('a block of a kernel is replaced between its marks, and must be there', (t) => {
  const source = 'a\n// begin f\nold\n// end f\nb\n';
  t.equal(fillBlock(source, 'f', 'new'), 'a\nnew\n// end f\nb\n');
  t.throws(() => fillBlock(source, 'g', 'new'), /no block g/);
  t.end();
});

test('relu of 65,536 · 256 + 1 elements, over the limit of 65,535 workgroups, is right on webgpu', async (t) => {
  // The folding of every other kernel is tested with small grids in test/ops/guards.test.ts: software adapters take
  // minutes for so many workgroups with barriers.
  const values = Float32Array.from({ length: 65_536 * 256 + 1 }, (_, i) => ((i * 37) % 101) - 50);
  const data = await (await run(() => relu(tensor(values)), { device: await webgpu() })).data();
  t.equal(
    data.findIndex((value, i) => value !== Math.max(values[i] ?? 0, 0)),
    -1,
  );
  t.equal(data.length, values.length);
});

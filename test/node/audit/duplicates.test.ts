import test from 'tape';
import { samePictures } from '../../../lib/node/audit/duplicates.js';
import { bitCount, type Fingerprint, fingerprintOf, likeness } from '../../../lib/node/audit/fingerprint.js';
import { decodePicture } from '../../../lib/node/index.js';
import { RandomStream } from '../../../lib/random.js';
import { colours, grey, jpeg } from '../../support/picture-files.js';

/** A fingerprint of which the hash has these bits set, with a thumbnail of its own, unless one is given. */
function print(digest: number, bits: readonly number[], thumbnail?: Uint8Array): Fingerprint {
  const hash: [number, number] = [0, 0];
  for (const bit of bits) hash[bit < 32 ? 0 : 1] |= 1 << (bit % 32);
  const own = Uint8Array.from(new RandomStream(digest, 'thumbnail').bits(768), (word) => word & 0xff);
  return { digest: String(digest), hash, thumbnail: thumbnail ?? own };
}

function groups(prints: readonly Fingerprint[]): string[] {
  return samePictures(prints).map(({ isExact, indices }) => `${isExact ? 'exact' : 'near'} ${indices.join()}`);
}

test('bits are counted', (t) => {
  t.deepEqual([0, 1, -1, 0x80000000, 0x55555555, 0xf00f].map(bitCount), [0, 1, 32, 1, 16, 8]);
  t.end();
});

test('hashes that differ in up to 8 bits, any of them, are found', (t) => {
  const picture = print(1, []).thumbnail;
  let [found, none] = [0, 0];
  for (let round = 0; round < 200; round++) {
    const order = [...new RandomStream(round, 'bits').bits(64).entries()]
      .sort((a, b) => a[1] - b[1])
      .map(([bit]) => bit);
    const first = order.slice(20, 40);
    const other = (count: number): number[] => [
      ...first.filter((bit) => !order.slice(36, 40).includes(bit)),
      ...order.slice(0, count - 4),
    ];
    found += groups([print(1, first, picture), print(2, other(8), picture)]).length;
    none += groups([print(1, first, picture), print(2, other(9), picture)]).length;
  }
  t.deepEqual([found, none], [200, 0]);
  t.end();
});

test('like hashes of unlike pictures are no duplicates', (t) => {
  t.deepEqual(groups([print(1, [3]), print(2, [3]), print(3, [])]), []);
  t.end();
});

test('exact ones and near ones are groups of their own', (t) => {
  const { thumbnail } = print(1, []);
  const prints = [
    print(1, [], thumbnail),
    print(9, [1, 40, 60]),
    print(2, [5], thumbnail),
    print(1, [], thumbnail),
    print(3, [5, 6, 7], thumbnail),
    print(9, [1, 40, 60]),
  ];
  t.deepEqual(groups(prints), ['exact 0,3', 'exact 1,5', 'near 0,2,3,4']);
  t.deepEqual(groups([]), []);
  t.end();
});

test('a copy that was compressed, scaled, made brighter or cropped a little looks the same', async (t) => {
  const size = { width: 96, height: 64 };
  const original = { ...size, pixels: colours(size) };
  const copies = {
    compressed: await decodePicture(await jpeg(size, { quality: 60 })),
    scaled: await decodePicture(await jpeg(size, {}, (picture) => picture.resize(48, 32))),
    brighter: await decodePicture(await jpeg(size, {}, (picture) => picture.modulate({ brightness: 1.1 }))),
    cropped: await decodePicture(
      await jpeg(size, {}, (picture) => picture.extract({ left: 1, top: 1, width: 94, height: 62 })),
    ),
  };
  for (const [kind, copy] of Object.entries(copies)) {
    t.deepEqual(groups([fingerprintOf(original), fingerprintOf(copy)]), ['near 0,1'], kind);
  }
  const other = { ...size, pixels: colours(size, 3) };
  t.deepEqual(groups([fingerprintOf(original), fingerprintOf(other)]), [], 'another picture');
});

test('pictures of one colour are alike where the colours are', async (t) => {
  const [one, near, far] = await Promise.all(
    [10, 12, 90].map(async (v) => fingerprintOf(await decodePicture(grey(v, 1, 1)))),
  );
  if (!one || !near || !far) throw new Error('three were made');
  t.deepEqual(groups([one, near, far]), ['near 0,1']);
  t.equal(
    likeness(one.thumbnail, fingerprintOf({ width: 9, height: 9, pixels: colours({ width: 9, height: 9 }) }).thumbnail),
    0,
  );
});

test('the same pixels in another shape are another picture', (t) => {
  const pixels = colours({ width: 6, height: 4 });
  const [one, other] = [fingerprintOf({ width: 6, height: 4, pixels }), fingerprintOf({ width: 4, height: 6, pixels })];
  t.notEqual(one.digest, other.digest);
  t.end();
});

test('ten thousand pictures are compared in a moment, also where all have one hash', (t) => {
  const { thumbnail } = print(0, []);
  const bits = new RandomStream(0, 'hashes').bits(20_000);
  const different = Array.from({ length: 10_000 }, (_, i): Fingerprint => {
    return { digest: String(i), hash: [bits[2 * i] ?? 0, bits[2 * i + 1] ?? 0], thumbnail };
  });
  const alike = Array.from({ length: 1000 }, (_, i) => print(i, [1]));
  const start = process.cpuUsage();
  t.deepEqual([groups(different).length, groups(alike).length], [0, 0]);
  const milliseconds = process.cpuUsage(start).user / 1000;
  t.ok(milliseconds < 5000, `${Math.round(milliseconds)} ms`);
  t.end();
});

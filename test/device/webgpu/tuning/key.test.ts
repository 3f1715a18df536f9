import test from 'tape';
import { adapterKey, bucketOf } from '../../../../lib/device/webgpu/tuning/key.js';
import { webgpu } from '../../../support/webgpu.js';

test('sizes up to 16 have buckets of their own, larger ones share them, multiples of 4 apart from the others', (t) => {
  t.equal(bucketOf([1, 16, 3]), '1,16,3');
  t.equal(bucketOf([17]), bucketOf([19]));
  t.equal(bucketOf([20]), '20*');
  t.equal(bucketOf([32]), '32*');
  t.equal(bucketOf([33]), bucketOf([39]));
  t.equal(bucketOf([2352]), '2560*');
  t.notEqual(bucketOf([2560]), bucketOf([2564]));
  t.equal(bucketOf([]), '');
  t.end();
});

test("the adapter's part of a key has its name, and tells features and limits apart", async (t) => {
  const { gpu, info, target } = await webgpu();
  const adapter = { description: info.description, features: target.features, limits: gpu.limits };
  const key = adapterKey(adapter);
  t.ok(key.startsWith(info.description));
  t.equal(adapterKey({ ...adapter }), key);
  t.notEqual(adapterKey({ ...adapter, features: new Set(['another']) }), key);
  class OtherLimits {
    get maxBufferSize(): number {
      return 1;
    }
  }
  const other: unknown = new OtherLimits();
  t.notEqual(adapterKey({ ...adapter, limits: other as GPUSupportedLimits }), key);
});

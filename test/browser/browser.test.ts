import type { BrowserContext } from 'playwright-core';
import test from 'tape';

import { differs } from '../support/close.js';
import { THREAD_PROBE } from '../support/thread-probe.js';
import { loadAssembler } from '../../tools/inline-kernels.js';
import { openSite, ORIGIN, OTHER_ORIGIN, type PagePath } from './site.js';
import { openTab, type Tab } from './tab.js';

let context: BrowserContext | undefined;

/** A test in a page of its own, in which no exception may go uncaught. */
function testIn(path: PagePath, name: string, body: (t: test.Test, tab: Tab) => Promise<void>, origin = ORIGIN): void {
  test(`${path.slice(1)}: ${name}`, async (t) => {
    context ??= await openSite();
    const tab = await openTab(context, origin + path);
    await body(t, tab);
    t.deepEqual(tab.uncaught, [], 'no exception went uncaught');
    await tab.close();
  });
}

test.onFinish(() => {
  void context?.close();
});

testIn(
  '/isolated',
  'the CPU device has the threads that were asked for and that the machine runs, and results do not depend on it',
  async (t, tab) => {
    t.ok(await tab.call('isIsolated'));
    const [one, two, many] = [
      await tab.call('product', 1),
      await tab.call('product', 2),
      await tab.call('product', 300),
    ];
    const cores = await tab.call('cores');
    t.deepEqual(
      [one, two, many].map(({ info }) => info.threads),
      [1, Math.min(2, cores), cores],
    );
    t.equal(many.info.description, `CPU, WebAssembly SIMD, ${cores} thread${cores > 1 ? 's' : ''}`);
    t.ok(one.bits.some((bits) => bits !== 0));
    t.deepEqual(two.bits, one.bits);
    t.deepEqual(many.bits, one.bits);
  },
);

testIn('/isolated', 'all threads compute, in a loop that leaves the page no time for anything else', async (t, tab) => {
  const assemble = await loadAssembler();
  const threads = Math.min(2, await tab.call('cores'));
  t.equal(await tab.call('busyThreads', assemble('probe.wat', THREAD_PROBE), threads), threads);
});

for (const [path, description] of [
  ['/not-isolated', 'CPU, WebAssembly SIMD, 1 thread'],
  ['/no-workers', 'CPU, WebAssembly SIMD, 1 thread'],
  ['/no-worker-from-text', 'CPU, WebAssembly SIMD, 1 thread'],
  ['/no-webassembly', 'CPU, TypeScript reference'],
] as const) {
  testIn(path, 'the CPU device computes on one thread, and says so', async (t, tab) => {
    t.equal(await tab.call('isIsolated'), path !== '/not-isolated');
    const { before, info, bits } = await tab.call('product', 2);
    t.deepEqual([before.threads, before.description], [1, description], 'when it is opened');
    t.deepEqual([info.threads, info.description], [1, description], 'when it has computed');
    t.equal(bits.length, 300 * 300);
    const unnamed = await tab.call('productOnDefault');
    t.deepEqual([unnamed.info.threads, unnamed.info.description], [1, description], 'the default device');
    t.deepEqual(unnamed.bits, bits);
  });
}

testIn('/not-isolated', 'fit trains on WebGPU as it does on the CPU', async (t, tab) => {
  const expected = await tab.call('train', 'cpu');
  const trained = await tab.call('train', 'webgpu');
  t.deepEqual([expected.info.kind, trained.info.kind], ['cpu', 'webgpu']);
  t.ok(trained.info.software, trained.info.description);
  t.equal(differs(Float64Array.from(trained.loss), expected.loss, { absolute: 0, relative: 1e-4 }), undefined);
  t.ok((trained.loss[3] ?? 1) < (trained.loss[0] ?? 0), trained.loss.join(', '));
});

testIn('/not-isolated', 'what tuning has chosen is remembered', async (t, tab) => {
  t.deepEqual(await tab.call('tune'), { sources: ['measured'], warnings: [] });
  t.deepEqual(await tab.call('tune'), { sources: ['remembered'], warnings: [] });
});

testIn('/isolated', 'what tuning has chosen is remembered by the next page of the origin', async (t, tab) => {
  t.deepEqual(await tab.call('tune'), { sources: ['remembered'], warnings: [] });
});

testIn('/opaque-origin', 'tuning works where IndexedDB is refused, and says that nothing was kept', async (t, tab) => {
  for (let turn = 0; turn < 2; turn++) {
    const { sources, warnings } = await tab.call('tune');
    t.deepEqual(sources, ['measured']);
    t.ok(warnings.length === 1 && warnings[0]?.startsWith('the choices could not be kept:'), warnings.join());
  }
});

testIn(
  '/not-isolated',
  'tuning works where there is no room for its choices',
  async (t, tab) => {
    await tab.limitStorage(1);
    const { sources, warnings } = await tab.call('tune', 129);
    t.deepEqual(sources, ['measured']);
    t.ok(warnings.length === 1 && warnings[0]?.startsWith('the choices could not be kept:'), warnings.join());
  },
  OTHER_ORIGIN,
);

for (const [how, isSaid] of [
  ['no such property', false],
  ['reading it throws', false],
  ['opening fails', true],
] as const) {
  testIn('/not-isolated', `tuning works where there is no IndexedDB to be had: ${how}`, async (t, tab) => {
    await tab.call('refuseIndexedDb', how);
    const { sources, warnings } = await tab.call('tune');
    t.deepEqual(sources, ['measured']);
    t.deepEqual(warnings.length, isSaid ? 1 : 0, warnings.join());
  });
}

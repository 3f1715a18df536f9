import { spawn } from 'node:child_process';
import test from 'tape';
import {
  add,
  broadcastTo,
  compile,
  DeviceError,
  DeviceLostError,
  relu,
  run,
  sum,
  tensor,
  Variable,
} from '../../../lib/index.js';
import { root } from '../../../tools/root.js';
import { rejects, refuses } from '../../support/errors.js';
import { openWebGpu } from '../../support/webgpu.js';

test('a tensor over a limit of the device is refused with the name of the limit', async (t) => {
  const device = await openWebGpu();
  const { maxBufferSize, maxStorageBufferBindingSize } = device.gpu.limits;
  refuses(
    t,
    () => device.allocate({ shape: [maxBufferSize, 2], dtype: 'f32' }),
    DeviceError,
    'maxBufferSize',
    `${maxBufferSize}`,
  );
  const elements = 4 * Math.floor(maxStorageBufferBindingSize / 16) + 4; // buffers are made of 16 bytes
  refuses(
    t,
    () => device.checkBinding('relu', { shape: [elements], dtype: 'f32' }),
    DeviceError,
    'relu',
    `[${elements}]`,
    'maxStorageBufferBindingSize',
  );
  device.checkBinding('relu', { shape: [elements - 4], dtype: 'f32' });
  // A plan's intermediate result, which nobody allocates by hand: named with the operation that wants it
  const plan = run(() => sum(broadcastTo(tensor(1), [maxBufferSize, 8])), { device });
  await rejects(t, plan, DeviceError, 'broadcastTo', 'maxStorageBufferBindingSize');
  t.equal(await (await run(() => add(tensor(1), 1), { device })).item(), 2, 'the device serves on');
  device.dispose();
});

test('a kernel that does not compile is told where it was asked for, and nobody else hears of it', async (t) => {
  const device = await openWebGpu(); // which ends the run where an error reaches nobody
  const kernel = { name: 'broken', code: 'fn main() { let x: Unknown = 1; }', entryPoint: 'main' };
  for (const call of ['first', 'second']) {
    const pipeline = device.pipelines.get({ kernel }, []);
    await rejects(t, pipeline, DeviceError, 'kernel broken was refused', "'Unknown'");
    t.equal(await (await run(() => add(tensor(1), 1), { device })).item(), 2, `the ${call} time`);
  }
  device.dispose();
});

test('an array of another device is refused', async (t) => {
  const [one, other] = [await openWebGpu(), await openWebGpu()];
  refuses(t, () => one.own(other.allocate({ shape: [1], dtype: 'f32' })), DeviceError, 'another device');
  one.dispose();
  other.dispose();
});

test('a device that is lost rejects what is pending and whatever comes later', async (t) => {
  const device = await openWebGpu();
  const state = new Variable('state', Float32Array.of(1, 2));
  const f = compile((x) => add(x, state), { device });
  const result = await f([1, 1]);
  const pending = [result.data(), device.finished(), f([2, 2]).then((late) => late.data()), state.data()];
  device.gpu.destroy();
  for (const promise of pending) await settlesLost(promise);
  await device.gpu.lost;
  await rejects(t, f([3, 3]), DeviceLostError, 'was lost');
  await rejects(t, state.data(), DeviceLostError, 'was lost');
  await rejects(t, device.finished(), DeviceLostError, 'was lost');
  await rejects(
    t,
    run(() => relu(tensor(1)), { device }),
    DeviceLostError,
    'was lost',
  );
  refuses(t, () => device.allocate({ shape: [1], dtype: 'f32' }), DeviceLostError, 'was lost');

  /** What was under way is over: by the loss, or because it had been done before. */
  async function settlesLost(promise: Promise<unknown>): Promise<void> {
    const outcome = await promise.then(
      () => 'done',
      (error: unknown) => error,
    );
    t.ok(outcome === 'done' || outcome instanceof DeviceLostError, String(outcome));
  }
});

test('a device that was disposed of says so', async (t) => {
  const device = await openWebGpu();
  const f = compile((x) => relu(x), { device });
  await f([1]);
  device.dispose();
  await rejects(t, f([1]), DeviceLostError, 'after dispose()');
});

test('a program that opened a GPU and computed on it ends by itself', async (t) => {
  const program = `
    import { openDevice } from ${JSON.stringify(`${root}lib/node/index.ts`)};
    import { add, compile } from ${JSON.stringify(`${root}lib/index.ts`)};
    const device = await openDevice('webgpu');
    const f = compile((x) => add(x, 1), { device });
    console.log(await (await f(41)).item());
  `;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const tooLate = setTimeout(() => child.kill('SIGKILL'), 120_000);
  const code = await new Promise((resolve) => child.on('exit', (status, signal) => resolve(signal ?? status)));
  clearTimeout(tooLate);
  // Dawn may warn of an adapter's limits ahead of it.
  t.deepEqual([output.trim().split('\n').at(-1), code], ['42', 0]);
});

import { availableParallelism } from 'node:os';
import test from 'tape';
import { openFrom } from '../../lib/device/open.js';
import { DeviceError, openDevice as openInBrowser, OptionError } from '../../lib/index.js';
import { openDevice } from '../../lib/node/open-device.js';
import { rejects } from '../support/errors.js';

const missing = () => Promise.resolve('there is none here');

test('an unknown device is refused with a suggestion', async (t) => {
  await rejects(
    t,
    openFrom('webpgu', missing),
    OptionError,
    "'webpgu'",
    "did you mean 'webgpu'?",
    'auto, cpu or webgpu',
  );
  await rejects(t, openFrom('GPU-0', missing), OptionError, 'expected auto, cpu or webgpu');
  // @ts-expect-error no such device
  await rejects(t, openDevice('cup'), OptionError, "did you mean 'cpu'?");
});

test('cpu is the CPU, without a look at WebGPU', async (t) => {
  const device = await openFrom('cpu', () => Promise.reject(new Error('asked for WebGPU')));
  t.deepEqual([device.info.kind, device.info.reason], ['cpu', 'cpu was asked for']);
});

test('auto takes the CPU where there is no WebGPU, and says why', async (t) => {
  const device = await openFrom('auto', missing);
  t.deepEqual([device.info.kind, device.info.reason], ['cpu', 'there is none here']);
});

test('webgpu insists', async (t) => {
  await rejects(t, openFrom('webgpu', missing), DeviceError, 'no WebGPU device: there is none here');
  await rejects(t, openInBrowser('webgpu'), DeviceError, 'kernelwright/node');
});

test('auto takes a software adapter for no GPU, while webgpu takes it', async (t) => {
  const insisted = await openDevice('webgpu');
  const chosen = await openDevice('auto');
  t.deepEqual([insisted.info.kind, insisted.info.reason], ['webgpu', 'webgpu was asked for']);
  t.equal(chosen.info.kind, insisted.info.software ? 'cpu' : 'webgpu');
  if (insisted.info.software) t.ok(chosen.info.reason.includes(insisted.info.description), chosen.info.reason);
  insisted.dispose();
  chosen.dispose();
});

test('KERNELWRIGHT_DEVICE names the device where the program does not', async (t) => {
  const before = process.env['KERNELWRIGHT_DEVICE'];
  try {
    process.env['KERNELWRIGHT_DEVICE'] = 'cpu';
    t.equal((await openDevice()).info.kind, 'cpu');
    process.env['KERNELWRIGHT_DEVICE'] = 'gpu';
    await rejects(t, openDevice(), OptionError, "'gpu'");
    t.equal((await openDevice('cpu')).info.kind, 'cpu', 'the argument wins');
  } finally {
    if (before === undefined) delete process.env['KERNELWRIGHT_DEVICE'];
    else process.env['KERNELWRIGHT_DEVICE'] = before;
  }
});

test('threads are what was asked for, else as many as the machine runs, at most 8', async (t) => {
  for (const open of [openDevice, openInBrowser]) {
    t.equal((await open('cpu', { threads: 3 })).info.threads, 3);
    t.equal((await open('cpu')).info.threads, Math.min(availableParallelism(), 8));
  }
  for (const threads of [0, -1, 1.5, NaN, Infinity]) {
    await rejects(t, openDevice('cpu', { threads }), OptionError, `threads: ${threads}`, 'a whole number from 1');
  }
});

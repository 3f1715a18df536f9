import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import test from 'tape';
import { openFrom } from '../../lib/device/open.js';
import { DeviceError, openDevice as openInBrowser, OptionError } from '../../lib/index.js';
import { openDevice } from '../../lib/node/open-device.js';
import { root } from '../../tools/root.js';
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
  for (const request of [null, 3, {}]) {
    await rejects(t, openFrom(request, missing), OptionError, 'expected auto, cpu or webgpu');
  }
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

test('threads are what was asked for, but no more than the machine runs; else that many, at most 8', async (t) => {
  const cores = availableParallelism();
  for (const open of [openDevice, openInBrowser]) {
    for (const threads of [1, cores, cores + 1, 300, 1e9]) {
      const device = await open('cpu', { threads });
      t.equal(device.info.threads, Math.min(threads, cores));
      device.dispose();
    }
    t.equal((await open('cpu')).info.threads, Math.min(cores, 8));
  }
});

test('openDevice refuses options that it does not have, and values that are none', async (t) => {
  // @ts-expect-error no such option
  await rejects(t, openDevice('cpu', { thread: 1 }), OptionError, "unknown option 'thread'", "did you mean 'threads'?");
  // @ts-expect-error no such option
  await rejects(t, openInBrowser('cpu', { thread: 1 }), OptionError, "did you mean 'threads'?");
  for (const threads of [0, -1, 1.5, NaN, Infinity, '2', null]) {
    await rejects(t, openDevice('cpu', { threads: threads as number }), OptionError, 'threads must be a whole number');
  }
});

test('without a Vulkan loader nothing is printed, and the reason is told', async (t) => {
  const program = `
    import { openDevice } from ${JSON.stringify(`${root}lib/node/index.ts`)};
    console.log((await openDevice()).info.reason);
  `;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
    cwd: root,
    env: { ...process.env, KERNELWRIGHT_DEVICE: 'auto', LD_LIBRARY_PATH: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  await new Promise((resolve) => child.on('close', resolve));
  // A machine with a loader of its own has another reason, and its driver may have something to say.
  if (!/Vulkan loader/.test(output.stdout)) t.comment(`there is a loader here: ${output.stdout}`);
  else t.equal(output.stderr, '');
  t.notOk(output.stderr.includes("Couldn't load Vulkan"));
});

import test from 'tape';
import { WebGpuDevice } from '../../../lib/device/webgpu/device.js';
import {
  add,
  compile,
  Dense,
  DeviceError,
  fit,
  fromArrays,
  predict,
  run,
  Sequential,
  sum,
  Variable,
  SGD,
  tensor,
} from '../../../lib/index.js';
import { openDevice } from '../../../lib/node/open-device.js';
import { rejects } from '../../support/errors.js';
import { bytesLeftBy } from '../../support/garbage.js';

/** A device whose refusals are the library's business: those of test/support/webgpu.ts end the run. */
async function openRefusing(): Promise<WebGpuDevice> {
  const device = await openDevice('webgpu');
  if (!(device instanceof WebGpuDevice)) throw new Error('no WebGPU device');
  return device;
}

/** Submits what a GPU must refuse: a copy out of a buffer that was destroyed. */
function submitNonsense({ gpu }: WebGpuDevice): void {
  const [from, to] = [4, 8].map((usage) => gpu.createBuffer({ size: 16, usage }));
  const encoder = gpu.createCommandEncoder();
  if (from && to) encoder.copyBufferToBuffer(from, 0, to, 0, 16);
  from?.destroy();
  gpu.queue.submit([encoder.finish()]);
}

test('a wait for the GPU leaves nothing behind', async (t) => {
  const device = await openRefusing();
  const bytes = await bytesLeftBy(() => device.finished());
  t.ok(bytes <= 64, `${bytes.toFixed(1)} bytes each`);
  device.dispose();
});

test('what the GPU refuses rejects everything that waits for it, and the next calls are right', async (t) => {
  const device = await openRefusing();
  const model = new Sequential({ fc: new Dense(2) }).build([3]);
  const data = fromArrays([[1, 2, 3]], [1]);
  const optimizer = new SGD({ learningRate: 0.1 });
  let training: Promise<unknown> = Promise.resolve();
  await new Promise<void>((begun) => {
    training = fit(model, data, { epochs: 1e6, optimizer, device, onEpochEnd: () => begun() });
    training.catch(() => undefined);
  });
  submitNonsense(device);
  await rejects(t, training, DeviceError, 'used in submit while destroyed');
  await device.finished(); // who begins to wait later is not concerned
  const history = await fit(model, data, { epochs: 2, optimizer: new SGD({ learningRate: 0.1 }), device });
  t.equal(history.loss.length, 2);
  t.deepEqual((await predict(model, tensor([[1, 2, 3]]), { device })).shape, [1, 2]);
  device.dispose();
});

test('what the GPU refuses while nobody waits for it rejects the next one who asks, once', async (t) => {
  const device = await openRefusing();
  const f = compile((x) => add(x, 1), { device });
  await (await f([1])).data();
  for (const ask of [() => device.finished(), () => f([1]), () => run(() => add(tensor(1), 1), { device })]) {
    submitNonsense(device);
    await rejects(t, ask(), DeviceError, 'used in submit while destroyed');
    await device.finished();
    t.deepEqual(await (await f([1])).data(), Float32Array.of(2));
  }
  device.dispose();
});

test('a variable whose buffer was refused gets another one with the next call', async (t) => {
  const device = await openRefusing();
  const { gpu } = device;
  const createBuffer = gpu.createBuffer.bind(gpu);
  let refuses = true;
  gpu.createBuffer = (descriptor) =>
    createBuffer(refuses && descriptor.label === '[3]' ? { ...descriptor, usage: 0x81 } : descriptor); // mappable storage
  const v = new Variable('v', Float32Array.of(1, 2, 3));
  const f = compile(() => sum(v), { device });
  await rejects(t, f(), DeviceError, 'the GPU refused a plan of');
  await rejects(t, f(), DeviceError, 'the GPU refused a plan of');
  t.deepEqual(await v.data(), Float32Array.of(1, 2, 3), 'its values are where they were');
  refuses = false;
  t.equal(await (await f()).item(), 6);
  await device.finished();
  device.dispose();
});

test('a variable that is an input keeps its values where the GPU refuses a buffer for it', async (t) => {
  const device = await openRefusing();
  const { gpu } = device;
  const f = compile((x) => sum(x), { device });
  t.equal(await (await f([1, 2, 3])).item(), 6);
  const createBuffer = gpu.createBuffer.bind(gpu);
  gpu.createBuffer = (descriptor) => createBuffer({ ...descriptor, usage: 0x81 }); // mappable storage
  const v = new Variable('v', Float32Array.of(1, 2, 4));
  await rejects(t, f(v), DeviceError, 'the GPU refused a command');
  gpu.createBuffer = createBuffer;
  t.equal(await (await f(v)).item(), 7);
  device.dispose();
});

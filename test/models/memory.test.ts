import test from 'tape';
import { openNullDevice } from '../../bench/host/null-device.js';
import { BufferLedger } from '../../bench/scale/buffer-ledger.js';
import { CpuDevice } from '../../lib/device/cpu/device.js';
import {
  compile,
  type Device,
  mobileNetV1,
  mobileNetV2,
  type Module,
  resnet18,
  resnet50,
  resnet8,
  SGD,
  softmaxCrossEntropy,
  tensor,
} from '../../lib/index.js';

const SIZE = 32;
const BATCH = 4;
const SPECS = [
  { shape: [BATCH, SIZE, SIZE, 3], dtype: 'f32' },
  { shape: [BATCH], dtype: 'i32' },
] as const;

function training(model: Module, device: Device) {
  model.build([SIZE, SIZE, 3]);
  const optimizer = new SGD({ learningRate: 0.01, momentum: 0.9 });
  return compile(
    (inputs, labels) => {
      const loss = softmaxCrossEntropy(model.forward(inputs), labels);
      optimizer.minimize(loss, model.parameters());
      return loss;
    },
    { device },
  );
}

test('the memory that a training step of each net states is what its buffers add up to', async (t) => {
  for (const [name, make] of Object.entries({ resnet18, resnet50, resnet8, mobileNetV1, mobileNetV2 })) {
    for (const device of [new CpuDevice({ reason: 'test', path: 'simd', threads: 2 }), await openNullDevice()]) {
      const step = training(make({ classes: 2 }), device);
      const { total } = step.memory(...SPECS);
      const ledger = new BufferLedger(device);
      const plan = await step.prepare(...SPECS).load();
      t.equal(device.memory.used, total, `${name} on ${device.info.kind}: ${total} bytes`);
      if (device.info.kind === 'webgpu') t.equal(ledger.now.bytes, total, 'by the buffers of the GPU');
      plan.dispose();
      device.dispose();
    }
  }
});

test('nets whose blocks are checkpointed take less memory, and train the same, bit for bit', async (t) => {
  const device = new CpuDevice({ reason: 'test', path: 'simd' });
  for (const make of [
    (checkpoint: boolean) => resnet18({ classes: 2, checkpoint }),
    (checkpoint: boolean) => mobileNetV2({ classes: 2, checkpoint }),
  ]) {
    const models = [make(false), make(true)] as const;
    const steps = models.map((model) => training(model, device));
    const [plain = NaN, less = NaN] = steps.map((step) => step.memory(...SPECS).slots);
    t.ok(less < 0.75 * plain, `${less} bytes in place of ${plain}`);
    const inputs = tensor(
      Float32Array.from({ length: BATCH * SIZE * SIZE * 3 }, (_, i) => Math.sin(i * i)),
      { shape: [BATCH, SIZE, SIZE, 3] },
    );
    const labels = tensor(Int32Array.of(0, 1, 1, 0));
    for (const step of steps) for (let i = 0; i < 2; i++) await step(inputs, labels);
    for (const [name, variable] of models[0].namedVariables()) {
      const other = await models[1].namedVariables().get(name)?.data();
      const isSame = (await variable.data()).every((value, i) => Object.is(value, other?.[i]));
      if (!isSame) t.fail(`${name} differs`);
    }
    for (const model of models) model.dispose();
  }
  device.dispose();
});

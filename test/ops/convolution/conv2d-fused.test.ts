/** What is computed with a convolution on WebGPU: stages behind each of the three, by the kernels of software and of hardware. */
import test from 'tape';
import {
  add,
  compile,
  conv2d,
  type Conv2dOptions,
  gradient,
  multiply,
  Parameter,
  relu,
  SGD,
  sum,
  tensor,
} from '../../../lib/index.js';
import { RandomStream } from '../../../lib/random.js';
import { sizeOf } from '../../../lib/shape.js';
import type { CaseInput } from '../../../lib/graph/operation.js';
import { differs } from '../../support/close.js';
import { fusingCpu } from '../../support/fusing.js';
import { referenceOf, runGuarded } from '../../support/guarded.js';
import { webgpu } from '../../support/webgpu.js';

interface Layer {
  readonly picture: readonly number[];
  readonly weight: readonly number[];
  readonly options: Conv2dOptions;
}

const LAYERS: readonly Layer[] = [
  { picture: [2, 9, 7, 3], weight: [5, 3, 3, 3], options: { padding: 1, stride: 2 } },
  // More than one block of sums, and at a stride.
  { picture: [1, 5, 4, 132], weight: [36, 3, 3, 132], options: { padding: 1 } },
  { picture: [1, 4, 5, 4], weight: [260, 3, 3, 4], options: { padding: 1, stride: 2 } },
  { picture: [1, 5, 4, 24], weight: [36, 3, 3, 12], options: { padding: 1, groups: 2 } },
  { picture: [1, 5, 6, 12], weight: [8, 3, 2, 3], options: { padding: 1, stride: 2, groups: 4 } },
];

const normal = (name: string, shape: readonly number[]): Float32Array =>
  new RandomStream(8, name).normal(sizeOf(shape));

test('bias, residual, ReLU, masks and updates are computed with convolutions', async (t) => {
  const device = await webgpu();
  for (const { picture, weight, options } of LAYERS) {
    const x = tensor(normal('picture', picture), { shape: picture });
    const parameter = new Parameter('weight', normal('weight', weight), weight);
    const bias = new Parameter('bias', normal('bias', [weight[0] ?? 0]));
    const output = conv2d(x, parameter, options).shape;
    const residual = tensor(normal('residual', output), { shape: output });
    const sgd = new SGD({ learningRate: 0.01, momentum: 0.9 });
    const step = compile(
      (given, other) => {
        const result = relu(add(conv2d(relu(given), parameter, { ...options, bias }), other));
        const loss = sum(multiply(result, result));
        const own = gradient(loss, [given]);
        sgd.minimize(loss, [parameter, bias]);
        return own;
      },
      { device: fusingCpu() },
    );
    await step(x, residual);
    const steps = step
      .plans()
      .flatMap(({ program }) => program.steps.filter(({ operation }) => /conv2d/.test(operation.name)));
    t.deepEqual(
      steps.map(({ operation }) => operation.name.replace(/ \+ .*/, ' + …')).sort(),
      ['conv2d + …', 'conv2dInputGradient + …', 'conv2dWeightGradient + …'],
      steps.map(({ operation }) => operation.name).join('; '),
    );
    t.ok(
      steps.some(({ operation }) => operation.name.startsWith('conv2dWeightGradient + sum + sgdMomentumUpdate')),
      'the bias is updated beside the weight',
    );
    for (const own of steps) {
      const inputs = own.inputs.map(({ shape, dtype }): CaseInput =>
        dtype === 'u32' ? { shape, dtype, fill: { step: 1 } } : { shape, dtype },
      );
      const setting = { inputs, attributes: own.attributes };
      for (const isSoftware of [true, false]) {
        const launches = own.operation.kernel(own, { ...device.target, isSoftware });
        const operation = { ...own.operation, infer: () => own.outputs, kernel: () => launches };
        const [result] = await runGuarded(device, operation, [setting]);
        const expected = await referenceOf(operation, setting);
        const what = `${own.operation.name} of ${picture.join(' x ')} by ${launches.map(({ kernel }) => kernel.name).join(', ')}`;
        expected.forEach((values, i) => {
          const got = result?.outputs[i] ?? new Float32Array(0);
          t.equal(differs(got, values, { absolute: 2e-4, relative: 1e-4 }), undefined, `output ${i} of ${what}`);
        });
        t.deepEqual(result?.broken, [], `guards of ${what}`);
      }
    }
    step.dispose();
  }
});

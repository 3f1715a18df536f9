/** The kernels of the tiled product, reading the patches of pictures: the defaults of hardware. */
import test from 'tape';
import { elementAt } from '../../../lib/element-at.js';
import { GPU_FAMILIES } from '../../../lib/graph/launch.js';
import type { Operation } from '../../../lib/graph/operation.js';
import { type Computed, conv2dProducts } from '../../../lib/ops/convolution/conv2d-products.js';
import { conv2dOperations } from '../../../lib/ops/convolution/conv2d-operations.js';
import { conv2dAttributesOf, conv2dSizes } from '../../../lib/ops/convolution/conv2d-sizes.js';
import { offersVariant } from '../../../lib/ops/matmul/matmul-choice.js';
import { productLaunches } from '../../../lib/ops/matmul/matmul-kernels.js';
import { type MatmulVariant, TECHNIQUES } from '../../../lib/ops/matmul/matmul-techniques.js';
import { type Case, describeCase } from '../../support/cases.js';
import { differs } from '../../support/close.js';
import { referenceOf, runGuarded } from '../../support/guarded.js';
import { targetOf } from '../../support/targets.js';
import { webgpu } from '../../support/webgpu.js';

const COMPUTED: readonly Computed[] = ['output', 'picture', 'weight'];

const VARIANTS: readonly MatmulVariant[] = [
  'tiled32x32',
  'prefetch128x64',
  'split32x32',
  'thin',
  'quad32x32',
  'quad40x32',
  'octet',
];

/** The products that a case is. */
function productsOf(computed: Computed, operation: Operation, { inputs, attributes }: Case) {
  const specs = inputs.map(({ shape, dtype = 'f32' }) => ({ shape, dtype }));
  const { shape } = elementAt(operation.infer(specs, attributes), 0);
  const [first, second] = [elementAt(specs, 0).shape, elementAt(specs, 1).shape];
  const picture = computed === 'picture' ? shape : first;
  const output = computed === 'output' ? shape : computed === 'picture' ? first : second;
  const own = conv2dAttributesOf(attributes);
  return conv2dProducts(computed, conv2dSizes(picture, output, own), own, [
    elementAt(specs, 0).dtype,
    elementAt(specs, 1).dtype,
  ]);
}

for (const [c, computed] of COMPUTED.entries()) {
  const operation = elementAt<Operation>(conv2dOperations, c);
  for (const variant of VARIANTS) {
    test(`${operation.name} by the kernel ${variant} agrees with the reference`, async (t) => {
      const device = await webgpu();
      // Each case is a pipeline of its own, which takes a software adapter half a second to compile.
      const isWhole = variant === 'tiled32x32' || variant === 'split32x32';
      const own = operation.cases.filter(({ attributes }, i) => isWhole || i % 4 === 0 || attributes['groups'] !== 1);
      const cases = own.filter((setting) => {
        const products = productsOf(computed, operation, setting);
        return products?.every((product) => offersVariant(product, variant, device.target)) === true;
      });
      const kernels: Operation = {
        ...operation,
        kernel: ({ inputs, attributes }) =>
          productsOf(computed, operation, { inputs, attributes })?.flatMap((each) => productLaunches(each, variant)) ??
          [],
      };
      const results = await runGuarded(device, kernels, cases);
      for (const [i, setting] of cases.entries()) {
        const [expected = new Float32Array(0)] = await referenceOf(operation, setting);
        const got = results[i]?.outputs[0] ?? new Float32Array(0);
        t.equal(differs(got, expected, operation.tolerance), undefined, describeCase(setting));
        t.deepEqual(results[i]?.broken, [], `guards of ${describeCase(setting)}`);
      }
      const { suits = () => true } = TECHNIQUES[variant];
      t.equal(cases.length > 0, suits(device.target), `${cases.length} cases`);
    });
  }
}

test('on hardware the convolutions of real nets fill 16 workgroups at least, by each of their products', (t) => {
  for (const operation of conv2dOperations as readonly Operation[]) {
    for (const [name, { inputs, attributes }] of Object.entries(operation.benchmarks ?? {})) {
      const specs = inputs.map(({ shape, dtype = 'f32' }) => ({ shape, dtype }));
      const call = { inputs: specs, outputs: operation.infer(specs, attributes), attributes };
      const few = GPU_FAMILIES.flatMap((family) =>
        operation
          .kernel(call, targetOf(false, ['subgroups'], family))
          .filter(({ kernel, workgroups: [x, y, z] }) => kernel.entryPoint === 'matmulTiled' && x * y * z < 16)
          .map(({ kernel }) => `${kernel.name} on ${family}`),
      );
      t.deepEqual(few, [], `${operation.name} ${name}`);
    }
  }
  t.end();
});

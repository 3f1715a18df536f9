/** A few elements of large products: the same numbers as those of the whole reference. */
import test from 'tape';
import { elementAt } from '../../lib/element-at.js';
import type { ArrayView, Attributes, NumericArray, Operation, TensorSpec } from '../../lib/graph/operation.js';
import { rightPlaces, sampledReference } from '../../lib/graph/sampled-reference.js';
import { Adam, compile, linear, Parameter, relu, SGD, sum, tensor } from '../../lib/index.js';
import { conv2dOperations } from '../../lib/ops/convolution/conv2d-operations.js';
import { matmulOperations } from '../../lib/ops/matmul/matmul.js';
import { RandomStream } from '../../lib/random.js';
import { sizeOf } from '../../lib/shape.js';
import { fusingCpu } from '../support/fusing.js';

const normal = (name: string, shape: readonly number[]): Float32Array =>
  new RandomStream(5, name).normal(sizeOf(shape));

/** Runs both references on the same numbers; compares what the sampled one promises, and counts it. */
function compared(
  operation: Operation,
  inputs: readonly TensorSpec[],
  outputs: readonly TensorSpec[],
  attributes: Attributes,
): { wrong: string[]; right: number; left: number } {
  const call = (): { inputs: ArrayView[]; outputs: ArrayView[]; attributes: Attributes } => {
    const given = inputs.map(({ shape, dtype }, i): ArrayView => {
      const words = new Uint32Array(sizeOf(shape)).fill(0x3d800000);
      return { shape, data: dtype === 'u32' ? words : normal(`input ${i}`, shape) };
    });
    const views = outputs.map(({ shape }, i): ArrayView => {
      const data: NumericArray = given[operation.writes?.[i] ?? -1]?.data ?? new Float32Array(sizeOf(shape));
      return { shape, data };
    });
    return { inputs: given, outputs: views, attributes };
  };
  const [whole, part] = [call(), call()];
  operation.reference(whole);
  const sample = sampledReference(operation, part);
  const result = { wrong: [] as string[], right: 0, left: 0 };
  if (!sample) return result;
  whole.outputs.forEach(({ data }, output) => {
    const isRight = rightPlaces(sample, data.length);
    data.forEach((value, i) => {
      if (!isRight(i)) result.left++;
      else if (Object.is(part.outputs[output]?.data[i], value)) result.right++;
      else result.wrong.push(`output ${output}, element ${i}`);
    });
  });
  return result;
}

test('a sampled product has the elements of the whole one', (t) => {
  const operation = elementAt<Operation>(matmulOperations, 0);
  for (const [transposeA, transposeB] of [
    [false, false],
    [true, false],
    [false, true],
  ] as const) {
    const a = { shape: [2, ...(transposeA ? [7, 20] : [20, 7])], dtype: 'f32' } as const;
    const b = { shape: transposeB ? [9, 7] : [7, 9], dtype: 'f32' } as const;
    const attributes = { transposeA, transposeB };
    const { wrong, right, left } = compared(operation, [a, b], operation.infer([a, b], attributes), attributes);
    t.deepEqual(wrong, []);
    t.deepEqual([right, left], [4 * 9, 2 * 20 * 9 - 4 * 9]);
  }
  t.end();
});

test('a sampled product with stages has the elements of the whole one, and all sums beside it', async (t) => {
  for (const optimizer of [new SGD({ learningRate: 0.1, momentum: 0.9 }), new Adam()]) {
    const weight = new Parameter('weight', normal('weight', [21, 30]), [21, 30]);
    const bias = new Parameter('bias', normal('bias', [21]), [21]);
    const device = fusingCpu();
    const step = compile(
      (x) => {
        const output = relu(linear(x, weight, bias));
        optimizer.minimize(sum(output), [weight, bias]);
        return output;
      },
      { device },
    );
    await step(tensor(normal('x', [15, 30]), { shape: [15, 30] }));
    const steps = step.plans().flatMap(({ program }) => program.steps);
    const products = steps.filter(({ operation }) => operation.name.includes('matmul +'));
    t.equal(products.length, 2, steps.map(({ operation }) => operation.name).join('; '));
    for (const { operation, inputs, outputs, attributes } of products) {
      const { wrong, right, left } = compared(operation, inputs, outputs, attributes);
      t.deepEqual(wrong, [], operation.name);
      t.ok(right > 0 && left > 0, `${operation.name}: ${right} of ${right + left}`);
    }
    step.dispose();
  }
});

test('a sampled convolution, and its gradients, have the elements of the whole one', (t) => {
  for (const operation of [...conv2dOperations] as readonly Operation[]) {
    let parts = 0;
    for (const { inputs: given, attributes } of operation.cases) {
      const inputs = given.map(({ shape }): TensorSpec => ({ shape, dtype: 'f32' }));
      if (inputs.some(({ shape }) => sizeOf(shape) === 0)) continue;
      const { wrong, right, left } = compared(operation, inputs, operation.infer(inputs, attributes), attributes);
      t.deepEqual(wrong, [], `${operation.name} ${JSON.stringify(attributes)}`);
      if (right > 0 && left > 0) parts++;
    }
    t.ok(parts > 3, `${operation.name}: ${parts} are sampled in part`);
  }
  t.end();
});

test('what has no sample is not sampled', async (t) => {
  const device = fusingCpu();
  const double = compile((x) => relu(x), { device });
  await double(tensor([1, 2]));
  const step = double.plans()[0]?.program.steps[0];
  if (!step) throw new Error('a plan without steps');
  t.deepEqual(compared(step.operation, step.inputs, step.outputs, step.attributes), { wrong: [], right: 0, left: 0 });
});

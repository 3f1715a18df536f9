/** Stages behind products and behind each other, where their shapes differ from what the kernel works on. */
import test from 'tape';
import {
  accuracy,
  add,
  clamp,
  compile,
  dropout,
  Generator,
  gradient,
  leakyRelu,
  linear,
  matmul,
  Meter,
  multiply,
  Parameter,
  relu,
  relu6,
  reshape,
  softmaxCrossEntropy,
  sum,
  tanh,
  tensor,
  type Tensor,
} from '../../lib/index.js';
import { RandomStream } from '../../lib/random.js';
import { comparing, normal } from '../support/comparing.js';
import { testOnDevices } from '../support/devices.js';

const compare = comparing({ absolute: 1e-5, relative: 1e-5 });

testOnDevices('nets of several widths with dropout draw the same mask forwards and backwards', async (t, device) => {
  const generator = new Generator(3);
  for (const width of [20, 36, 20, 8, 260, 36]) {
    const weight = new Parameter('weight', new RandomStream(1, 'weight').normal(width * 5), [width, 5]);
    const bias = new Parameter('bias', new Float32Array(width).fill(10));
    const step = compile(
      (x) => {
        const output = dropout(linear(x, weight, bias), { probability: 0.5, generator });
        return [output, ...gradient(sum(output), [bias])];
      },
      { device },
    );
    const [output, dBias] = await Promise.all((await step(normal('x', 7, 5))).map((own) => own.data()));
    // The bias is large: what is not 0 was kept, and counts twice.
    const expected = Float32Array.from({ length: width }, (_, column) => {
      let kept = 0;
      for (let row = 0; row < 7; row++) if (output?.[row * width + column] !== 0) kept += 2;
      return kept;
    });
    t.deepEqual(dBias, expected, `width ${width}`);
    await compare(
      t,
      device,
      `width ${width}`,
      (x) => dropout(linear(x, weight, bias), { probability: 0.5, generator: new Generator(4) }),
      normal('x', 7, 5),
    );
  }
});

testOnDevices('a reshape between a product and what is joined behind it changes nothing', async (t, device) => {
  const sum3 = compile(
    () => add(reshape(matmul(tensor([[1], [1], [1]]), tensor([[1, 1]])), [2, 3]), tensor([0, 1, 2])), // prettier-ignore
    { device },
  );
  t.deepEqual(Array.from(await (await sum3()).data()), [1, 2, 3, 1, 2, 3]);

  const backward = compile(
    (x) =>
      gradient(sum(matmul(reshape(relu(x), [1, 6]), tensor(new Float32Array(24).fill(1), { shape: [6, 4] }))), [x]),
    { device },
  );
  const [dX] = await backward(tensor([1, -1, 1, -1, 1, -1]));
  t.deepEqual(Array.from((await dX?.data()) ?? []), [4, 0, 4, 0, 4, 0]);

  const [a, b] = [normal('a', 6, 5), normal('b', 5, 8)];
  for (const shape of [[8, 6], [48], [2, 24], [4, 3, 4], [3, 2, 8], [16, 3]]) {
    const last = shape.at(-1) ?? 1;
    const first = shape[0] ?? 1;
    const product = (x: Tensor, y: Tensor): Tensor => reshape(matmul(x, y), shape);
    const column = normal('column', first, ...shape.slice(1).map(() => 1));
    const what = `[${shape.join()}]`;
    await compare(t, device, `${what} + row`, (x, y) => add(product(x, y), normal('row', last)), a, b);
    await compare(t, device, `${what} + column`, (x, y) => add(product(x, y), column), a, b);
    await compare(
      t,
      device,
      `${what} dropped`,
      (x, y) => dropout(product(x, y), { probability: 0.5, generator: new Generator(2) }),
      a,
      b,
    );
    await compare(
      t,
      device,
      `relu on [6,8] and ${what}`,
      (x, y) => tanh(reshape(add(matmul(x, y), normal('row', 8)), shape)),
      a,
      b,
    );
  }
});

testOnDevices('bounds that are infinite work behind a product as alone', async (t, device) => {
  const one = tensor([[1]]);
  const x = tensor([[-Infinity, -3, 5, NaN, Infinity]]);
  for (const bounds of [{ min: 0 }, { max: 2 }, { min: -Infinity, max: Infinity }, {}, { min: -1, max: 1 }]) {
    const behind = compile((a, b) => clamp(matmul(a, b), bounds), { device });
    const alone = compile((a) => clamp(a, bounds), { device });
    const [got, expected] = [await (await behind(one, x)).data(), await (await alone(x)).data()];
    t.equal(got.join(), expected.join(), JSON.stringify(bounds));
  }
  const slopes = compile((a, b) => leakyRelu(matmul(a, b), { negativeSlope: 1e30 }), { device });
  t.deepEqual(Array.from(await (await slopes(one, tensor([[-1, 2]]))).data()), [Math.fround(-1e30), 2]);
});

testOnDevices('bounds that are infinite work behind a loss and its hits', async (t, device) => {
  const [logits, classes] = [normal('logits', 5, 3), tensor([0, 1, 2, 0, 1], { dtype: 'i32' })];
  for (const bounds of [{ min: 0.25 }, { max: 0.25 }, { min: -Infinity, max: Infinity }]) {
    const both = (own: Tensor) => [
      clamp(softmaxCrossEntropy(own, classes), bounds),
      clamp(accuracy(own, classes), bounds),
    ];
    await compare(t, device, JSON.stringify(bounds), both, logits);
  }
});

test('ReLU goes backward from its output, other activations from their input', (t) => {
  const nodeOf = ({ origin }: Tensor) => (origin.kind === 'node' ? origin.node : undefined);
  const read = (activation: (x: Tensor) => Tensor): string | undefined => {
    const product = matmul(normal('a', 3, 4), normal('b', 4, 5));
    const [slope = product] = gradient(sum(activation(product)), [product]);
    const [value] = nodeOf(slope)?.inputs ?? [];
    return value && nodeOf(value)?.operation.name;
  };
  t.deepEqual([relu, relu6, tanh].map(read), ['relu', 'relu6', 'matmul']);
  t.end();
});

testOnDevices('element-wise operations behind each other are one step, operands repeated or not', async (t, device) => {
  const fuses = device.fusion !== undefined;
  const [a, b, c] = [normal('a', 7, 12), normal('b', 7, 12), normal('c', 7, 12)];
  const steps = await compare(t, device, 'relu(a + b · c)', (x, y, z) => relu(add(x, multiply(y, z))), a, b, c);
  if (fuses) t.deepEqual(steps, ['multiply + add + relu']);
  const odd = [normal('a', 5, 3, 7), normal('b', 7), normal('c', 3, 1)] as const;
  const repeated = await compare(t, device, 'repeated', (x, y, z) => tanh(multiply(add(x, y), z)), ...odd);
  if (fuses) t.deepEqual(repeated, ['add + multiply + tanh']);
  const outer = await compare(t, device, 'outer', (x, y) => relu(multiply(x, y)), normal('x', 5, 1), normal('y', 9));
  if (fuses) t.deepEqual(outer, ['multiply + relu']);
  const kept = await compare(t, device, 'kept', (x, y) => {
    const total = add(x, y);
    return [relu(total), multiply(total, total)];
  }, a, b); // prettier-ignore
  if (fuses) t.ok(kept.includes('add + relu'), kept.join('; '));
  const large = await compare(
    t,
    device,
    'large',
    (x, y) => relu(add(multiply(x, y), x)),
    normal('x', 300, 257),
    normal('y', 257),
  );
  if (fuses) t.deepEqual(large, ['multiply + add + relu']);
});

testOnDevices('a product takes a residual in, and the same function twice', async (t, device) => {
  const [x, w, bias] = [normal('x', 9, 8), normal('w', 8, 8), normal('bias', 8)];
  const steps = await compare(t, device, 'residual', (a, b, c) => relu(add(relu(add(matmul(a, b), c)), a)), x, w, bias);
  if (device.fusion) t.deepEqual(steps, ['matmul + add + relu + add + relu']);
  const batched = await compare(
    t,
    device,
    'batched',
    (a, b, c) => relu(add(matmul(a, b), c)),
    normal('y', 3, 5, 8),
    w,
    bias,
  );
  if (device.fusion) t.deepEqual(batched, ['matmul + add + relu']);
});

testOnDevices('a chain of thousands is cut into kernels that can be compiled', async (t, device) => {
  const steps = await compare(t, device, 'chain', (given) => {
    let value = given;
    for (let i = 0; i < 40; i++) value = add(value, 1);
    return value;
  }, tensor([1, 2, 3])); // prettier-ignore
  if (device.fusion) t.ok(steps.length >= 3 && steps.length <= 6, steps.join('; '));
});

testOnDevices('a meter takes in what its scalar is computed by: element-wise, products, sums', async (t, device) => {
  const x = tensor([0.5]);
  const values: Readonly<Record<string, (x: Tensor) => Tensor>> = {
    relu: (own) => relu(own), // 0.5
    'several functions': (own) => multiply(tanh(relu(own)), 2),
    product: (own) => matmul(reshape(own, [1, 1]), reshape(own, [1, 1])),
    'product in another shape': (own) => reshape(matmul(reshape(own, [1, 1]), reshape(own, [1, 1])), []),
    sum: (own) => relu(sum(own)),
  };
  const expected = [0.5, 2 * Math.tanh(0.5), 0.25, 0.25, 0.5];
  for (const [i, [name, value]] of Object.entries(values).entries()) {
    const meter = new Meter();
    const step = compile(
      (given) => {
        const measured = value(given);
        meter.update(measured, 3);
        return measured;
      },
      { device },
    );
    await step(x);
    await step(x);
    const { mean, updates } = await meter.read();
    t.ok(Math.abs(mean - (expected[i] ?? NaN)) < 1e-5, `${name}: ${mean} is ${expected[i]}`);
    t.equal(updates, 2);
  }
});

testOnDevices('what takes two values of one kernel does not make it run twice', async (t, device) => {
  const classes = tensor([0, 1, 2, 0, 1], { dtype: 'i32' });
  const meter = new Meter();
  const values: Readonly<Record<string, (logits: Tensor) => readonly [Tensor, Tensor]>> = {
    'a loss and its hits': (logits) => [softmaxCrossEntropy(logits, classes), accuracy(logits, classes)],
    'a loss that is metered, and its hits': (logits) => {
      const loss = softmaxCrossEntropy(logits, classes);
      meter.update(loss);
      return [loss, accuracy(logits, classes)];
    },
    'a product and sums': (x) => [
      matmul(x, reshape(normal('y', 5), [5, 1]), { transposeA: true }),
      reshape(sum(x, { axes: 0 }), [3, 1]),
    ],
  };
  for (const [name, both] of Object.entries(values)) {
    const fn = (x: Tensor): Tensor => add(...both(tanh(x)));
    const steps = await compare(t, device, name, fn, normal('x', 5, 3));
    t.ok(steps.filter((step) => /Loss|matmul/.test(step)).length === 1, steps.join('; '));
  }
  t.equal((await meter.read()).updates, 2, 'one update a call');
});

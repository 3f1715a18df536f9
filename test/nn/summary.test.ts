import test from 'tape';
import {
  add,
  Dense,
  Dropout,
  Flatten,
  matmul,
  Module,
  Parameter,
  ReLU,
  relu,
  Sequential,
  type Tensor,
  transpose,
  Variable,
  myNet,
  myNet2,
} from '../../lib/index.js';

const silently = (): void => undefined;

test('MyNet has 471,002 parameters with 200 units, and 1,177,502 with 500', (t) => {
  for (const [hidden, count] of [
    [200, 471_002],
    [500, 1_177_502],
  ] as const) {
    const model = myNet({ hidden }).build([2352]);
    t.equal(model.parameterCount, count);
    t.equal(model.summary(silently).parameters, count);
  }
  t.end();
});

test('MyNet2, 2352 -> 200 -> 100 -> 2, has 490,902 parameters', (t) => {
  t.equal(myNet2().build([3, 28, 28]).parameterCount, 490_902);
  t.end();
});

test('a summary has a row for each layer: name, type, output shape, parameters, multiply-adds', (t) => {
  const { layers, parameters, multiplyAdds } = new Sequential({
    flat: new Flatten(),
    fc1: new Dense(8),
    relu: new ReLU(),
    body: new Sequential([new Dense(4, { bias: false }), new Dropout(0.5)]),
  })
    .build([3, 2])
    .summary(silently);
  t.deepEqual(layers, [
    { name: 'flat', type: 'Flatten', outputShape: [6], parameters: 0, buffers: 0, multiplyAdds: 0 },
    { name: 'fc1', type: 'Dense', outputShape: [8], parameters: 56, buffers: 0, multiplyAdds: 48 },
    { name: 'relu', type: 'ReLU', outputShape: [8], parameters: 0, buffers: 0, multiplyAdds: 0 },
    { name: 'body.0', type: 'Dense', outputShape: [4], parameters: 32, buffers: 0, multiplyAdds: 32 },
    { name: 'body.1', type: 'Dropout', outputShape: [4], parameters: 0, buffers: 0, multiplyAdds: 0 },
  ]);
  t.equal(parameters, 88);
  t.equal(multiplyAdds, 80);
  t.end();
});

test('a summary is printed as a table that adds up', (t) => {
  const printed: string[] = [];
  const { text } = myNet()
    .build([2352])
    .summary((table) => printed.push(table));
  t.deepEqual(printed, [text], 'what is printed is what is returned');
  t.deepEqual(text.split('\n'), [
    'MyNet',
    '──────────────────────────────────────────────────────────',
    'layer              output shape  parameters  multiply-adds',
    '──────────────────────────────────────────────────────────',
    'fc1 (Dense)        [N, 200]         470,600        470,400',
    'dropout (Dropout)  [N, 200]               0              0',
    'fc2 (Dense)        [N, 2]               402            400',
    '──────────────────────────────────────────────────────────',
    '471,002 parameters',
    '470,800 multiply-adds for one input',
  ]);
  t.end();
});

test('a summary goes to the console unless told otherwise', (t) => {
  const { log } = console;
  const printed: unknown[] = [];
  console.log = (text: unknown) => printed.push(text);
  try {
    const { text } = new Dense(2).build([3]).summary();
    t.deepEqual(printed, [text]);
    t.ok(text.includes('Dense') && text.includes('8 parameters'), 'a single layer is a model, too');
  } finally {
    console.log = log;
  }
  t.end();
});

test('what is saved and not trained is counted apart; products go to the layer that computes them', (t) => {
  class Scaled extends Module {
    readonly inner = new Dense(4, { bias: false });
    readonly weight = new Parameter('weight', new Float32Array(16), [4, 4]);
    readonly mean = new Variable('mean', new Float32Array(4));

    override forward(input: Tensor): Tensor {
      return matmul(add(this.inner.forward(input), this.mean.value), this.weight);
    }
  }
  class Net extends Module {
    readonly scaled = new Scaled();

    override forward(input: Tensor): Tensor {
      const output = this.scaled.forward(this.scaled.forward(input));
      return matmul(transpose(output), output); // in no layer
    }
  }
  const { layers, ...totals } = new Net().build([4]).summary(silently);
  const inner = { name: 'scaled.inner', type: 'Dense', outputShape: [4], buffers: 0, multiplyAdds: 16 };
  const outer = { name: 'scaled', type: 'Scaled', outputShape: [4], multiplyAdds: 16 };
  t.deepEqual(layers, [
    { ...inner, parameters: 16 },
    { ...outer, parameters: 16, buffers: 4 },
    { ...inner, parameters: 0 },
    { ...outer, parameters: 0, buffers: 0 },
  ]);
  const { text, ...counts } = totals;
  t.deepEqual(counts, { parameters: 32, trainable: 32, frozen: 0, buffers: 4, multiplyAdds: 4 * 16 + 16 });
  t.ok(text.includes('\n4 numbers that are saved and not trained'), text);
  t.end();
});

test('names reach the terminal without what it would obey', (t) => {
  const Red = { '\x1b[31m': class extends ReLU {} }['\x1b[31m'];
  const { text } = new Sequential({ '\x1b[2J': new Red(), fc: new Dense(2) }).build([3]).summary(silently);
  t.notOk(text.includes('\x1b'));
  t.ok(text.includes('\\u{1b}[2J (\\u{1b}[31m)'), text);
  t.end();
});

test('a forward that is a field of the layer is summarized, and left in its place', (t) => {
  class Plain extends Module {
    readonly fc = new Dense(2);

    override forward(input: Tensor): Tensor {
      return this.fc.forward(input);
    }
  }
  const model = new Plain().build([3]);
  const forward = (input: Tensor): Tensor => relu(input);
  Object.defineProperty(model.fc, 'forward', { value: forward, writable: true, configurable: true, enumerable: true });
  t.deepEqual(
    model.summary(silently).layers.map(({ outputShape }) => outputShape),
    [[3]],
  );
  t.ok(Object.getOwnPropertyDescriptor(model.fc, 'forward')?.value === forward);
  t.end();
});

test('a summary leaves the layers as they were, also where forward fails', (t) => {
  class Failing extends Module {
    readonly fc = new Dense(2);
    isBroken = false;

    override forward(input: Tensor): Tensor {
      const output = relu(this.fc.forward(input));
      if (this.isBroken) throw new Error('broken');
      return output;
    }
  }
  const model = new Failing().build([3]);
  model.isBroken = true;
  t.throws(() => model.summary(silently), /broken/);
  t.notOk(Object.hasOwn(model.fc, 'forward'));
  model.isBroken = false;
  t.equal(model.summary(silently).layers.length, 1);
  t.equal(model.summary(silently).layers.length, 1, 'a second summary is like the first');
  t.end();
});

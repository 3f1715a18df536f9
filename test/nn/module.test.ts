import test from 'tape';
import {
  add,
  compile,
  constant,
  Dense,
  Dropout,
  type Fans,
  type Initializer,
  mean,
  Module,
  multiply,
  OptionError,
  Parameter,
  relu,
  ReLU,
  run,
  Sequential,
  ShapeError,
  stateOf,
  subtract,
  tensor,
  type Tensor,
  TraceError,
  Variable,
} from '../../lib/index.js';
import { sizeOf } from '../../lib/shape.js';
import { cpu, testOnDevices } from '../support/devices.js';
import { refuses, rejects } from '../support/errors.js';

class MyNet extends Module {
  fc1 = new Dense(8);
  readonly dropout = new Dropout(0.5);
  fc2 = new Dense(2);

  override forward(input: Tensor): Tensor {
    return this.fc2.forward(this.dropout.forward(relu(this.fc1.forward(input))));
  }
}

class Residual extends Module {
  readonly blocks = [new Dense(4), new ReLU(), new Sequential([new Dense(4)])];
  readonly notes = ['words', 1, undefined];
  readonly head = new MyNet();

  override forward(input: Tensor): Tensor {
    let value = input;
    for (const block of this.blocks) value = add(value, block.forward(value));
    return this.head.forward(value);
  }
}

test('parameters of a class are named by the path of their fields, in the order of the fields', (t) => {
  const model = new MyNet().build([5]);
  t.deepEqual(
    [...model.namedParameters()].map(([name, { shape }]) => [name, shape]),
    [
      ['fc1.weight', [8, 5]],
      ['fc1.bias', [8]],
      ['fc2.weight', [2, 8]],
      ['fc2.bias', [2]],
    ],
  );
  t.deepEqual(
    model.parameters().map(({ name }) => name),
    ['fc1.weight', 'fc1.bias', 'fc2.weight', 'fc2.bias'],
    'and a parameter knows its own path',
  );
  t.deepEqual(
    model.namedModules().map(([path]) => path),
    ['', 'fc1', 'dropout', 'fc2'],
  );
  t.end();
});

test('layers of a Sequential are named by their place or by their key', (t) => {
  const listed = new Sequential([new Dense(3), new ReLU(), new Dense(2, { bias: false })]).build([4]);
  t.deepEqual([...listed.namedParameters().keys()], ['0.weight', '0.bias', '2.weight']);
  const keyed = new Sequential({ fc1: new Dense(3), relu: new ReLU(), out: new Dense(2) }).build([4]);
  t.deepEqual([...keyed.namedParameters().keys()], ['fc1.weight', 'fc1.bias', 'out.weight', 'out.bias']);
  t.end();
});

test('modules in arrays and in other modules are found', (t) => {
  const model = new Residual().build([4]);
  t.deepEqual(
    [...model.namedParameters().keys()],
    [
      'blocks.0.weight',
      'blocks.0.bias',
      'blocks.2.0.weight',
      'blocks.2.0.bias',
      'head.fc1.weight',
      'head.fc1.bias',
      'head.fc2.weight',
      'head.fc2.bias',
    ],
  );
  t.equal(model.parameterCount, 2 * (16 + 4) + (32 + 8) + (16 + 2));
  t.deepEqual(model.outputShape(), [2]);
  t.end();
});

test('a layer that is used in two places has one set of weights', async (t) => {
  const shared = new Dense(3, { inputSize: 3 });
  const model = new Sequential({ first: shared, second: shared }).build([3]);
  t.deepEqual([...model.namedParameters().keys()], ['first.weight', 'first.bias']);
  const input = tensor([[1, -2, 3]]);
  const [once, twice] = await run(() => {
    const inner = shared.forward(input);
    return [shared.forward(inner), model.forward(input)];
  });
  t.deepEqual(await once.data(), await twice.data());
  const { layers, parameters } = model.summary(() => undefined);
  t.deepEqual(
    [parameters, ...layers.map((layer) => [layer.name, layer.parameters])],
    [12, ['first', 12], ['first', 0]],
  );
});

test('a layer without options refuses some', (t) => {
  class Own extends ReLU {}
  for (const layer of [ReLU, Own]) {
    refuses(t, () => Reflect.construct(layer, [{ inplace: true }]), OptionError, `${layer.name} takes no options`);
  }
  t.ok(new Own() instanceof ReLU);
  t.end();
});

test('a model that is built twice is refused, and so is a bad seed or shape', (t) => {
  const model = new MyNet().build([5], { seed: 3 });
  refuses(t, () => model.build([5]), OptionError, 'built already', 'make a new one');
  refuses(t, () => model.fc1.build([5]), OptionError, 'built already');
  refuses(t, () => new MyNet().build([5], { seed: -1 }), OptionError, 'seed', '-1');
  refuses(t, () => new MyNet().build([5], { seed: 0.5 }), OptionError, 'seed', '0.5');
  refuses(t, () => new MyNet().build([5], { sead: 1 } as never), OptionError, "build: unknown option 'sead'", "'seed'");
  refuses(t, () => new MyNet().build([5], { seed: '1' } as never), OptionError, 'seed', '"1"');
  refuses(t, () => new MyNet().build(5 as never), ShapeError, 'build', 'array', '5');
  refuses(t, () => new MyNet().train('no' as never), OptionError, 'train', '"no"');
  refuses(t, () => new MyNet().freeze(1 as never), OptionError, 'freeze', '1');
  refuses(t, () => new MyNet().build([2.5]), ShapeError, '2.5');
  refuses(t, () => new MyNet().build([-1]), ShapeError, '-1');
  t.end();
});

test('a model that is used before it is built says how to build it', async (t) => {
  const model = new MyNet();
  t.notOk(model.isBuilt);
  t.deepEqual(model.parameters(), []);
  const advice = ['not built', 'model.build(inputShape, { seed })', 'fit does it on its own'];
  refuses(t, () => model.forward(tensor([[1, 2]])), TraceError, 'Dense', ...advice);
  refuses(t, () => model.summary(() => undefined), TraceError, 'MyNet', ...advice);
  refuses(t, () => model.outputShape(), TraceError, ...advice);
  await rejects(t, compile((x) => model.forward(x))([[1, 2]]), TraceError, ...advice);
  model.build([2]);
  t.ok(model.isBuilt && model.fc1.isBuilt);
  t.deepEqual(model.inputShape, [2]);
  t.deepEqual((await run(() => model.eval().forward(tensor([[1, 2]])))).shape, [1, 2], 'the control');
});

test('a part of a built model is asked for its own summary in vain', (t) => {
  const model = new MyNet().build([5]);
  refuses(t, () => model.fc1.outputShape(), TraceError, 'fc1', 'part of a model');
  t.end();
});

test('train() and eval() switch the whole model, and give it back', (t) => {
  const model = new Residual();
  const modes = (): boolean[] => model.namedModules().map(([, { training }]) => training);
  t.ok(
    modes().every((mode) => mode),
    'it starts in training mode',
  );
  t.equal(model.eval(), model);
  t.ok(modes().every((mode) => !mode));
  t.equal(model.train(), model);
  t.ok(modes().every((mode) => mode));
  model.head.eval();
  t.ok(model.training && !model.head.training && !model.head.dropout.training, 'a part may be switched alone');
  t.end();
});

testOnDevices('a compiled function is traced again when the mode of a layer in it changed', async (t, device) => {
  let traces = 0;
  const model = new Sequential([new Dropout(0.5)]).build([64], { seed: 1 });
  const f = compile(
    (x) => {
      traces++;
      return model.forward(x);
    },
    { device },
  );
  const ones = [new Array<number>(64).fill(1)];
  const dropped = async (): Promise<number> => (await (await f(ones)).data()).filter((value) => value === 0).length;
  t.ok((await dropped()) > 0, 'drops in training mode');
  t.ok((await dropped()) > 0);
  t.equal(traces, 1);
  model.eval();
  t.equal(await dropped(), 0, 'hands everything on in evaluation mode');
  t.equal(await dropped(), 0);
  t.equal(traces, 2);
  model.train();
  t.ok((await dropped()) > 0, 'and drops again');
  t.equal(traces, 3);
  t.equal(f.plans().length, 1, 'one plan is kept');
  f.dispose();
});

/** Counts the rows that it has seen in training, and scales by a parameter of its own. */
class Counting extends Module {
  readonly scale = new Parameter('scale', Float32Array.of(2), []);
  readonly seen = new Variable('seen', Int32Array.of(0), []);

  override forward(input: Tensor): Tensor {
    if (this.training) this.seen.assign(tensor(Int32Array.of(input.shape[0] ?? 0), { shape: [] }));
    return multiply(input, this.scale);
  }
}

testOnDevices('a module may have parameters and state of its own', async (t, device) => {
  const counting = new Counting();
  const model = new Sequential({ counting, out: new Dense(1) }).build([2]);
  t.deepEqual([...model.namedVariables().keys()], ['counting.scale', 'counting.seen', 'out.weight', 'out.bias']);
  t.deepEqual(
    [...model.namedParameters().keys()],
    ['counting.scale', 'out.weight', 'out.bias'],
    'state is not trained',
  );
  t.deepEqual(Array.from(await counting.seen.data()), [0], 'building the model changes no state');
  const step = compile((x) => model.forward(x), { device });
  await step([
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  t.deepEqual(Array.from(await counting.seen.data()), [3]);
  model.eval();
  await step([[1, 2]]);
  t.deepEqual(Array.from(await counting.seen.data()), [3], 'in evaluation mode it stays');
  step.dispose();
});

test('dispose() frees every variable of the model', async (t) => {
  const model = new MyNet().build([3]);
  await run(() => model.forward(tensor([[1, 2, 3]])), { device: cpu });
  model.dispose();
  for (const parameter of model.parameters()) await rejects(t, parameter.data(), TraceError, parameter.name, 'dispose');
  t.equal(model.parameters().length, 4);
});

testOnDevices('dispose() of one layer leaves the rest of the model, its dropout too', async (t, device) => {
  const model = new MyNet().build([3]);
  const forward = compile((x) => model.dropout.forward(x), { device });
  const ones = [new Array<number>(64).fill(1)];
  await forward(ones);
  model.fc1.dispose();
  model.dropout.dispose();
  t.ok((await (await forward(ones)).data()).includes(0), 'it still drops');
  t.equal((await model.fc2.weight?.data())?.length, 16);
  model.fc1 = new Dense(8);
  t.equal((await (await run(() => model.forward(tensor([[1, 2, 3]])), { device })).data()).length, 2);
  model.dispose();
  await rejects(t, forward(ones), TraceError, 'generator', 'dispose');
});

test('freeze() and unfreeze() of a model, of a part, or of what a path names', (t) => {
  const model = new Residual();
  model.freeze('blocks.2'); // also what it will make
  model.build([4]);
  const trainable = (): string[] =>
    [...model.namedParameters()].filter(([, parameter]) => parameter.isTrainable).map(([name]) => name);
  const head = ['head.fc1.weight', 'head.fc1.bias', 'head.fc2.weight', 'head.fc2.bias'];
  t.deepEqual(trainable(), ['blocks.0.weight', 'blocks.0.bias', ...head]);
  t.equal(model.freeze('blocks'), model);
  t.deepEqual(trainable(), head);
  model.freeze('head.fc1.bias').head.fc2.freeze();
  t.deepEqual(trainable(), ['head.fc1.weight']);
  model.unfreeze('head');
  t.deepEqual(trainable(), head);
  const { parameters, trainable: moving, frozen, text } = model.summary(() => undefined);
  t.deepEqual([parameters, moving, frozen], [98, 58, 40]);
  t.ok(text.includes('98 parameters: 58 trainable, 40 frozen'), text);
  model.freeze();
  t.deepEqual(trainable(), []);
  t.equal(model.unfreeze().parameters().length, trainable().length);
  for (const call of ['freeze', 'unfreeze'] as const) {
    refuses(t, () => model[call]('head.fc3'), OptionError, call, "'head.fc3'", "did you mean 'head.fc");
    refuses(t, () => model[call]('head.fc'), OptionError, "'head.fc'");
  }
  t.deepEqual(trainable(), [...model.namedParameters().keys()], 'and nothing changed');
  t.end();
});

test('a shared layer is frozen under each of its names', (t) => {
  const shared = new Dense(3);
  const model = new Sequential({ first: shared, second: shared }).build([3]).freeze('second.weight');
  t.deepEqual([shared.weight?.isTrainable, shared.bias?.isTrainable], [false, true]);
  model.freeze('second');
  t.notOk(shared.bias?.isTrainable);
  t.end();
});

testOnDevices('a part of a built model can be replaced: the new one is built at its next use', async (t, device) => {
  const input = tensor([[1, 2, 3, 4]]);
  const model = new Residual().build([4], { seed: 5 });
  await run(() => model.forward(input), { device });
  model.head.fc2 = new Dense(7);
  const [output] = await run(() => [model.forward(input)], { device });
  t.deepEqual(output.shape, [1, 7]);
  const wide = new Residual();
  wide.head.fc2 = new Dense(7);
  wide.build([4], { seed: 5 });
  t.deepEqual([...model.namedParameters().keys()], [...wide.namedParameters().keys()]);
  for (const [name, parameter] of model.namedParameters()) {
    t.deepEqual([parameter.name, await parameter.data()], [name, await wide.namedParameters().get(name)?.data()]);
  }
  t.deepEqual(model.outputShape(), [7]);

  model.blocks[1] = new Sequential([new Dense(4), new Dropout(0.5)]);
  t.notOk(model.blocks[1].isBuilt);
  const names = model.summary(() => undefined).layers.map(({ name }) => name);
  t.ok(names.includes('blocks.1.0') && model.namedParameters().has('blocks.1.0.weight'));
  await run(() => model.forward(input), { device });

  model.head.fc1 = new Dense(8, { inputSize: 9 });
  const kept = await model.head.fc2.weight?.data();
  refuses(t, () => model.outputShape(), ShapeError, 'head.fc1', '9');
  t.deepEqual(await model.head.fc2.weight?.data(), kept, 'the other layers keep their weights');
  model.head.fc1 = new Dense(8);
  t.deepEqual(model.outputShape(), [7]);
});

test('a model is built around parts that have weights, and they keep them', async (t) => {
  const body = new MyNet().build([3], { seed: 1 });
  const before = await stateOf(body);
  const failing = new Sequential({ body, head: new Dense(3, { inputSize: 9 }) });
  refuses(t, () => failing.build([3]), ShapeError, '9');
  t.ok(body.isBuilt && body.fc1.isBuilt && !failing.isBuilt, 'as if nothing had been tried');
  t.deepEqual(body.outputShape(), [2]);
  const model = new Sequential({ body, head: new Dense(3) }).build([3], { seed: 2 });
  t.deepEqual(await stateOf(body), before);
  t.deepEqual(
    model.parameters().map(({ name }) => name),
    [...[...before.keys()].map((name) => `body.${name}`), 'head.weight', 'head.bias'],
  );
  t.deepEqual([body.outputShape(), model.outputShape()], [[2], [3]]);
  body.fc2 = new Dense(4);
  const [output] = await run(() => [body.forward(tensor([[1, 2, 3]]))]);
  t.deepEqual([output.shape, body.fc2.weight?.name], [[1, 4], 'body.fc2.weight'], 'new layers of a part, too');
});

test('layers of your own make parameters and buffers when they learn their sizes', async (t) => {
  class Norm extends Module {
    scale: Parameter | undefined;
    mean: Variable | undefined;

    override forward(input: Tensor): Tensor {
      const size = input.shape.at(-1) ?? 1;
      this.scale ??= this.parameter('scale', [size], constant(2));
      this.mean ??= this.buffer('mean', new Float32Array(size).fill(1));
      const output = multiply(subtract(input, this.mean), this.scale);
      if (this.training) this.mean.assign(mean(input, { axes: [0] }));
      return output;
    }
  }
  const norm = new Norm();
  norm.freeze();
  const model = new Sequential({ norm, fc: new Dense(1) }).build([2]);
  t.deepEqual([...model.namedVariables().keys()], ['norm.scale', 'norm.mean', 'fc.weight', 'fc.bias']);
  t.deepEqual([...model.namedParameters().keys()], ['norm.scale', 'fc.weight', 'fc.bias']);
  t.deepEqual([norm.scale?.name, norm.scale?.isTrainable, norm.mean?.name], ['norm.scale', false, 'norm.mean']);
  t.deepEqual([...(await stateOf(model)).keys()].sort(), ['fc.bias', 'fc.weight', 'norm.mean', 'norm.scale']);
  const input = tensor([[1, 2], [3, 6]]); // prettier-ignore
  t.deepEqual(await (await run(() => norm.forward(input))).array(), [[0, 2], [4, 10]]); // prettier-ignore
  t.deepEqual(await norm.mean?.data(), Float32Array.of(2, 4));
});

test('an initializer must give the values of its parameter', (t) => {
  const build = (weightInitializer: Initializer): unknown => new Dense(2, { weightInitializer }).build([3]);
  refuses(t, () => build(() => new Float32Array(5)), OptionError, 'weight', '5 values', '[2, 3]', '6');
  refuses(t, () => build(() => [1, 2, 3, 4, 5, 6] as never), OptionError, 'weight', 'an array of 6', 'Float32Array');
  const fans: Fans[] = [];
  class Kernel extends Module {
    weight: Parameter | undefined;

    override forward(input: Tensor): Tensor {
      const shapes = [[5], [4, 3], [8, 3, 2, 2], []];
      for (const shape of shapes) {
        this.parameter('weight', shape, (size, given) => (fans.push(given), new Float32Array(sizeOf(size))));
      }
      return input;
    }
  }
  new Kernel().build([1]);
  t.deepEqual(
    fans.map(({ fanIn, fanOut }) => [fanIn, fanOut]),
    [
      [5, 5],
      [3, 4],
      [12, 32],
      [1, 1],
    ],
    "PyTorch's, and those of a vector",
  );
  t.end();
});

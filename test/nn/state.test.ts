import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'tape';
import {
  DataError,
  decodeSafetensors,
  Dense,
  encodeSafetensors,
  loadState,
  Module,
  OptionError,
  Parameter,
  ReLU,
  run,
  type SafetensorsTensor,
  Sequential,
  stateOf,
  tensor,
  type Tensor,
  TraceError,
  Variable,
} from '../../lib/index.js';
import { loadWeights, readSafetensors, saveWeights } from '../../lib/node/index.js';
import { testOnDevices } from '../support/devices.js';
import { refuses, rejects } from '../support/errors.js';

const net = (seed: number): Sequential => new Sequential({ fc1: new Dense(4), fc2: new Dense(2) }).build([3], { seed });

async function weightsOf(model: Module): Promise<number[][]> {
  return Promise.all(model.parameters().map(async (parameter) => Array.from(await parameter.data())));
}

testOnDevices('weights go through a .safetensors file and come back bit for bit', async (t, device) => {
  const folder = await mkdtemp(join(tmpdir(), 'kernelwright-state-'));
  try {
    const path = join(folder, 'runs', 'net.safetensors');
    const [saved, loaded] = [net(1), net(2)];
    const input = tensor([[1, -2, 3]]);
    // Both have been on the device: what is saved comes from there, what is loaded goes there.
    const before = await (await run(() => saved.forward(input), { device })).data();
    const other = await (await run(() => loaded.forward(input), { device })).data();
    t.notDeepEqual(other, before);
    await saveWeights(path, saved);
    t.deepEqual(await readdir(join(folder, 'runs')), ['net.safetensors']);
    const { tensors } = await readSafetensors(path);
    t.deepEqual(
      Object.fromEntries([...tensors].map(([name, { dtype, shape }]) => [name, [dtype, ...shape]])),
      { 'fc1.weight': ['F32', 4, 3], 'fc1.bias': ['F32', 4], 'fc2.weight': ['F32', 2, 4], 'fc2.bias': ['F32', 2] },
      "PyTorch's names and layouts",
    );
    await loadWeights(path, loaded);
    t.deepEqual(await weightsOf(loaded), await weightsOf(saved));
    t.deepEqual(await (await run(() => loaded.forward(input), { device })).data(), before);
  } finally {
    await rm(folder, { recursive: true });
  }
});

class Stateful extends Module {
  readonly weight = new Parameter('weight', Float32Array.of(1, 2), [2]);
  readonly steps = new Variable('steps', Uint32Array.of(7), []);
  readonly balance = new Variable('balance', Int32Array.of(-3, 4));

  override forward(input: Tensor): Tensor {
    return input;
  }
}

test('state of whole numbers keeps its type and every bit', async (t) => {
  const saved = new Stateful();
  saved.steps.set(Uint32Array.of(4_294_967_295));
  saved.balance.set(Int32Array.of(-2_147_483_647, 16_777_217)); // the second one is no float32
  const { tensors } = decodeSafetensors(encodeSafetensors(await stateOf(saved)));
  t.deepEqual([tensors.get('steps')?.dtype, tensors.get('balance')?.dtype], ['U32', 'I32']);
  const loaded = new Stateful();
  loadState(loaded, { tensors });
  t.deepEqual(await loaded.steps.data(), Uint32Array.of(4_294_967_295));
  t.deepEqual(await loaded.balance.data(), Int32Array.of(-2_147_483_647, 16_777_217));
  t.deepEqual(await stateOf(loaded), await stateOf(saved));
});

test('state of bytes is saved and loaded as bytes', async (t) => {
  class Masked extends Stateful {
    readonly mask = new Variable('mask', new Uint8Array([0, 255, 1]));
  }
  const [saved, loaded] = [new Masked(), new Masked()];
  saved.mask.set(Uint8Array.of(3, 2, 254));
  const { tensors } = decodeSafetensors(encodeSafetensors(await stateOf(saved)));
  loadState(loaded, { tensors });
  t.deepEqual(await loaded.mask.data(), Uint8Array.of(3, 2, 254));
});

test('weights of other number types are converted', async (t) => {
  const model = new Stateful();
  loadState(model, {
    tensors: new Map<string, SafetensorsTensor>([
      ['weight', { dtype: 'F64', shape: [2], data: Float64Array.of(0.1, -1) }],
      ['steps', { dtype: 'I64', shape: [], data: BigInt64Array.of(12n) }],
      ['balance', { dtype: 'U8', shape: [2], data: Uint8Array.of(1, 2) }],
    ]),
  });
  t.deepEqual(await model.weight.data(), Float32Array.of(0.1, -1));
  t.deepEqual(await model.steps.data(), Uint32Array.of(12));
  t.deepEqual(await model.balance.data(), Int32Array.of(1, 2));
});

test('weights that do not fit are refused, naming everything that is wrong, before anything is set', async (t) => {
  const model = net(1);
  const before = await weightsOf(model);
  const state = await stateOf(net(2));
  state.delete('fc1.bias');
  state.set('fc2.weight', { dtype: 'F32', shape: [4, 2], data: new Float32Array(8) });
  state.set('fc3.weight', { dtype: 'F32', shape: [1], data: new Float32Array(1) });
  refuses(
    t,
    () => loadState(model, { tensors: state }),
    DataError,
    'fc1.bias is missing',
    'fc2.weight is [4, 2], the model has [2, 4]',
    'fc3.weight is not in the model',
  );
  t.deepEqual(await weightsOf(model), before);
  loadState(model, { tensors: await stateOf(net(2)) });
  t.deepEqual(await weightsOf(model), await weightsOf(net(2)), 'the control is loaded');
});

test('weights of a type that is not read are refused before anything is set; others in the file do no harm', async (t) => {
  const model = new Stateful();
  const bytes = { weight: [1, 'BOOL', 2], steps: [4, 'U32', 1], balance: [4, 'I32', 2] } as const;
  const file = (types: Readonly<Record<string, readonly [number, string, number]>>): Uint8Array => {
    let end = 0;
    const fields = Object.entries(types).map(([name, [size, dtype, count]]) => {
      const begin = end;
      end += size * count;
      return [name, { dtype, shape: name === 'steps' ? [] : [count], data_offsets: [begin, end] }];
    });
    const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(fields)));
    const whole = new Uint8Array(8 + header.length + end);
    new DataView(whole.buffer).setBigUint64(0, BigInt(header.length), true);
    whole.set(header, 8);
    return whole;
  };
  refuses(
    t,
    () => loadState(model, decodeSafetensors(file(bytes))),
    DataError,
    'weight has the type BOOL, which is not read',
  );
  t.deepEqual(await model.steps.data(), Uint32Array.of(7), 'nothing was set');
  const more = decodeSafetensors(file({ ...bytes, weight: [4, 'F32', 2], 'a\x1b': [1, 'F8_E4M3', 3] }));
  refuses(t, () => loadState(model, more), DataError, 'a\\u{1b} is not in the model');
  const { tensors } = more;
  loadState(model, { tensors: new Map([...tensors].filter(([name]) => name !== 'a\x1b')) });
  t.deepEqual(await model.weight.data(), Float32Array.of(0, 0), 'the control is loaded');
});

test('what does not fit is left as it is where that is wanted, and reported', async (t) => {
  const model = net(1);
  const before = await stateOf(model);
  const state = await stateOf(net(2));
  t.deepEqual(loadState(net(3), { tensors: state }), {
    loaded: ['fc1.weight', 'fc1.bias', 'fc2.weight', 'fc2.bias'],
    missing: [],
    extra: [],
    misshapen: [],
    ignored: [],
  });
  state.delete('fc1.bias');
  state.set('fc2.weight', { dtype: 'F32', shape: [4, 2], data: new Float32Array(8) });
  state.set('fc3.weight', { dtype: 'F32', shape: [1], data: new Float32Array(1) });
  t.deepEqual(loadState(model, { tensors: state }, { strict: false }), {
    loaded: ['fc1.weight', 'fc2.bias'],
    missing: ['fc1.bias'],
    extra: ['fc3.weight'],
    misshapen: ['fc2.weight'],
    ignored: [],
  });
  const after = await stateOf(model);
  for (const name of ['fc1.weight', 'fc2.bias']) t.deepEqual(after.get(name), state.get(name), `${name} is loaded`);
  for (const name of ['fc1.bias', 'fc2.weight']) t.deepEqual(after.get(name), before.get(name), `${name} stays`);
  const none = loadState(model, { tensors: new Map() }, { strict: false });
  t.deepEqual(none.missing, [...before.keys()]);
  refuses(t, () => loadState(model, { tensors: new Map() }, { strict: true }), DataError, 'fc2.bias is missing');
});

test('a state that nothing can be made of changes nothing, strict or not', async (t) => {
  const model = net(1);
  const before = await weightsOf(model);
  for (const strict of [true, false]) {
    const broken = await stateOf(net(2));
    broken.set('fc2.bias', { dtype: 'F32', shape: [2], data: new Float32Array(3) });
    refuses(t, () => loadState(model, { tensors: broken }, { strict }), DataError, 'fc2.bias holds 3 numbers for [2]');
    const state = await stateOf(net(2));
    refuses(t, () => loadState(new Sequential([new Dense(2)]), { tensors: state }, { strict }), DataError, 'not built');
    const disposed = net(1);
    const [weight] = disposed.parameters();
    disposed.layers.get('fc2')?.dispose();
    refuses(t, () => loadState(disposed, { tensors: state }, { strict }), TraceError, 'fc2.weight', 'dispose');
    t.notDeepEqual(await weight?.data(), state.get('fc1.weight')?.data);
  }
  refuses(t, () => loadState(model, new Map() as never), OptionError, '{ tensors: await stateOf(model) }');
  refuses(t, () => loadState(model, { tensors: new Map() }, { strikt: false } as never), OptionError, "'strict'");
  refuses(
    t,
    () => loadState(model, { tensors: new Map() }, { strict: 0 } as never),
    OptionError,
    'strict must be true',
  );
  t.deepEqual(await weightsOf(model), before);
});

/** As convolutions have them: weights [out, height, width, in], and [height, width, channels · 2] of a depthwise one. */
class Kernels extends Module {
  readonly weight: Parameter;
  readonly depthwise: Parameter;

  constructor() {
    super();
    const [out, height, width, into, channels] = [2, 3, 4, 5, 6];
    this.weight = new Parameter('weight', counting(out * height * width * into), [out, height, width, into], {
      pytorch: { axes: [out, height, width, into], order: [0, 3, 1, 2] },
      keras: { axes: [out, height, width, into], order: [1, 2, 3, 0] },
    });
    this.depthwise = new Parameter('depthwise', counting(height * width * channels), [height, width, channels], {
      pytorch: { axes: [height, width, channels, 1], order: [2, 3, 0, 1] },
      keras: { axes: [height, width, channels / 2, 2], order: [0, 1, 2, 3] },
    });
  }

  override forward(input: Tensor): Tensor {
    return input;
  }
}

const counting = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => i);

/** Numbers [a, b, c, d] in the order of other loops, by their indices here. */
function reordered(sizes: readonly number[], at: (indices: readonly number[]) => number): SafetensorsTensor {
  const data: number[] = [];
  const visit = (before: readonly number[]): void => {
    const size = sizes[before.length];
    if (size === undefined) data.push(at(before));
    else for (let i = 0; i < size; i++) visit([...before, i]);
  };
  visit([]);
  return { dtype: 'F32', shape: sizes, data: Float32Array.from(data) };
}

const inPyTorch = new Map([
  ['weight', reordered([2, 5, 3, 4], ([o = 0, i = 0, h = 0, w = 0]) => ((o * 3 + h) * 4 + w) * 5 + i)],
  ['depthwise', reordered([6, 1, 3, 4], ([c = 0, , h = 0, w = 0]) => (h * 4 + w) * 6 + c)],
]);

test("weights lie in files as PyTorch has them, and come back bit for bit; Keras's are read as well", async (t) => {
  t.deepEqual(await stateOf(new Kernels()), inPyTorch);
  const inKeras = new Map([
    ['weight', reordered([3, 4, 5, 2], ([h = 0, w = 0, i = 0, o = 0]) => ((o * 3 + h) * 4 + w) * 5 + i)],
    ['depthwise', reordered([3, 4, 3, 2], ([h = 0, w = 0, c = 0, m = 0]) => (h * 4 + w) * 6 + 2 * c + m)],
  ]);
  for (const [layout, tensors] of [
    ['pytorch', inPyTorch],
    ['keras', inKeras],
  ] as const) {
    const model = new Kernels();
    for (const variable of [model.weight, model.depthwise]) variable.set(new Float32Array(variable.size));
    t.deepEqual(loadState(model, { tensors }, { layout }).loaded, ['weight', 'depthwise']);
    t.deepEqual(await model.weight.data(), counting(120), layout);
    t.deepEqual(await model.depthwise.data(), counting(72), layout);
  }
});

test('a state that lacks, has and bends a tensor is refused in one message, with shapes as files have them', (t) => {
  const extra: SafetensorsTensor = { dtype: 'F32', shape: [1], data: new Float32Array(1) };
  const tensors = new Map([
    ['weight', { dtype: 'F32', shape: [2, 3, 4, 5], data: counting(120) } as const],
    ['gone', extra],
  ]);
  refuses(
    t,
    () => loadState(new Kernels(), { tensors }),
    DataError,
    'depthwise is missing',
    'gone is not in the model',
    'weight is [2, 3, 4, 5], the model has [2, 5, 3, 4]',
  );
  refuses(t, () => loadState(new Kernels(), { tensors }, { layout: 'keras' }), DataError, 'the model has [3, 4, 5, 2]');
  refuses(
    t,
    () => loadState(new Kernels(), { tensors }, { layout: 'tf' as never }),
    OptionError,
    "'pytorch' or 'keras'",
  );
  t.end();
});

test('num_batches_tracked is ignored, and said to be', (t) => {
  const batches: SafetensorsTensor = { dtype: 'I64', shape: [], data: BigInt64Array.of(7n) };
  const tensors = new Map([...inPyTorch, ['bn1.num_batches_tracked', batches], ['num_batches_tracked', batches]]);
  const { loaded, extra, ignored } = loadState(new Kernels(), { tensors });
  t.deepEqual(ignored, ['bn1.num_batches_tracked', 'num_batches_tracked']);
  t.deepEqual([loaded, extra], [['weight', 'depthwise'], []]);
  const close = new Map([...inPyTorch, ['bn1.nums_batches_tracked', batches]]);
  refuses(t, () => loadState(new Kernels(), { tensors: close }), DataError, 'bn1.nums_batches_tracked is not in');
  t.end();
});

test("Keras's names are found, with slashes and repeated layers, and two of one are refused", async (t) => {
  const kernel: SafetensorsTensor = { dtype: 'F32', shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const bias: SafetensorsTensor = { dtype: 'F32', shape: [2], data: Float32Array.of(7, 8) };
  for (const [kernelName, biasName] of [
    ['fc/kernel:0', 'fc/bias:0'],
    ['fc/fc/kernel:0', 'fc/fc/bias:0'],
    ['fc/kernel', 'fc/bias'],
    ['fc.kernel', 'fc.bias'],
  ] as const) {
    const model = new Holder().build([3]);
    const tensors = new Map([
      [kernelName, kernel],
      [biasName, bias],
    ]);
    t.deepEqual(loadState(model, { tensors }, { layout: 'keras' }).loaded, ['fc.weight', 'fc.bias']);
    t.deepEqual(await model.fc.weight?.data(), Float32Array.of(1, 3, 5, 2, 4, 6), '[in, units] is transposed');
  }
  const tensors = new Map([
    ['fc/kernel:0', kernel],
    ['fc/kernel', kernel],
    ['fc/bias', bias],
    ['fc/seed', bias],
  ]);
  const load = () => loadState(new Holder().build([3]), { tensors }, { layout: 'keras' });
  refuses(t, load, DataError, 'fc/kernel:0 and fc/kernel are both fc.weight', 'fc/seed is not in the model');
});

test('a variable in several places is saved once, and loaded under any of its names', async (t) => {
  const shared = new Dense(3);
  const model = new Sequential({ first: shared, relu: new ReLU(), second: shared }).build([3]);
  const state = await stateOf(model);
  t.deepEqual([...state.keys()], ['first.weight', 'first.bias']);
  const values = Float32Array.from({ length: 9 }, (_, i) => i);
  const weight: SafetensorsTensor = { dtype: 'F32', shape: [3, 3], data: values };
  const bias: SafetensorsTensor = { dtype: 'F32', shape: [3], data: values.slice(0, 3) };
  const first: [string, SafetensorsTensor][] = [['first.weight', weight], ['first.bias', bias]]; // prettier-ignore
  const second: [string, SafetensorsTensor][] = [['second.weight', { ...weight, data: values.slice() }], ['second.bias', bias]]; // prettier-ignore
  for (const names of [first, second, [...first, ...second]]) {
    loadState(model, { tensors: state });
    const { loaded, missing, extra } = loadState(model, { tensors: new Map(names) });
    t.deepEqual([loaded, missing, extra], [['first.weight', 'first.bias'], [], []]);
    t.deepEqual([await shared.weight?.data(), await shared.bias?.data()], [values, bias.data]);
  }
  for (const strict of [true, false]) {
    const others: SafetensorsTensor[] = [
      { ...weight, data: values.with(4, 0) },
      { ...weight, shape: [9] },
      { dtype: 'F32', shape: [3, 3, 2], data: new Float32Array(18) },
    ];
    for (const other of others) {
      const tensors = new Map([...first, ['second.weight', other]] as const);
      refuses(
        t,
        () => loadState(model, { tensors }, { strict }),
        DataError,
        'first.weight and second.weight',
        'differ',
      );
    }
  }
});

test('a state has, and can set, the layers that joined a model after it was built', async (t) => {
  const model = new Holder().build([3]);
  const old = await stateOf(model);
  model.fc = new Dense(5);
  t.deepEqual((await stateOf(model)).get('fc.weight')?.shape, [5, 3]);
  model.fc = new Dense(2);
  t.deepEqual(loadState(model, { tensors: old }).loaded, ['fc.weight', 'fc.bias']);
  t.deepEqual(await stateOf(model), old);
});

class Holder extends Module {
  fc = new Dense(2);

  override forward(input: Tensor): Tensor {
    return this.fc.forward(input);
  }
}

test('loading into a model that is not built says so', async (t) => {
  const tensors = await stateOf(net(1));
  refuses(
    t,
    () => loadState(new Sequential({ fc1: new Dense(4), fc2: new Dense(2) }), { tensors }),
    DataError,
    'not built',
    'model.build',
  );
});

test('what is no path or no model is refused', async (t) => {
  const [path, model] = ['net.safetensors', net(1)];
  const call = (work: typeof saveWeights | typeof loadWeights, ...args: readonly unknown[]) =>
    work(...(args as [string, Module]));
  for (const work of [saveWeights, loadWeights]) {
    await rejects(t, call(work, model, path), OptionError, `${work.name}: path must be a text, found`);
    await rejects(t, call(work, path, {}), OptionError, `${work.name}: model must be a Module, found an object`);
    await rejects(t, call(work, path), OptionError, `${work.name}: model must be a Module, found undefined`);
  }
});

test('a file of weights that is missing is refused, naming it', async (t) => {
  await rejects(t, loadWeights('/nowhere/net.safetensors', net(1)), DataError, '/nowhere/net.safetensors');
});

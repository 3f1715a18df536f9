import test from 'tape';
import {
  Dense,
  Module,
  multiply,
  OptionError,
  Parameter,
  ReLU,
  run,
  Sequential,
  SGD,
  stateOf,
  sum,
  tensor,
  type Tensor,
  TraceError,
  Variable,
} from '../../lib/index.js';
import { differs } from '../support/close.js';
import { testOnDevices } from '../support/devices.js';
import { refuses } from '../support/errors.js';

class Everywhere extends Module {
  readonly map = new Map<string | number, Module>([
    ['left', new Dense(2)],
    [7, new Dense(2)],
  ]);
  readonly set = new Set([new Dense(2), new ReLU()]);
  readonly heads = { up: new Dense(2), deep: { down: [[new Dense(2)], new Map([['in', new Dense(2)]])] } };
  readonly factors = [1, 2].map((value) => new Parameter('factor', Float32Array.of(value), []));
  readonly state = { seen: new Variable('seen', Int32Array.of(0)) };
  readonly notes: unknown[] = [1, 'words', null, undefined, new Date(0), [[]], () => 1];

  constructor() {
    super();
    this.notes.push(this.notes, this); // neither is gone round in circles
  }

  override forward(input: Tensor): Tensor {
    const layers = this.namedModules().map(([, module]) => module);
    let value = input;
    for (const layer of layers) if (layer !== this) value = layer.forward(value);
    for (const factor of this.factors) value = multiply(value, factor);
    return value;
  }
}

testOnDevices(
  'modules and parameters in arrays, Maps, Sets and objects are named, trained and saved',
  async (t, device) => {
    const model = new Everywhere().build([2]);
    const layers = ['map.left', 'map.7', 'set.0', 'heads.up', 'heads.deep.down.0.0', 'heads.deep.down.1.in'];
    const names = ['factors.0', 'factors.1', ...layers.flatMap((path) => [`${path}.weight`, `${path}.bias`])];
    t.deepEqual([...model.namedParameters().keys()], names);
    t.deepEqual(
      model.parameters().map(({ name }) => name),
      names,
      'each knows its name, also one that was made before',
    );
    t.deepEqual(
      model.namedModules().map(([path]) => path),
      ['', ...layers.slice(0, 3), 'set.1', ...layers.slice(3)],
    );
    const state = await stateOf(model);
    t.deepEqual([...state.keys()].sort(), [...names, 'state.seen'].sort());
    const optimizer = new SGD({ learningRate: 0.1 });
    await run(() => void optimizer.minimize(sum(model.forward(tensor([[1, 2]]))), model.parameters()), { device });
    for (const [name, parameter] of model.namedParameters()) {
      t.notDeepEqual(await parameter.data(), state.get(name)?.data, `${name} is trained`);
    }
    t.ok(
      !model
        .eval()
        .namedModules()
        .some(([, { training }]) => training),
    );
  },
);

class Hidden extends Module {
  readonly #fc = new Dense(2);

  override forward(input: Tensor): Tensor {
    return this.#fc.forward(input);
  }
}

class HiddenParameter extends Module {
  readonly #factor: Parameter;

  constructor(factor: Parameter) {
    super();
    this.#factor = factor;
  }

  override forward(input: Tensor): Tensor {
    return multiply(input, this.#factor);
  }
}

test('parameters and modules that cannot be found are refused, with the reason', (t) => {
  refuses(t, () => new Hidden().build([2]), TraceError, 'Dense', 'none with #');
  const factor = new Parameter('factor', Float32Array.of(2), []);
  const model = new HiddenParameter(factor);
  refuses(t, () => model.build([2]), OptionError, 'factor', 'neither trained nor saved', 'none with #');
  t.notOk(model.isBuilt);
  const around = new Sequential({ fc: new Dense(2), model });
  refuses(t, () => around.build([2]), OptionError, 'factor');
  t.deepEqual(around.parameters(), [], 'what other layers made is dropped');
  factor.freeze();
  t.deepEqual([...model.build([2]).namedParameters().keys()], [], 'one that is frozen is the business of its owner');
  const key = new Map([[{}, new Dense(2)]]);
  const keyed = Object.assign(new ReLU(), { key });
  refuses(t, () => keyed.namedModules(), OptionError, 'ReLU', 'the key an object', 'a text without a dot');
  for (const name of ['', 'a.b']) {
    refuses(t, () => Object.assign(new ReLU(), { m: { [name]: new Dense(2) } }).build([2]), OptionError, `"${name}"`);
  }
  t.end();
});

test('two variables of one name are refused', (t) => {
  class Twins extends Module {
    readonly layers = new Map<unknown, Module>([1, '1'].map((key) => [key, new Dense(2)]));

    override forward(input: Tensor): Tensor {
      return [...this.layers.values()].reduce((value, layer) => layer.forward(value), input);
    }
  }
  refuses(t, () => new Twins().build([2]), OptionError, 'two variables', 'layers.1.weight');
  const twins = new Twins();
  twins.layers.delete('1');
  t.deepEqual([...twins.build([2]).namedVariables().keys()], ['layers.1.weight', 'layers.1.bias'], 'the control');
  t.end();
});

testOnDevices('a parameter in two layers is one: one entry, one step, the sum of its gradients', async (t, device) => {
  const identity = (): Float32Array => Float32Array.of(1, 0, 0, 1);
  for (const [momentum, weightDecay] of [
    [0, 0],
    [0.9, 0],
    [0.9, 0.5],
  ] as const) {
    // y = W W x, the loss is the sum of y: dW = 1 (W x)ᵀ + Wᵀ 1 xᵀ, [2 4; 2 4] at W = I and x = [1, 2]
    const [first, second] = [new Dense(2, { bias: false }), new Dense(2, { bias: false })];
    const model = new Sequential({ first, second });
    const weight = new Parameter('weight', identity(), [2, 2]);
    first.weight = weight;
    second.weight = weight;
    model.build([2]);
    t.deepEqual([...model.namedParameters().keys()], ['first.weight']);
    t.deepEqual(model.parameters(), [weight]);
    t.equal(model.parameterCount, 4);
    const { layers, parameters } = model.summary(() => undefined);
    t.deepEqual([parameters, ...layers.map((layer) => layer.parameters)], [4, 4, 0]);
    const optimizer = new SGD({ learningRate: 0.1, momentum, weightDecay });
    await run(() => void optimizer.minimize(sum(model.forward(tensor([[1, 2]]))), model.parameters()), { device });
    const expected = [2, 4, 2, 4].map((gradient, i) => {
      const p = identity()[i] ?? NaN;
      return p - 0.1 * (gradient + weightDecay * p);
    });
    t.equal(differs(await weight.data(), expected, { absolute: 1e-6, relative: 0 }), undefined, expected.join());
  }
});

test('an array in two fields is one, under both names', (t) => {
  class Twice extends Module {
    readonly blocks = [[new Dense(2)], [new Dense(2)]];
    readonly again = this.blocks;

    override forward(input: Tensor): Tensor {
      return this.blocks.flat().reduce((value, block) => block.forward(value), input);
    }
  }
  const model = new Twice().build([2]).freeze('again.1');
  const trainable = [...model.namedParameters()].map(([name, { isTrainable }]) => [name, isTrainable]);
  t.deepEqual(trainable, [
    ['blocks.0.0.weight', true],
    ['blocks.0.0.bias', true],
    ['blocks.1.0.weight', false],
    ['blocks.1.0.bias', false],
  ]);
  t.end();
});

import test from 'tape';
import { Dense, multiply, OptionError, Parameter, ReLU, relu, Sequential, type Tensor } from '../../lib/index.js';
import { refuses } from '../support/errors.js';

test('a Sequential takes modules in an array or by name, in the order that they are written in', (t) => {
  const fc = (): Dense => new Dense(2);
  for (const layers of [{ fc: fc(), 1: new ReLU(), 0: fc() }, { 0: fc() }, { fc: fc(), 10: fc() }]) {
    refuses(t, () => new Sequential(layers), OptionError, 'a number for a name', 'array');
  }
  for (const name of ['', 'a.b']) refuses(t, () => new Sequential({ [name]: fc() }), OptionError, `"${name}"`);
  const given: readonly (readonly [never, string])[] = [
    [fc() as never, 'a Dense'],
    [new Map([['fc', fc()]]) as never, 'a Map'],
    [undefined as never, 'undefined'],
    [relu as never, 'a function'],
    [[fc(), relu] as never, 'the layer 1 must be a Module, found a function'],
    [{ fc: fc(), act: 'relu' } as never, 'the layer act must be a Module, found "relu"'],
    [[fc(), , fc()] as never, 'the layer 1 must be a Module, found undefined'],
  ];
  for (const [layers, words] of given) refuses(t, () => new Sequential(layers), OptionError, 'Sequential', words);
  refuses(t, () => Reflect.construct(Sequential, [[fc()], fc()]), OptionError, 'Sequential takes no options');
  const named = new Sequential({ b1: fc(), a: new ReLU(), '1a': fc(), '-1': fc() });
  t.deepEqual([...named.layers.keys()], ['b1', 'a', '1a', '-1']);
  t.end();
});

test('a Sequential with layers of its own beside those in a row finds both', (t) => {
  class Headed extends Sequential {
    readonly head = new Dense(2);
    readonly factor = new Parameter('factor', Float32Array.of(2), []);

    override forward(input: Tensor): Tensor {
      return multiply(this.head.forward(super.forward(input)), this.factor);
    }
  }
  const names = ['factor', '0.weight', '0.bias', 'head.weight', 'head.bias'];
  t.deepEqual([...new Headed([new Dense(3)]).build([2]).namedParameters().keys()], names);
  t.end();
});

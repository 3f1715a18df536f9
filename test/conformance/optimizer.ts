import {
  Adagrad,
  Adam,
  AdamW,
  compile,
  DataError,
  type Device,
  type Optimizer,
  Parameter,
  RMSprop,
  SGD,
  type Tensor,
} from '../../lib/index.js';
import type { Attributes } from './attributes.js';
import type { Comparison, Values } from './compare.js';
import type { LoadedCase } from './loaded-case.js';
import { rowsOf, Stack } from './rows.js';

/** The optimizers of the vectors, with PyTorch's names for their options. */
const OPTIMIZERS: Readonly<Record<string, (attributes: Attributes) => Optimizer>> = {
  sgd: (attributes) =>
    new SGD({
      ...clippingOf(attributes),
      learningRate: attributes.number('lr'),
      momentum: attributes.number('momentum', 0),
      dampening: attributes.number('dampening', 0),
      weightDecay: attributes.number('weight_decay', 0),
      nesterov: attributes.boolean('nesterov', false),
    }),
  adam: (attributes) => new Adam({ ...adamOptions(attributes), weightDecay: attributes.number('weight_decay', 0) }),
  adamw: (attributes) =>
    new AdamW({ ...adamOptions(attributes), weightDecay: attributes.number('weight_decay', 0.01) }),
  rmsprop: (attributes) =>
    new RMSprop({
      ...clippingOf(attributes),
      learningRate: attributes.number('lr', 0.01),
      alpha: attributes.number('alpha', 0.99),
      epsilon: attributes.number('eps', 1e-8),
      momentum: attributes.number('momentum', 0),
      centered: attributes.boolean('centered', false),
      weightDecay: attributes.number('weight_decay', 0),
    }),
  adagrad: (attributes) =>
    new Adagrad({
      ...clippingOf(attributes),
      learningRate: attributes.number('lr', 0.01),
      learningRateDecay: attributes.number('lr_decay', 0),
      initialAccumulatorValue: attributes.number('initial_accumulator_value', 0),
      epsilon: attributes.number('eps', 1e-10),
      weightDecay: attributes.number('weight_decay', 0),
    }),
};

/** PyTorch clips with functions of their own; a case says by an attribute such as `clip_grad_norm` that it did. */
function clippingOf(attributes: Attributes) {
  const value = attributes.names.find((name) => /^clip.*value$/.test(name));
  const norm = attributes.names.find((name) => name !== value && /^(clip|max_norm$)/.test(name));
  return {
    ...(norm !== undefined && { clipGradNorm: attributes.number(norm) }),
    ...(value !== undefined && { clipGradValue: attributes.number(value) }),
  };
}

function adamOptions(attributes: Attributes) {
  const [beta1 = 0.9, beta2 = 0.999] = attributes.has('betas') ? attributes.numbers('betas') : [];
  return {
    ...clippingOf(attributes),
    ...{ learningRate: attributes.number('lr', 0.001), beta1, beta2 },
    ...{ epsilon: attributes.number('eps', 1e-8), amsgrad: attributes.boolean('amsgrad', false) },
  };
}

/** Whether the library has the optimizer of a case. */
export function isOptimizer(name: unknown): boolean {
  return typeof name === 'string' && Object.hasOwn(OPTIMIZERS, name);
}

/** The optimizer that a case names. */
export function optimizerFrom(attributes: Attributes): Optimizer {
  const optimizer = OPTIMIZERS[attributes.text('optimizer')];
  if (!optimizer) throw new DataError(`the library has no optimizer ${attributes.text('optimizer')}`);
  return optimizer(attributes);
}

/** Replays an optimizer over the given gradients of each step; parameters and state are checked after every step. */
export async function runOptimizer(loaded: LoadedCase, device: Device): Promise<Comparison[]> {
  const parameters = loaded.names('input').map((name) => {
    const { shape, data } = loaded.values(name);
    return new Parameter(name, Float32Array.from(data), shape);
  });
  const gradients = parameters.map(({ name }) => loaded.values(`grad.${name}`));
  const [steps] = gradients[0]?.shape ?? [];
  if (steps === undefined) throw new DataError('the case has no parameters, or no step');

  const optimizer = optimizerFrom(loaded.attributes);
  const step = compile(
    (...given: Tensor[]) => {
      optimizer.apply(parameters, given);
    },
    { device },
  );
  const history = new Map<string, Stack>();
  const remember = (name: string, { shape, data }: Values): void => {
    const stack = history.get(name) ?? new Stack(shape);
    history.set(name, stack);
    stack.push(data);
  };
  for (let i = 0; i < steps; i++) {
    await step(...gradients.map((each) => rowsOf(each, [i])));
    for (const parameter of parameters) {
      remember(`${parameter.name}.after`, { shape: parameter.shape, data: await parameter.data() });
    }
    for (const [name, { shape, data }] of await optimizer.state()) {
      if (data instanceof Float32Array) remember(name.replace('.', '.state.'), { shape, data });
    }
  }
  step.dispose();
  optimizer.dispose();
  for (const parameter of parameters) parameter.dispose();
  const results = new Map<string, Values>([...history].map(([name, stack]) => [name, stack.values()]));
  return loaded.comparisons(results);
}

import { compile, DataError, type Device, Parameter, SGD, type Tensor, type Variable } from '../../lib/index.js';
import type { Attributes } from './attributes.js';
import type { Comparison, Values } from './compare.js';
import type { LoadedCase } from './loaded-case.js';
import { rowsOf, Stack } from './rows.js';

/** SGD with PyTorch's names for its options. */
export function sgdFrom(attributes: Attributes): SGD {
  return new SGD({
    learningRate: attributes.number('lr'),
    momentum: attributes.number('momentum', 0),
    dampening: attributes.number('dampening', 0),
    weightDecay: attributes.number('weight_decay', 0),
    nesterov: attributes.boolean('nesterov', false),
  });
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

  const optimizer = sgdFrom(loaded.attributes);
  const step = compile(
    (...given: Tensor[]) => {
      optimizer.apply(parameters, given);
    },
    { device },
  );
  const history = new Map<string, Stack>();
  const remember = async (name: string, variable: Variable | undefined): Promise<void> => {
    if (!variable) return;
    const stack = history.get(name) ?? new Stack(variable.shape);
    history.set(name, stack);
    stack.push(await variable.data());
  };
  for (let i = 0; i < steps; i++) {
    await step(...gradients.map((each) => rowsOf(each, [i])));
    for (const parameter of parameters) {
      await remember(`${parameter.name}.after`, parameter);
      await remember(`${parameter.name}.state.momentum_buffer`, optimizer.velocity(parameter));
    }
  }
  step.dispose();
  optimizer.dispose();
  for (const parameter of parameters) parameter.dispose();
  const results = new Map<string, Values>([...history].map(([name, stack]) => [name, stack.values()]));
  return loaded.comparisons(results);
}

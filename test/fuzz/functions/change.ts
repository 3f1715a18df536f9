import fc from 'fast-check';
import type { NumericArray } from '../../../lib/graph/operation.js';
import { Meter, Optimizer, Parameter } from '../../../lib/index.js';
import { numbers } from '../data.js';
import { type Lasting, readingOf, type World } from './world.js';

/** What is done between two calls: a parameter is set, a meter is read and set back; or what nobody may notice. */
export interface Change {
  readonly kind: 'set' | 'take' | 'reload' | 'dispose';
  readonly choice: number;
}

export const randomChanges: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom<Change['kind'][]>('set', 'take', 'reload', 'dispose'),
  choice: fc.nat(255),
});

const isParameter = (thing: Lasting): thing is Parameter => thing instanceof Parameter;
const isMeter = (thing: Lasting): thing is Meter => thing instanceof Meter;
const isOptimizer = (thing: Lasting): thing is Optimizer => thing instanceof Optimizer;

/** Changes the state of a world. Gives what it reads of it. */
export async function change(world: World, { kind, choice }: Change): Promise<NumericArray | undefined> {
  if (kind === 'set') {
    const [, parameter] = oneOf(world.all(isParameter), choice) ?? [];
    parameter?.set(numbers(parameter.size, choice));
  }
  const [, meter] = (kind === 'take' && oneOf(world.all(isMeter), choice)) || [];
  return meter && readingOf(await meter.take());
}

/** Has the optimizers of a world go on from what they remember. */
export async function reload(world: World): Promise<void> {
  const parameters = world.all(isParameter).map(([, parameter]) => parameter);
  for (const [, optimizer] of world.all(isOptimizer)) {
    optimizer.loadState(parameters, { tensors: await optimizer.state() });
  }
}

/** A change as a program has it, by the names of its compiled functions. */
export function changeCode(world: World, { kind, choice }: Change, compiled: readonly string[]): string[] {
  const name = {
    set: oneOf(world.all(isParameter), choice)?.[0],
    take: oneOf(world.all(isMeter), choice)?.[0],
    dispose: oneOf(compiled, choice),
    reload: world
      .all(isParameter)
      .map(([own]) => own)
      .join(', '),
  }[kind];
  if (kind === 'reload') {
    return world
      .all(isOptimizer)
      .map(([own]) => `${own}.loadState([${name ?? ''}], { tensors: await ${own}.state() });`);
  }
  if (name === undefined) return [];
  if (kind === 'set') return [`${name}.set(numbers(${name}.size, ${choice}));`];
  return [kind === 'take' ? `console.log(await ${name}.take());` : `${name}.dispose();`];
}

function oneOf<T>(list: readonly T[], choice: number): T | undefined {
  return list[choice % list.length];
}

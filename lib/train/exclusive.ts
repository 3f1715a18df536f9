import { OptionError } from '../errors.js';
import type { Module } from '../nn/module.js';
import type { Optimizer } from '../optim/optimizer.js';
import type { Variable } from '../variable.js';

/** What is being trained, and trained with, by a `fit` that is under way. */
const inTraining = new WeakSet<Variable | Optimizer>();

/**
 * Throws OptionError where a `fit`, or the search of a learning rate, is training a part of the model, naming a variable, or is
 * training by the optimizer.
 */
export function refuseInTraining(caller: string, model: Module, optimizer: Optimizer): void {
  const advice = 'wait for that one, or end it by its signal, first';
  for (const [name, variable] of model.namedVariables()) {
    if (!inTraining.has(variable)) continue;
    throw new OptionError(`${caller}: the model (${name} in it) is being trained by another fit: ${advice}`);
  }
  if (!inTraining.has(optimizer)) return;
  throw new OptionError(
    `${caller}: another fit is training by this optimizer, and its steps decide rates and epochs: ${advice}, or make one for each`,
  );
}

/** Lets `work` train the model by the optimizer, and nobody else meanwhile: two trainings would step into each other's. */
export async function trainExclusively<T>(model: Module, optimizer: Optimizer, work: () => Promise<T>): Promise<T> {
  const taken = [...model.namedVariables().values(), optimizer];
  for (const each of taken) inTraining.add(each);
  try {
    return await work();
  } finally {
    for (const each of taken) inTraining.delete(each);
  }
}

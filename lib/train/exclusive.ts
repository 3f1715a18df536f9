import { OptionError } from '../errors.js';
import type { Module } from '../nn/module.js';
import type { Variable } from '../variable.js';

/** What is being trained by a `fit` that is under way. */
const inTraining = new WeakSet<Variable>();

/** Throws OptionError, naming a variable of the model that a `fit` is training at this time, if there is one. */
export function refuseInTraining(model: Module): void {
  for (const [name, variable] of model.namedVariables()) {
    if (!inTraining.has(variable)) continue;
    throw new OptionError(
      `fit: the model (${name} in it) is being trained by another fit: wait for that one, or end it by its signal, first`,
    );
  }
}

/** Lets `work` train the model, and nobody else meanwhile: two trainings would change weights under each other's gradients. */
export async function trainExclusively<T>(model: Module, work: () => Promise<T>): Promise<T> {
  const variables = [...model.namedVariables().values()];
  for (const variable of variables) inTraining.add(variable);
  try {
    return await work();
  } finally {
    for (const variable of variables) inTraining.delete(variable);
  }
}

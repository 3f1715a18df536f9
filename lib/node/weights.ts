import type { Module } from '../nn/module.js';
import { loadState, stateOf } from '../nn/state.js';
import { readSafetensors, writeSafetensors } from './safetensors.js';

/** Saves the model's weights as .safetensors, with PyTorch's names and layouts. Atomic: a crash leaves the old file. */
export async function saveWeights(path: string, model: Module): Promise<void> {
  await writeSafetensors(path, await stateOf(model));
}

/**
 * Loads weights that {@link saveWeights} or PyTorch wrote. The model must be built. All or nothing: throws DataError
 * naming what does not fit, before anything is set.
 */
export async function loadWeights(path: string, model: Module): Promise<void> {
  loadState(model, await readSafetensors(path));
}

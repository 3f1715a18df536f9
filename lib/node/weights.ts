import { type Module, moduleRule } from '../nn/module.js';
import { loadState, type LoadOptions, type LoadReport, stateOf } from '../nn/state.js';
import { checkArgument, text } from '../options.js';
import { readSafetensors, writeSafetensors } from './safetensors.js';

/**
 * Saves the model's weights as .safetensors, with PyTorch's names and layouts. Atomic: a crash leaves the old file.
 * Throws DataError where the file cannot be written, TraceError for a model that is not built.
 */
export async function saveWeights(path: string, model: Module): Promise<void> {
  checkArgument('saveWeights', 'path', path, text);
  checkArgument('saveWeights', 'model', model, moduleRule);
  await writeSafetensors(path, await stateOf(model));
}

/**
 * Loads weights that {@link saveWeights} or PyTorch wrote, as {@link loadState} does, and reports what it did. The model
 * must be built. All or nothing: throws DataError naming what does not fit, before anything is set; with `strict: false`
 * what fits is loaded.
 */
export async function loadWeights(path: string, model: Module, options: LoadOptions = {}): Promise<LoadReport> {
  checkArgument('loadWeights', 'path', path, text);
  checkArgument('loadWeights', 'model', model, moduleRule);
  return loadState(model, await readSafetensors(path), options);
}

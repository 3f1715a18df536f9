import { OptionError } from '../errors.js';
import { show } from '../options.js';
import type { Tensor } from '../tensor.js';
import { Module } from './module.js';

/**
 * Layers one behind the other. Given as an array they are named `0`, `1` … as in PyTorch, so that a parameter is
 * called `1.weight`; given by name, after their keys: `new Sequential({ fc1: new Dense(200), relu: new ReLU() })`.
 */
export class Sequential extends Module {
  /** The layers by name, in order. */
  readonly layers: ReadonlyMap<string, Module>;

  /**
   * Throws OptionError for anything but modules in an array or object, and for names that are empty, hold a dot, or are
   * whole numbers: JavaScript puts those before all others, whatever the order they are written in.
   */
  constructor(layers: readonly Module[] | Readonly<Record<string, Module>>, ...unexpected: readonly never[]) {
    super(...unexpected);
    if (!Array.isArray(layers) && !isPlainObject(layers)) {
      throw new OptionError(
        `Sequential: layers must be an array of modules, or an object of them by name, found ${show(layers)}`,
      );
    }
    const entries: [string, unknown][] = Array.isArray(layers)
      ? Array.from(layers, (layer: unknown, place): [string, unknown] => [String(place), layer])
      : Object.entries(layers).map(([name, layer]) => [checkName(name), layer]);
    this.layers = new Map(entries.map(([name, layer]) => [name, checkLayer(name, layer)]));
  }

  override children(): [name: string, module: Module][] {
    return super.children().map(([path, module]) => [path.replace(/^layers\./, ''), module]);
  }

  override forward(input: Tensor): Tensor {
    let output = input;
    for (const layer of this.layers.values()) output = layer.forward(output);
    return output;
  }
}

function isPlainObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function checkName(name: string): string {
  if (/^\d+$/.test(name)) {
    throw new OptionError(
      `Sequential: the layer ${show(name)} has a number for a name, which JavaScript orders before all others: give the ` +
        'layers as an array, or call it, say, fc1',
    );
  }
  if (name === '' || name.includes('.')) {
    throw new OptionError(`Sequential: a layer is called ${show(name)}: a name must not be empty or hold a dot`);
  }
  return name;
}

function checkLayer(name: string, layer: unknown): Module {
  if (layer instanceof Module) return layer;
  throw new OptionError(`Sequential: the layer ${name} must be a Module, found ${show(layer)}`);
}

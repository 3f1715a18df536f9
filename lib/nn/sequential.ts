import type { Tensor } from '../tensor.js';
import { Module } from './module.js';

/**
 * Layers one behind the other. Given as an array they are named `0`, `1` … as in PyTorch, so that a parameter is
 * called `1.weight`; given by name, after their keys: `new Sequential({ fc1: new Dense(200), relu: new ReLU() })`.
 */
export class Sequential extends Module {
  /** The layers by name, in order. */
  readonly layers: ReadonlyMap<string, Module>;

  constructor(layers: readonly Module[] | Readonly<Record<string, Module>>) {
    super();
    this.layers = new Map(Object.entries(layers));
  }

  override children(): [name: string, module: Module][] {
    return [...this.layers];
  }

  override forward(input: Tensor): Tensor {
    let output = input;
    for (const layer of this.layers.values()) output = layer.forward(output);
    return output;
  }
}

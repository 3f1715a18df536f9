import { OptionError, TraceError } from '../errors.js';
import { checkSeed, Generator } from '../generator.js';
import { activeTrace, guarded, type Mode, record } from '../graph/trace.js';
import { checkShape, type Shape } from '../shape.js';
import { Tensor } from '../tensor.js';
import { Parameter, Variable } from '../variable.js';
import { summarize, type Summary } from './summary.js';

/** What building a model gives to each of its modules: its path, and where its randomness comes from. */
export interface Scope {
  /** Path of the module in the model, `''` for the model itself, e.g. `fc1` or `blocks.0.fc`. */
  readonly path: string;
  /** Decides initial weights, together with the parameter's path. */
  readonly seed: number;
  /** Draws dropout masks; shared by the whole model. */
  readonly generator: Generator;
}

/** How a model is built. */
export interface BuildOptions {
  /** Decides initial weights and dropout masks. Default 0. */
  readonly seed?: number;
}

/**
 * A layer or a net: named parameters, other modules, and a `forward`. Write your own as in PyTorch: a class with its
 * layers as fields. No registration: parameters and modules are found by walking the fields, arrays of modules
 * included, and named by their path (`fc1.weight`), as in PyTorch's state dict.
 *
 *     class MyNet extends Module {
 *       fc1 = new Dense(200);
 *       fc2 = new Dense(2);
 *       forward(input: Tensor): Tensor {
 *         return this.fc2.forward(relu(this.fc1.forward(input)));
 *       }
 *     }
 */
export abstract class Module {
  /** The module whose `eval()` put this one into evaluation mode: itself, or one that holds it. */
  #heldBy: Module | undefined;
  #scope: Scope | undefined;
  #inputShape: Shape | undefined;

  /** The output for a batch of inputs: the first axis is the batch. */
  abstract forward(...inputs: Tensor[]): Tensor;

  /**
   * Training mode (dropout active) or evaluation mode; starts as true, as in PyTorch. Inside of `fit`, `evaluate` and
   * `predict` it is theirs, and no module's own mode changes; but a part that was put into evaluation mode on its own
   * stays in it while the model that holds it is trained (a frozen part). A compiled function that read it is recorded
   * again when it changed.
   */
  get training(): boolean {
    const mode = activeTrace()?.mode;
    return guarded(() => this.#trainingIn(mode));
  }

  #trainingIn(mode: Mode | undefined): boolean {
    const holder = this.#heldBy;
    if (!mode) return !holder;
    return mode.training && (!holder || holder.namedModules().some(([, module]) => module === mode.model));
  }

  /** Switches this module and all in it to training mode, or to evaluation mode with `false`. */
  train(mode = true): this {
    const modules = this.namedModules().map(([, module]) => module);
    const parts = new Set(modules.slice(1));
    for (const module of modules) {
      if (mode) module.#heldBy = undefined;
      // A part that was put into evaluation mode on its own is in it on its own account still.
      else if (!module.#heldBy || !parts.has(module.#heldBy)) module.#heldBy = this;
    }
    return this;
  }

  /** Switches this module and all in it to evaluation mode. */
  eval(): this {
    return this.train(false);
  }

  /** Modules directly in this one, by the name of their field; those in an array as `field.0`, `field.1` … */
  children(): [name: string, module: Module][] {
    return Object.entries(this).flatMap(([name, value]: [string, unknown]): [string, Module][] => {
      if (value instanceof Module) return [[name, value]];
      if (!Array.isArray(value)) return [];
      return value.flatMap((item: unknown, i): [string, Module][] =>
        item instanceof Module ? [[`${name}.${i}`, item]] : [],
      );
    });
  }

  /** This module and all in it, by path; a module that is used in several places comes once. */
  namedModules(): [path: string, module: Module][] {
    const found = new Map<Module, string>();
    const visit = (module: Module, path: string): void => {
      if (found.has(module)) return;
      found.set(module, path);
      for (const [name, child] of module.children()) visit(child, path === '' ? name : `${path}.${name}`);
    };
    visit(this, '');
    return [...found].map(([module, path]) => [path, module]);
  }

  /** All variables by path: parameters, and whatever else is part of the model's state. */
  namedVariables(): Map<string, Variable> {
    const variables = new Map<string, Variable>();
    for (const [path, module] of this.namedModules()) {
      for (const [name, value] of Object.entries(module) as [string, unknown][]) {
        if (value instanceof Variable) variables.set(path === '' ? name : `${path}.${name}`, value);
      }
    }
    return variables;
  }

  /** Parameters by path, in the order of the fields: the keys are PyTorch's state-dict names. */
  namedParameters(): Map<string, Parameter> {
    const entries = [...this.namedVariables()];
    return new Map(entries.filter((entry): entry is [string, Parameter] => entry[1] instanceof Parameter));
  }

  /** Parameters, for an optimizer. Empty before the model is built. */
  parameters(): Parameter[] {
    return [...this.namedParameters().values()];
  }

  /** Number of trainable numbers. */
  get parameterCount(): number {
    return this.parameters().reduce((total, parameter) => total + parameter.size, 0);
  }

  /** @internal Number of trainable numbers in this module's own fields, without those of modules in it. */
  get ownParameterCount(): number {
    const own = Object.values(this).filter((value: unknown) => value instanceof Parameter);
    return own.reduce((total, parameter) => total + parameter.size, 0);
  }

  /** Whether {@link build} has been called on this module or on one that holds it. */
  get isBuilt(): boolean {
    return this.#scope !== undefined;
  }

  /** The shape of one input, without the batch axis, that the model was built for. */
  get inputShape(): Shape | undefined {
    return this.#inputShape;
  }

  /**
   * Makes the parameters: runs `forward` once on a placeholder of shape [1, ...inputShape], so that layers learn their
   * input sizes, and draws the initial weights from the seed. `fit` does it on its own with its data and seed.
   *
   * Throws ShapeError where the layers do not fit, OptionError for a bad seed or a model that is built already.
   */
  build(inputShape: Shape, options: BuildOptions = {}): this {
    if (this.#scope) throw new OptionError('build: the model is built already; make a new one to start afresh');
    checkShape('build', inputShape);
    const seed = checkSeed(options.seed ?? 0);
    const generator = new Generator(seed);
    const modules = this.namedModules();
    const before = new Set(this.namedVariables().values());
    for (const [path, module] of modules) module.#scope = { path, seed, generator };
    this.#inputShape = inputShape;
    try {
      this.#runOnce();
    } catch (error) {
      // As if nothing had been tried, so that another shape can be: what the layers made for this one is dropped.
      for (const [, module] of modules) {
        module.#scope = undefined;
        for (const [name, value] of Object.entries(module) as [string, unknown][]) {
          if (value instanceof Variable && !before.has(value)) Reflect.set(module, name, undefined);
        }
      }
      this.#inputShape = undefined;
      throw error;
    }
    return this;
  }

  /** The shape of one output, without the batch axis. Throws TraceError before the model is built. */
  outputShape(): Shape {
    return this.#runOnce().shape.slice(1);
  }

  /**
   * Prints a table of the layers with output shapes and parameter counts, as Keras does, and returns it.
   * Throws TraceError before the model is built.
   *
   * @param print default: console.log; pass a function that does nothing to have only the result
   */
  summary(print: (text: string) => void = (text) => console.log(text)): Summary {
    const summary = summarize(this, () => this.#runOnce());
    print(summary.text);
    return summary;
  }

  /** Frees the buffers of all variables. */
  dispose(): void {
    for (const variable of this.namedVariables().values()) variable.dispose();
    this.#scope?.generator.dispose();
  }

  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The scope, for layers that make parameters or draw random numbers. Throws TraceError before the model is built. */
  protected get scope(): Scope {
    if (this.#scope) return this.#scope;
    throw new TraceError(
      `${this.constructor.name}: the model is not built yet. Call model.build(inputShape, { seed }) before its first ` +
        'use, with the shape of one input without the batch axis (fit does it on its own)',
    );
  }

  #runOnce(): Tensor {
    const { path } = this.scope;
    if (!this.#inputShape) throw new TraceError(`${path} was built as a part of a model: ask the model itself`);
    const input = new Tensor({ shape: [1, ...this.#inputShape], dtype: 'f32' }, { kind: 'input', position: 0 });
    return record(() => this.forward(input)).result;
  }
}

import { OptionError, TraceError } from '../errors.js';
import type { FileLayouts } from '../file-layout.js';
import { Generator } from '../generator.js';
import type { NumericArray } from '../graph/operation.js';
import { activeTrace, guarded, type Mode, record } from '../graph/trace.js';
import { IterableWeakSet } from '../iterable-weak-set.js';
import {
  boolean,
  callback,
  checkArgument,
  checkOptions,
  instanceOf,
  type OptionRules,
  refuseOptions,
  seed,
  show,
  text,
} from '../options.js';
import { RandomStream } from '../random.js';
import { formatShape, type Shape, sizeOf } from '../shape.js';
import { suggest } from '../suggest.js';
import { Tensor } from '../tensor.js';
import { Parameter, Variable } from '../variable.js';
import { checkAllAreFound, checkInputShape } from './build-checks.js';
import { fansOf, type Initializer } from './initializers.js';
import { joinPath, membersOf, modulesIn, variablesIn } from './members.js';
import { summarize, type Summary } from './summary.js';

/** What building a model gives to each of its modules: its path, and where its randomness comes from. */
export interface Scope {
  /** Path of the module in the model, `''` for the model itself, e.g. `fc1` or `blocks.0.fc`. */
  readonly path: string;
  /** Decides initial weights, together with the parameter's path. */
  readonly seed: number;
  /** Draws dropout masks; shared by the whole model. */
  readonly generator: Generator;
  /** Shape of one input of the model, without the batch axis. */
  readonly inputShape: Shape;
}

/** How a model is built. */
export interface BuildOptions {
  /** Decides initial weights and dropout masks. Default 0. */
  readonly seed?: number;
}

const buildRules: OptionRules<BuildOptions> = { seed };

/** Models that {@link Module.build} was called on: whoever joined one of them later finds it here. */
const builtModels = new IterableWeakSet<Module>();

/** Whether a model is running on a placeholder: see {@link Module.isRehearsal}. */
let isRehearsing = false;

/**
 * A layer or a net: named parameters, other modules, and a `forward`. Write your own as in PyTorch: a class with its
 * layers as fields. No registration: parameters and modules are found by walking the fields, and arrays, Maps, Sets and
 * plain objects there, and are named by their path (`fc1.weight`, `blocks.0.fc.bias`), as in PyTorch's state dict. Keep
 * them out of private fields (`#fc`): nobody else can look there, and `build` refuses parameters that it cannot find.
 *
 *     class MyNet extends Module {
 *       fc1 = new Dense(200);
 *       fc2 = new Dense(2);
 *       forward(input: Tensor): Tensor {
 *         return this.fc2.forward(relu(this.fc1.forward(input)));
 *       }
 *     }
 *
 * A part may be replaced in a built model (`model.fc2 = new Dense(10)`): the new one is built at its next use. Compile a
 * function that has recorded the old one anew.
 */
export abstract class Module {
  /** The module whose `eval()` put this one into evaluation mode: itself, or one that holds it. */
  #heldBy: Module | undefined;
  #isFrozen = false;
  #scope: Scope | undefined;
  /** That of {@link Scope}, where this is the model that was built: it owns it. */
  #generator: Generator | undefined;
  #inputShape: Shape | undefined;

  /** Takes nothing: what a layer without a constructor of its own is given (`new ReLU({ inplace: true })`) is OptionError. */
  constructor(...unexpected: readonly never[]) {
    refuseOptions(new.target.name, unexpected);
  }

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
    checkArgument('train', 'the mode', mode, boolean);
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

  /**
   * Stops training the parameters in this module, those that it makes later included; with a path, those of that part or
   * that parameter alone (`model.freeze('body')`, `model.freeze('fc1.weight')`). Optimizers leave them as they are, and
   * a BatchNorm in such a part uses its running statistics and does not move them on. The mode is another matter: `eval()`
   * on a part keeps it in evaluation mode while the model is trained.
   *
   * Throws OptionError where nothing is called so.
   */
  freeze(path = ''): this {
    return this.#setFrozen('freeze', path, true);
  }

  /** Undoes {@link freeze}. Throws OptionError where nothing is called so. */
  unfreeze(path = ''): this {
    return this.#setFrozen('unfreeze', path, false);
  }

  #setFrozen(caller: string, wanted: string, isFrozen: boolean): this {
    checkArgument(caller, 'the path', wanted, text);
    const isMeant = (path: string): boolean => wanted === '' || path === wanted || path.startsWith(`${wanted}.`);
    const names: string[] = [];
    for (const [path, module] of modulesIn(this, 'every path')) {
      names.push(path);
      if (isMeant(path)) module.#isFrozen = isFrozen;
    }
    for (const [name, variable] of this.variablesByEveryName()) {
      names.push(name);
      if (!isMeant(name) || !(variable instanceof Parameter)) continue;
      if (isFrozen) variable.freeze();
      else variable.unfreeze();
    }
    if (names.some(isMeant)) return this;
    throw new OptionError(`${caller}: nothing in the model is called '${wanted}'${suggest(wanted, names)}`);
  }

  /** Whether {@link freeze} was called on this module or on one that holds it. A recording that read it is made anew when it changed. */
  protected get isFrozen(): boolean {
    return guarded(() => this.#isFrozen);
  }

  /** Whether `forward` runs on a placeholder of one example, so that layers learn their sizes: nothing is computed. */
  protected get isRehearsal(): boolean {
    return isRehearsing;
  }

  /** Modules directly in this one by the name of their field; those in an array as `field.0`, `field.1` … */
  children(): [name: string, module: Module][] {
    return membersOf(this, isPart).filter((entry): entry is [string, Module] => entry[1] instanceof Module);
  }

  /** @internal Variables of this module's own: without those of modules in it. */
  ownVariables(): [name: string, variable: Variable][] {
    return membersOf(this, isPart).filter((entry): entry is [string, Variable] => entry[1] instanceof Variable);
  }

  /** This module and all in it, by path; a module that is used in several places comes once, under the first. */
  namedModules(): [path: string, module: Module][] {
    return [...modulesIn(this, 'first path')];
  }

  /**
   * All variables by path: parameters, and whatever else is part of the model's state. One that stands in several places
   * comes once, under the first. Throws OptionError where two are called the same.
   */
  namedVariables(): Map<string, Variable> {
    const all = variablesIn(modulesIn(this, 'first path'));
    const seen = new Set<Variable>();
    return new Map([...all].filter(([, variable]) => !seen.has(variable) && seen.add(variable)));
  }

  /** @internal All variables by each of their paths: the keys of PyTorch's `state_dict()`, which names shared ones so. */
  variablesByEveryName(): Map<string, Variable> {
    return variablesIn(modulesIn(this, 'every path'));
  }

  /** Parameters by path, in the order of the fields: the keys are those of PyTorch's `named_parameters()`. */
  namedParameters(): Map<string, Parameter> {
    const entries = [...this.namedVariables()];
    return new Map(entries.filter((entry): entry is [string, Parameter] => entry[1] instanceof Parameter));
  }

  /** Parameters, each once, for an optimizer; it leaves alone those that are frozen. Empty before the model is built. */
  parameters(): Parameter[] {
    return [...this.namedParameters().values()];
  }

  /**
   * The sources of random numbers in the model by path: what stands in fields, and under `''` the one that building the model
   * made, which dropout draws from. With the variables they are all that a built model remembers.
   */
  namedGenerators(): Map<string, Generator> {
    const all = new Map<string, Generator>();
    const seen = new Set<Generator>();
    for (const [path, module] of this.namedModules()) {
      const own = membersOf(module, (value) => value instanceof Generator);
      const built: [string, Generator][] = module.#scope ? [['', module.#scope.generator]] : [];
      for (const [name, generator] of [...built, ...own]) {
        if (!seen.has(generator)) all.set(name === '' ? path : joinPath(path, name), generator);
        seen.add(generator);
      }
    }
    return all;
  }

  /** Number of numbers in the parameters, frozen ones included. */
  get parameterCount(): number {
    return this.parameters().reduce((total, parameter) => total + parameter.size, 0);
  }

  /** @internal What a summary calls it. */
  get summaryTitle(): string {
    return this.constructor.name;
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
   * input sizes, and draws the initial weights from the seed. `fit` does it on its own with its data and seed. Parts that
   * have weights already keep them.
   *
   * Throws ShapeError where the layers do not fit; OptionError for a bad seed, for a model that is built already, and for
   * one that computes with a parameter that it cannot find in its fields.
   */
  build(inputShape: Shape, options: BuildOptions = {}): this {
    if (this.#scope) throw new OptionError('build: the model is built already; make a new one to start afresh');
    checkOptions('build', options, buildRules);
    checkInputShape(inputShape);
    const { seed = 0 } = options;
    const scope = { seed, generator: new Generator(seed), inputShape: [...inputShape] };
    const modules = this.namedModules().map(([path, module]) => ({ path, module, before: module.#scope }));
    for (const { path, module } of modules) module.#scope = { path, ...scope };
    this.#inputShape = scope.inputShape;
    try {
      this.#runOnce();
    } catch (error) {
      // As if nothing had been tried, so that another shape can be.
      for (const { module, before } of modules) module.#scope = before;
      this.#inputShape = undefined;
      throw error;
    }
    this.#generator = scope.generator;
    builtModels.add(this);
    return this;
  }

  /** @internal Builds what has joined the built model since. */
  buildAdded(): void {
    if (this.#inputShape && this.namedModules().some(([, module]) => !module.#scope)) this.#runOnce();
  }

  /** The shape of one output, without the batch axis. Throws TraceError before the model is built. */
  outputShape(): Shape {
    return this.#runOnce().shape.slice(1);
  }

  /**
   * Prints a table of the layers with output shapes and parameter counts, as Keras does, and returns it.
   * Throws TraceError before the model is built, OptionError where `print` is no function.
   *
   * @param print default: console.log; pass a function that does nothing to have only the result
   */
  summary(print: (text: string) => void = (text) => console.log(text)): Summary {
    checkArgument('summary', 'print', print, callback);
    const summary = summarize(this, () => this.#runOnce());
    print(summary.text);
    return summary;
  }

  /** Frees the buffers of all variables in this module. A part of a model leaves the rest of the model usable. */
  dispose(): void {
    for (const [, module] of this.namedModules()) {
      for (const [, variable] of module.ownVariables()) variable.dispose();
      module.#generator?.dispose();
    }
  }

  /** `dispose()`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The scope, for layers that make parameters or draw random numbers. Throws TraceError before the model is built. */
  protected get scope(): Scope {
    this.#scope ??= this.#scopeInModel();
    if (this.#scope) return this.#scope;
    throw new TraceError(
      `${this.constructor.name}: the model is not built yet. Call model.build(inputShape, { seed }) before its first ` +
        'use, with the shape of one input without the batch axis (fit does it on its own). If it is: it does not find ' +
        'this layer, which must stand in a field (none with #), or in an array, Map, Set or plain object there',
    );
  }

  /** What has joined a built model later is a part of it as if it had been there from the beginning. */
  #scopeInModel(): Scope | undefined {
    for (const model of builtModels) {
      const [path] = model.namedModules().find(([, module]) => module === this) ?? [];
      if (path !== undefined) return { ...model.scope, path: joinPath(model.scope.path, path) };
    }
    return undefined;
  }

  /**
   * Makes a parameter, for a layer's `forward` to call when it runs first and knows its sizes; keep it in a field of that
   * name. Its initial values depend on the model's seed and its own path alone.
   *
   * Throws TraceError before the model is built, OptionError where the initializer gives another number of values.
   *
   * @param fans what the initializer is told; default: those of a weight [out, in, ...], or of a vector
   * @param fileLayouts how files order the values, where that is not as they are here
   */
  protected parameter(
    name: string,
    shape: Shape,
    initializer: Initializer,
    fans = fansOf(shape),
    fileLayouts: FileLayouts = {},
  ): Parameter {
    const scope = this.scope;
    const fullName = joinPath(scope.path, name);
    checkArgument(fullName, 'its initializer', initializer, callback);
    const values: unknown = initializer(shape, fans, new RandomStream(scope.seed, fullName));
    if (!(values instanceof Float32Array) || values.length !== sizeOf(shape)) {
      const found = values instanceof Float32Array ? `${values.length} values` : show(values);
      throw new OptionError(
        `${fullName}: its initializer gave ${found} for ${formatShape(shape)}, which takes a Float32Array of ${sizeOf(shape)}`,
      );
    }
    const parameter = new Parameter(fullName, values, shape, fileLayouts);
    if (this.#isFrozen) parameter.freeze();
    return parameter;
  }

  /**
   * Makes a variable that is saved and loaded with the weights and not trained (a running mean), as PyTorch's
   * `register_buffer`; keep it in a field of that name. `forward` changes it by `assign`.
   */
  protected buffer(name: string, initial: Tensor | NumericArray, shape?: Shape): Variable {
    return new Variable(joinPath(this.scope.path, name), initial, shape);
  }

  /** Runs `forward` on a placeholder for one input; what is not built yet is built by that. */
  #runOnce(): Tensor {
    const { path } = this.scope;
    if (!this.#inputShape) throw new TraceError(`${path} was built as a part of a model: ask the model itself`);
    const input = new Tensor({ shape: [1, ...this.#inputShape], dtype: 'f32' }, { kind: 'input', position: 0 });
    const before = new Set(this.namedVariables().values());
    isRehearsing = true;
    try {
      const output: unknown = record(() => this.forward(input)).result;
      if (!(output instanceof Tensor)) {
        throw new TraceError(`${this.constructor.name}: forward must return a tensor, found ${show(output)}`);
      }
      const variables = this.namedVariables();
      checkAllAreFound(output, new Set(variables.values()));
      for (const [name, variable] of variables) variable.rename(joinPath(path, name));
      return output;
    } catch (error) {
      // What the layers made for a shape that does not fit is dropped.
      for (const [, module] of this.namedModules()) {
        for (const [name, value] of Object.entries(module) as [string, unknown][]) {
          if (value instanceof Variable && !before.has(value)) Reflect.set(module, name, undefined);
        }
      }
      throw error;
    } finally {
      isRehearsing = false;
    }
  }
}

/** What takes a model. */
export const moduleRule = instanceOf(Module, 'a Module');

function isPart(value: unknown): value is Module | Variable {
  return value instanceof Module || value instanceof Variable;
}

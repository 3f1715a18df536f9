import { OptionError, ShapeError } from '../errors.js';
import { linear } from '../ops/matmul/linear.js';
import { RandomStream } from '../random.js';
import { formatShape, type Shape, sizeOf } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { Parameter } from '../variable.js';
import { type Initializer, kaimingUniform } from './initializers.js';
import { Module } from './module.js';

/** Options of {@link Dense}. */
export interface DenseOptions {
  /** Size of an input. Default: that of the first input the layer sees, as in Keras. */
  readonly inputSize?: number;
  /** Whether a bias is added. Default true. */
  readonly bias?: boolean;
  /** Default: Kaiming uniform as PyTorch's Linear has it. Keras's Dense has {@link glorotUniform}. */
  readonly weightInitializer?: Initializer;
  /** Default: uniform in ±1/√fanIn as PyTorch's Linear has it. Keras's Dense has {@link zeros}. */
  readonly biasInitializer?: Initializer;
}

/**
 * A fully connected layer: output = input · weightᵀ + bias. input [N, .., in] → output [N, .., units].
 * Keras calls it Dense, PyTorch Linear; the weight is laid out as PyTorch's, [units, in] (Keras's is [in, units]).
 */
export class Dense extends Module {
  /** Size of an output. */
  readonly units: number;
  /** As given to the constructor. */
  readonly options: DenseOptions;
  /** [units, in], once the model is built. */
  weight: Parameter | undefined = undefined;
  /** [units], once the model is built; undefined without bias. */
  bias: Parameter | undefined = undefined;

  /** @param units size of an output. Throws OptionError unless it is a whole number of 1 or more. */
  constructor(units: number, options: DenseOptions = {}) {
    super();
    this.units = checkSize('units', units);
    this.options = options;
    if (options.inputSize !== undefined) checkSize('inputSize', options.inputSize);
  }

  /** Throws ShapeError where the last axis of the input is not the size that the layer was built for. */
  override forward(input: Tensor): Tensor {
    const size = input.shape.at(-1);
    if (size === undefined) throw new ShapeError('Dense: the input needs at least one axis, found a scalar');
    const weight = this.weight ?? this.#create(size);
    if (size !== weight.shape[1]) {
      throw new ShapeError(
        `Dense ${this.scope.path}: the input ${formatShape(input.shape)} has ${size} features, the weight ` +
          `${formatShape(weight.shape)} expects ${weight.shape[1] ?? 0}`,
      );
    }
    return linear(input, weight, this.bias);
  }

  #create(inputSize: number): Parameter {
    const fanIn = this.options.inputSize ?? inputSize;
    const initial = (name: string, shape: Shape, initializer: Initializer): Parameter => {
      const { path, seed } = this.scope;
      const fullName = path === '' ? name : `${path}.${name}`;
      const values = initializer(shape, { fanIn, fanOut: this.units }, new RandomStream(seed, fullName));
      if (values.length !== sizeOf(shape)) {
        throw new OptionError(`${fullName}: its initializer gave ${values.length} values for ${formatShape(shape)}`);
      }
      return new Parameter(fullName, values, shape);
    };
    const { weightInitializer = kaimingUniform(), biasInitializer = kaimingUniform() } = this.options;
    this.weight = initial('weight', [this.units, fanIn], weightInitializer);
    if (this.options.bias !== false) this.bias = initial('bias', [this.units], biasInitializer);
    return this.weight;
  }
}

function checkSize(name: string, size: number): number {
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new OptionError(`Dense: ${name} must be a whole number of 1 or more, found ${size}`);
  }
  return size;
}

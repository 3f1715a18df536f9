import { ShapeError } from '../errors.js';
import {
  boolean,
  callback,
  checkArgument,
  checkOptions,
  instanceOf,
  type OptionRules,
  wholeNumber,
} from '../options.js';
import { linear } from '../ops/matmul/linear.js';
import { formatShape } from '../shape.js';
import { Tensor } from '../tensor.js';
import { type Parameter } from '../variable.js';
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

const size = wholeNumber({ min: 1 });
const TENSOR = instanceOf(Tensor, 'a tensor');
const rules: OptionRules<DenseOptions> = {
  inputSize: size,
  bias: boolean,
  weightInitializer: callback,
  biasInitializer: callback,
};

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

  /** @param units size of an output. Throws OptionError unless it is a whole number of 1 or more, and for a bad option. */
  constructor(units: number, options: DenseOptions = {}) {
    super();
    checkArgument('Dense', 'units', units, size);
    checkOptions('Dense', options, rules);
    this.units = units;
    this.options = options;
  }

  /** Throws ShapeError where the last axis of the input is not the size that the layer was built for. */
  override forward(input: Tensor): Tensor {
    checkArgument('Dense', 'the input', input, TENSOR);
    const features = input.shape.at(-1);
    if (features === undefined) throw new ShapeError('Dense: the input needs at least one axis, found a scalar');
    const weight = this.weight ?? this.#create(features);
    if (features !== weight.shape[1]) {
      throw new ShapeError(
        `Dense ${this.scope.path}: the input ${formatShape(input.shape)} has ${features} features, the weight ` +
          `${formatShape(weight.shape)} expects ${weight.shape[1] ?? 0}`,
      );
    }
    return linear(input, weight, this.bias);
  }

  #create(inputSize: number): Parameter {
    const { inputSize: fanIn = inputSize, bias = true } = this.options;
    const { weightInitializer = kaimingUniform(), biasInitializer = kaimingUniform() } = this.options;
    const fans = { fanIn, fanOut: this.units };
    const keras = { axes: [this.units, fanIn], order: [1, 0] };
    const weight = this.parameter('weight', [this.units, fanIn], weightInitializer, fans, { keras });
    if (bias) this.bias = this.parameter('bias', [this.units], biasInitializer, fans);
    this.weight = weight;
    return weight;
  }
}

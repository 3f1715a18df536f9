import * as tf from '@tensorflow/tfjs';
import { type Convolution, convolutionValues, type Pass } from '../convolutions.js';
import { makeMatrices } from '../matrices.js';
import type { Computation } from '../protocol.js';

/** A computation with its inputs on the device. */
export interface PreparedComputation {
  /** Which it is. */
  readonly key: string;
  compute(): tf.Tensor;
  /** The result in the layout that `Computation` tells. */
  asTold(result: tf.Tensor): tf.Tensor;
  dispose(): void;
}

/** Makes the inputs. */
export function prepareComputation(computation: Computation): Omit<PreparedComputation, 'key'> {
  return computation.compute === 'product' ? prepareProduct(computation.size) : prepareConvolution(computation);
}

function prepareProduct(size: number): Omit<PreparedComputation, 'key'> {
  const [a, b] = makeMatrices(size);
  const factors = [tf.tensor2d(a, [size, size]), tf.tensor2d(b, [size, size])] as const;
  return {
    compute: () => tf.matMul(...factors),
    asTold: (result) => result,
    dispose: () => tf.dispose([...factors]),
  };
}

interface ConvolutionInputs {
  readonly picture: tf.Tensor;
  readonly filter: tf.Tensor;
  readonly output: tf.Tensor;
}

/**
 * By the kernels that its convolutions and their gradients run, which have no public functions of their own. Filters are
 * [height, width, in, out], and [height, width, channels, 1] where each channel has its own.
 */
function prepareConvolution({
  convolution,
  pass,
}: Extract<Computation, { readonly compute: 'convolution' }>): Omit<PreparedComputation, 'key'> {
  const { isDepthwise } = convolution;
  const values = convolutionValues(convolution);
  const told = tf.tensor(values.weight, [...convolution.weight]);
  const filter = isDepthwise ? tf.expandDims(told, 3) : tf.transpose(told, [1, 2, 3, 0]);
  told.dispose();
  const inputs: ConvolutionInputs = {
    picture: tf.tensor(values.picture, [...convolution.picture]),
    filter,
    output: tf.tensor(values.output, [...convolution.output]),
  };
  const compute = callOf(convolution, pass, inputs);
  return {
    compute,
    asTold: (result) => (pass === 'weightGradient' && !isDepthwise ? tf.transpose(result, [3, 0, 1, 2]) : result),
    dispose: () => tf.dispose({ ...inputs }),
  };
}

function callOf(
  { isDepthwise, stride, padding }: Convolution,
  pass: Pass,
  { picture, filter, output }: ConvolutionInputs,
): () => tf.Tensor {
  const [top, bottom, left, right] = padding;
  const isEven = padding.every((side) => side === top);
  const attributes = {
    strides: [...stride],
    pad: isEven
      ? top
      : [
          [0, 0],
          [top, bottom],
          [left, right],
          [0, 0],
        ],
    ...(isEven && { dimRoundingMode: 'floor' }),
    dataFormat: 'NHWC',
    dilations: [1, 1],
  };
  const name = isDepthwise ? 'DepthwiseConv2dNative' : 'Conv2D';
  const run = (kernel: string, tensors: Record<string, tf.Tensor>, own: object): tf.Tensor =>
    tf.engine().runKernel<tf.Tensor>(kernel, tensors, { ...attributes, ...own });
  switch (pass) {
    case 'forward':
      return () => run(name, { x: picture, filter }, {});
    case 'inputGradient':
      return () => run(`${name}BackpropInput`, { dy: output, filter }, { inputShape: picture.shape });
    case 'weightGradient':
      return () => run(`${name}BackpropFilter`, { x: picture, dy: output }, { filterShape: filter.shape });
  }
}

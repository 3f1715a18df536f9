import { type Array as JaxArray, jit, lax, numpy as np, vjp } from '@jax-js/jax';
import { type Convolution, convolutionValues, type Pass } from '../convolutions.js';
import { makeMatrices } from '../matrices.js';
import type { Computation } from '../protocol.js';

/** A computation with its inputs on the device. */
export interface PreparedComputation {
  /** Which it is. */
  readonly key: string;
  compute(): JaxArray;
  /** The result in the layout that `Computation` tells. */
  asTold(result: JaxArray): JaxArray;
  dispose(): void;
}

/** Makes the inputs. */
export function prepareComputation(computation: Computation): Omit<PreparedComputation, 'key'> {
  return computation.compute === 'product'
    ? prepareProduct(computation.size)
    : prepareConvolution(computation.convolution, computation.pass);
}

function prepareProduct(size: number): Omit<PreparedComputation, 'key'> {
  const multiply = jit((a: JaxArray, b: JaxArray) => np.matmul(a, b));
  const [a, b] = makeMatrices(size).map((values) => np.array(values).reshape([size, size])) as [JaxArray, JaxArray];
  return {
    compute: () => multiply(a.ref, b.ref),
    asTold: (result) => result,
    dispose() {
      for (const factor of [a, b]) factor.dispose();
    },
  };
}

/** Pictures are [N, channels, height, width] here, weights [out, in / groups, height, width]. */
function prepareConvolution(convolution: Convolution, pass: Pass): Omit<PreparedComputation, 'key'> {
  const { isDepthwise, stride, padding } = convolution;
  const values = convolutionValues(convolution);
  const [channelsFirst, channelsLast] = [
    [0, 3, 1, 2],
    [0, 2, 3, 1],
  ];
  const made = (data: Float32Array, shape: readonly number[]): JaxArray => np.array(data).reshape([...shape]);
  const picture = np.transpose(made(values.picture, convolution.picture), channelsFirst);
  const output = np.transpose(made(values.output, convolution.output), channelsFirst);
  const [R = 0, S = 0, C = 0] = convolution.weight;
  const weight = isDepthwise
    ? np.transpose(made(values.weight, [R, S, C, 1]), [2, 3, 0, 1])
    : np.transpose(made(values.weight, convolution.weight), channelsFirst);
  const [top, bottom, left, right] = padding;
  const convolve = (x: JaxArray, w: JaxArray): JaxArray =>
    lax.convGeneralDilated(
      x,
      w,
      [...stride],
      [
        [top, bottom],
        [left, right],
      ],
      { featureGroupCount: isDepthwise ? C : 1 },
    );
  const passes = {
    forward: jit(convolve),
    inputGradient: jit((x: JaxArray, w: JaxArray, dy: JaxArray) => gradientOf((input) => convolve(input, w), x, dy)),
    weightGradient: jit((x: JaxArray, w: JaxArray, dy: JaxArray) => gradientOf((input) => convolve(x, input), w, dy)),
  };
  return {
    compute: () =>
      pass === 'forward' ? passes.forward(picture.ref, weight.ref) : passes[pass](picture.ref, weight.ref, output.ref),
    asTold: (result) => np.transpose(result, pass === 'weightGradient' && isDepthwise ? [2, 3, 0, 1] : channelsLast),
    dispose() {
      for (const owned of [picture, weight, output]) owned.dispose();
    },
  };
}

function gradientOf(f: (input: JaxArray) => JaxArray, input: JaxArray, outputGradient: JaxArray): JaxArray {
  const [value, pullBack] = vjp(f, [input]);
  value.dispose();
  const [gradient] = pullBack(outputGradient) as [JaxArray];
  pullBack.dispose();
  return gradient;
}

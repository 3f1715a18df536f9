import {
  compile,
  conv2d,
  depthwiseConv2d,
  type Device,
  gradient,
  matmul,
  type Shape,
  type Tensor,
  Variable,
} from '../../../lib/index.js';
import { type Convolution, convolutionValues, type Pass } from '../convolutions.js';
import { makeMatrices } from '../matrices.js';
import type { Computation } from '../protocol.js';

/** A computation with its inputs on the device. */
export interface PreparedComputation {
  /** Which it is. */
  readonly key: string;
  compute(): Promise<Tensor>;
  dispose(): void;
}

/** Puts the inputs into variables and compiles what is computed of them. */
export function prepareComputation(computation: Computation, device: Device): Omit<PreparedComputation, 'key'> {
  if (computation.compute === 'convolution') {
    const { convolution, pass } = computation;
    const { picture, weight, output } = convolutionValues(convolution);
    return prepare(
      [
        ['picture', picture, convolution.picture],
        ['weight', weight, convolution.weight],
        ['output', output, convolution.output],
      ],
      (tensors) => computePass(convolution, pass, tensors),
      device,
    );
  }
  const { size } = computation;
  const [a, b] = makeMatrices(size);
  return prepare(
    [
      ['a', a, [size, size]],
      ['b', b, [size, size]],
    ],
    ([left, right]) => matmul(left, right),
    device,
  );
}

type Inputs = readonly (readonly [name: string, data: Float32Array, shape: Shape])[];
type TensorsOf<I extends Inputs> = { readonly [At in keyof I]: Tensor };

function prepare<const I extends Inputs>(inputs: I, compute: (tensors: TensorsOf<I>) => Tensor, device: Device) {
  const variables = inputs.map((input) => new Variable(...input));
  const compiled = compile(() => compute(variables.map(({ value }) => value) as TensorsOf<I>), { device });
  return {
    compute: () => compiled(),
    dispose() {
      for (const owned of [...variables, compiled]) owned.dispose();
    },
  };
}

function computePass(
  { isDepthwise, stride, padding }: Convolution,
  pass: Pass,
  [picture, weight, output]: readonly [Tensor, Tensor, Tensor],
): Tensor {
  const forward = (isDepthwise ? depthwiseConv2d : conv2d)(picture, weight, { stride, padding });
  if (pass === 'forward') return forward;
  const [found] = gradient(forward, [pass === 'inputGradient' ? picture : weight], output);
  if (!found) throw new Error('gradient() gave nothing');
  return found;
}

import { DataError, type Device, dropout, flatten, linear, Parameter, run, type Tensor } from '../../lib/index.js';
import { formatShape, sameShape } from '../../lib/shape.js';
import type { Attributes } from './attributes.js';
import type { Comparison } from './compare.js';
import type { LoadedCase } from './loaded-case.js';
import { activate } from './operations.js';
import { sibling } from './sibling.js';

const EXACT = { rtol: 0, atol: 0 };

/** What a step drops before the last layer. */
export interface Drop {
  readonly probability: number;
  /** [rows, units], 1 where a value is kept. */
  readonly mask: Tensor;
}

interface Layer {
  readonly weight: Parameter;
  readonly bias: Parameter;
  /** What is applied to the layer's output, by its name in the vectors. */
  readonly activation: string;
}

/**
 * Linear layers `fc1`, `fc2` … of the given `sizes`, with `activations` behind them (one a layer; that of the last one
 * may be left out) and dropout before the last one. Without that attribute the last hidden layer has ReLU and the
 * others have nothing, as in the article's nets.
 */
export class Network {
  readonly #layers: readonly Layer[];
  readonly #attributes: Attributes;

  /**
   * @param init the case of the first weights
   * @param attributes what says how the net is made, where `init` does not
   */
  constructor(init: LoadedCase, attributes = init.attributes) {
    const whose = (name: string) => (attributes.has(name) ? attributes : init.attributes);
    const sizes = whose('sizes').numbers('sizes');
    const last = sizes.length - 2;
    const isTold = whose('activations').has('activations');
    const activations = isTold ? whose('activations').texts('activations') : [];
    if (isTold && activations.length !== last && activations.length !== last + 1) {
      throw new DataError(`${activations.length} activations do not fit ${last + 1} layers`);
    }
    this.#attributes = attributes;
    this.#layers = sizes.slice(1).map((units, i) => ({
      weight: parameterOf(init, `fc${i + 1}.weight`, [units, sizes[i] ?? NaN]),
      bias: parameterOf(init, `fc${i + 1}.bias`, [units]),
      activation: activations[i] ?? (!isTold && i === last - 1 ? 'relu' : 'none'),
    }));
  }

  /** Weights and biases, in the order of the layers. */
  get parameters(): Parameter[] {
    return this.#layers.flatMap(({ weight, bias }) => [weight, bias]);
  }

  /** x [N, ..] → logits [N, classes] */
  forward(x: Tensor, drop?: Drop): Tensor {
    let value = flatten(x);
    for (const [i, { weight, bias, activation }] of this.#layers.entries()) {
      if (drop && i === this.#layers.length - 1) value = dropout(value, drop);
      value = activate(linear(value, weight, bias), activation, this.#attributes);
    }
    return value;
  }
}

/** `mynet_init`: the first weights come back from the device as they were; layers fit together, rows are in range. */
export async function runInit(loaded: LoadedCase, device: Device): Promise<Comparison[]> {
  const { parameters } = new Network(loaded);
  const { data: order } = loaded.values('order');
  const photos = (await sibling(loaded, 'mynet_data')).values('train.labels').data.length;
  const stray = Array.from(order).find((row) => !Number.isInteger(row) || row < -1 || row >= photos);
  if (stray !== undefined) throw new DataError(`order has the row ${stray} of ${photos} photos`);
  const results = await run(() => parameters.map(({ value }) => value), { device });
  return Promise.all(
    parameters.map(async ({ name, shape }, i) => {
      const data = await results[i]?.data();
      return { name, got: data && { shape, data }, expected: loaded.values(name), ...EXACT };
    }),
  );
}

function parameterOf(init: LoadedCase, name: string, expected: readonly number[]): Parameter {
  const { shape, data } = init.values(name);
  if (sameShape(shape, expected)) return new Parameter(name, Float32Array.from(data), shape);
  throw new DataError(`${name} has the shape ${formatShape(shape)}, the sizes of the net say ${formatShape(expected)}`);
}

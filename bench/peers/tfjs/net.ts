import * as tf from '@tensorflow/tfjs';
import { type LayerDescription, type NetDescription, NET_CLASSES, parametricLayers } from '../../nets/description.js';
import { CHANNELS, makeNetWorkload, NET_BATCHES, NET_LEARNING_RATE, NET_MOMENTUM } from '../../nets/workload.js';
import type { PlainTensor } from '../../step/workload.js';

/** Of batch norm, as PyTorch has them. */
const EPSILON = 1e-5;
const RUNNING_MOMENTUM = 0.1;

interface Batch {
  readonly pictures: tf.Tensor4D;
  readonly labels: tf.Tensor;
}

/** A convolutional net and its training step, with low-level operations: pictures [N, height, width, channels]. */
export class NetTraining {
  readonly #net: NetDescription;
  readonly #batches: readonly Batch[];
  readonly #parameters = new Map<string, tf.Variable>();
  /** Of batch norms, by name. */
  readonly #running = new Map<string, { readonly mean: tf.Variable; readonly variance: tf.Variable }>();
  readonly #optimizer = tf.train.momentum(NET_LEARNING_RATE, NET_MOMENTUM);
  #stepsDone = 0;

  constructor(net: NetDescription) {
    this.#net = net;
    const { batch, pictureSize } = net;
    const { pictures, labels, parameters } = makeNetWorkload(net);
    const numbers = batch * pictureSize ** 2 * CHANNELS;
    this.#batches = Array.from({ length: NET_BATCHES }, (_, i) => ({
      pictures: tf.tensor4d(pictures.slice(i * numbers, (i + 1) * numbers), [
        batch,
        pictureSize,
        pictureSize,
        CHANNELS,
      ]),
      labels: tf.tidy(() => {
        const classes = tf.tensor1d([...labels.slice(i * batch, (i + 1) * batch)], 'int32');
        return tf.oneHot(classes, NET_CLASSES).toFloat();
      }),
    }));
    for (const [name, values] of parameters) this.#parameters.set(name, variableOf(values));
    for (const layer of parametricLayers(net.layers)) {
      if (layer.layer !== 'batchNorm') continue;
      const constant = (value: number): tf.Variable => tf.variable(tf.fill([layer.channels], value), false);
      this.#running.set(layer.name, { mean: constant(0), variance: constant(1) });
    }
  }

  /** Trains on the next batch; its loss. */
  step(): tf.Scalar {
    const batch = this.#batches[this.#stepsDone++ % NET_BATCHES];
    if (!batch) throw new Error('there are no batches');
    const lossOf = (): tf.Scalar => {
      const logits = this.#all(this.#net.layers, batch.pictures);
      return tf.losses.softmaxCrossEntropy(batch.labels, logits).asScalar();
    };
    const loss = this.#optimizer.minimize(lossOf, true, [...this.#parameters.values()]);
    if (!loss) throw new Error('minimize() gave no loss');
    return loss;
  }

  dispose(): void {
    tf.dispose([...this.#parameters.values()]);
    tf.dispose([...this.#running.values()].map(({ mean, variance }) => [mean, variance]));
    tf.dispose(this.#batches.map(({ pictures, labels }) => [pictures, labels]));
    this.#optimizer.dispose();
  }

  #all(layers: readonly LayerDescription[], input: tf.Tensor): tf.Tensor {
    return layers.reduce((value, layer) => this.#one(layer, value), input);
  }

  #one(layer: LayerDescription, input: tf.Tensor): tf.Tensor {
    switch (layer.layer) {
      case 'conv': {
        const weight = this.#parameter(`${layer.name}.weight`) as tf.Tensor4D;
        const convolve = layer.groups === 1 ? tf.conv2d : tf.depthwiseConv2d;
        return convolve(input as tf.Tensor4D, weight, layer.stride, (layer.kernel - 1) / 2, 'NHWC', 1, 'floor');
      }
      case 'batchNorm':
        return this.#batchNorm(layer.name, input);
      case 'dense':
        return tf.add(tf.matMul(input, this.#parameter(`${layer.name}.weight`)), this.#parameter(`${layer.name}.bias`));
      case 'relu':
        return tf.relu(input);
      case 'relu6':
        return tf.relu6(input);
      case 'maxPool':
        return tf.maxPool(input as tf.Tensor4D, layer.size, layer.stride, (layer.size - 1) / 2, 'floor');
      case 'globalAveragePool':
        return tf.mean(input, [1, 2]);
      case 'residual':
        return tf.add(this.#all(layer.body, input), this.#all(layer.shortcut, input));
    }
  }

  #batchNorm(name: string, input: tf.Tensor): tf.Tensor {
    const { mean, variance } = tf.moments(input, [0, 1, 2]);
    const running = this.#running.get(name);
    if (!running) throw new Error(`there is no batch norm ${name}`);
    const count = input.size / mean.size;
    const move = (to: tf.Variable, value: tf.Tensor): void =>
      to.assign(tf.add(tf.mul(to, 1 - RUNNING_MOMENTUM), tf.mul(value, RUNNING_MOMENTUM)));
    move(running.mean, mean);
    move(running.variance, tf.mul(variance, count / (count - 1)));
    const [weight, bias] = [this.#parameter(`${name}.weight`), this.#parameter(`${name}.bias`)];
    return tf.batchNorm(
      input as tf.Tensor4D,
      mean as tf.Tensor1D,
      variance as tf.Tensor1D,
      bias as tf.Tensor1D,
      weight as tf.Tensor1D,
      EPSILON,
    );
  }

  #parameter(name: string): tf.Tensor {
    const parameter = this.#parameters.get(name);
    if (!parameter) throw new Error(`there is no parameter ${name}`);
    return parameter;
  }
}

/** From PyTorch's layouts: [out, in, height, width] to [height, width, in, out], [channels, 1, ..] to [.., channels, 1]. */
function variableOf({ data, shape }: PlainTensor): tf.Variable {
  return tf.tidy(() => {
    const told = tf.tensor(data, [...shape]);
    const order = shape.length === 4 ? (shape[1] === 1 ? [2, 3, 0, 1] : [2, 3, 1, 0]) : [...shape.keys()].reverse();
    return tf.variable(tf.transpose(told, order));
  });
}

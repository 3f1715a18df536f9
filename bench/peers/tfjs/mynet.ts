import * as tf from '@tensorflow/tfjs';
import {
  BATCH,
  BATCHES,
  batchRange,
  CLASSES,
  INPUTS,
  LEARNING_RATE,
  makeWorkload,
  MOMENTUM,
  type ParameterName,
  transposed,
} from '../../step/workload.js';

interface Batch {
  readonly inputs: tf.Tensor2D;
  readonly labels: tf.Tensor;
}

/**
 * MyNet's parameters, weights as kernels [in, out], which is this library's own layout. With [out, in] its WebGPU backend
 * computes something else: the product with a transposed second matrix is wrong there where the inner size is large.
 */
type Parameters = Readonly<Record<ParameterName, tf.Variable>>;

/** MyNet and its training step. */
export class MyNetTraining {
  readonly #batches: readonly Batch[];
  readonly #parameters: Parameters;
  readonly #optimizer = tf.train.momentum(LEARNING_RATE, MOMENTUM);
  readonly #dropout: number;
  #stepsDone = 0;

  constructor(dropout: number) {
    const work = makeWorkload();
    const labels = tf.oneHot(tf.tensor1d([...work.labels], 'int32'), CLASSES).toFloat();
    this.#batches = Array.from({ length: BATCHES }, (_, batch) => {
      const [start, end] = batchRange(batch);
      const pictures = work.pictures.slice(start * INPUTS, end * INPUTS);
      return {
        inputs: tf.tensor2d(pictures, [BATCH, INPUTS]),
        labels: tf.slice(labels, [start, 0], [BATCH, CLASSES]),
      };
    });
    const variable = (name: ParameterName): tf.Variable => {
      const plain = work.parameters[name];
      const { data, shape } = plain.shape.length === 2 ? transposed(plain) : plain;
      return tf.variable(tf.tensor(data, [...shape]));
    };
    this.#parameters = {
      'fc1.weight': variable('fc1.weight'),
      'fc1.bias': variable('fc1.bias'),
      'fc2.weight': variable('fc2.weight'),
      'fc2.bias': variable('fc2.bias'),
    };
    this.#dropout = dropout;
  }

  /** Trains on the next batch; its loss. */
  step(): tf.Scalar {
    const batch = this.#batches[this.#stepsDone++ % BATCHES];
    if (!batch) throw new Error('there are no batches');
    const loss = this.#optimizer.minimize(() => this.#lossOf(batch), true);
    if (!loss) throw new Error('minimize() gave no loss');
    return loss;
  }

  dispose(): void {
    tf.dispose(this.#parameters);
    tf.dispose(this.#batches.flatMap(({ inputs, labels }) => [inputs, labels]));
    this.#optimizer.dispose();
  }

  #lossOf({ inputs, labels }: Batch): tf.Scalar {
    const dense = (input: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor =>
      tf.add(tf.matMul(input, weight), bias);
    const hidden = tf.relu(dense(inputs, this.#parameters['fc1.weight'], this.#parameters['fc1.bias']));
    const kept = this.#dropout > 0 ? tf.dropout(hidden, this.#dropout) : hidden;
    const logits = dense(kept, this.#parameters['fc2.weight'], this.#parameters['fc2.bias']);
    return tf.losses.softmaxCrossEntropy(labels, logits).asScalar();
  }
}

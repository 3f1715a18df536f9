import * as tf from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import {
  BATCHES,
  batchRange,
  CLASSES,
  INPUTS,
  BATCH,
  LEARNING_RATE,
  makeWorkload,
  MOMENTUM,
  transposed,
  type ParameterName,
  type Workload,
} from '../step/workload.js';
import { describeAdapter } from './dawn.js';
import { makeMatrices } from './matrices.js';
import type { Library } from './protocol.js';

type BackendName = 'webgpu' | 'wasm' | 'cpu';

const DESCRIPTIONS: Readonly<Record<Exclude<BackendName, 'webgpu'>, string>> = {
  wasm: 'WebAssembly, 1 thread',
  cpu: 'plain JavaScript',
};

/** TensorFlow.js with one of its backends. */
export async function openTensorFlow(backend: BackendName): Promise<Library> {
  if (backend === 'webgpu') await import('@tensorflow/tfjs-backend-webgpu');
  if (backend === 'wasm') await import('@tensorflow/tfjs-backend-wasm');
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs has no backend ${backend} here`);
  await tf.ready();
  tf.enableProdMode();
  return new TensorFlow(backend === 'webgpu' ? await describeAdapter() : DESCRIPTIONS[backend]);
}

interface Batch {
  readonly inputs: tf.Tensor2D;
  readonly labels: tf.Tensor;
}

/**
 * MyNet's parameters, weights as kernels [in, out], which is this library's own layout. With [out, in] its WebGPU backend
 * computes something else: the product with a transposed second matrix is wrong there where the inner size is large.
 */
type Parameters = Readonly<Record<ParameterName, tf.Variable>>;

interface Training {
  readonly parameters: Parameters;
  readonly optimizer: tf.MomentumOptimizer;
  readonly dropout: number;
}

interface Product {
  readonly size: number;
  readonly factors: readonly [tf.Tensor2D, tf.Tensor2D];
  last: tf.Tensor | undefined;
}

class TensorFlow implements Library {
  readonly description: string;
  readonly #work: Workload = makeWorkload();
  readonly #batches: readonly Batch[];
  #training: Training | undefined;
  #product: Product | undefined;
  #stepsDone = 0;

  constructor(description: string) {
    this.description = description;
    const classes = tf.tensor1d([...this.#work.labels], 'int32');
    const labels = tf.oneHot(classes, CLASSES).toFloat();
    this.#batches = Array.from({ length: BATCHES }, (_, batch) => {
      const [start, end] = batchRange(batch);
      const pictures = this.#work.pictures.slice(start * INPUTS, end * INPUTS);
      return {
        inputs: tf.tensor2d(pictures, [BATCH, INPUTS]),
        labels: tf.slice(labels, [start, 0], [BATCH, CLASSES]),
      };
    });
  }

  prepare(dropout: number): Promise<void> {
    for (const old of Object.values(this.#training?.parameters ?? {})) old.dispose();
    this.#training?.optimizer.dispose();
    const variable = (name: ParameterName): tf.Variable => {
      const plain = this.#work.parameters[name];
      const { data, shape } = plain.shape.length === 2 ? transposed(plain) : plain;
      return tf.variable(tf.tensor(data, [...shape]));
    };
    this.#training = {
      parameters: {
        'fc1.weight': variable('fc1.weight'),
        'fc1.bias': variable('fc1.bias'),
        'fc2.weight': variable('fc2.weight'),
        'fc2.bias': variable('fc2.bias'),
      },
      optimizer: tf.train.momentum(LEARNING_RATE, MOMENTUM),
      dropout,
    };
    this.#stepsDone = 0;
    return Promise.resolve();
  }

  async train(steps: number, readEvery: number): Promise<void> {
    for (let i = 1; i <= steps; i++) {
      const loss = this.#step();
      if (i % readEvery === 0) await loss.data();
      loss.dispose();
    }
    await this.#finished();
  }

  async losses(steps: number): Promise<number[]> {
    const losses: number[] = [];
    for (let i = 0; i < steps; i++) {
      const loss = this.#step();
      losses.push(...(await loss.data()));
      loss.dispose();
    }
    return losses;
  }

  async multiply(size: number, times: number): Promise<void> {
    const product = this.#productOf(size);
    for (let i = 0; i < times; i++) {
      product.last?.dispose();
      product.last = tf.matMul(...product.factors);
    }
    await this.#finished();
  }

  async productElement(size: number, row: number, column: number): Promise<number> {
    await this.multiply(size, 1);
    const values = await this.#product?.last?.data();
    return values?.[row * size + column] ?? NaN;
  }

  #step(): tf.Scalar {
    const batch = this.#batches[this.#stepsDone++ % BATCHES];
    const training = this.#training;
    if (!batch || !training) throw new Error('prepare() comes first');
    const loss = training.optimizer.minimize(() => lossOf(batch, training), true);
    if (!loss) throw new Error('minimize() gave no loss');
    return loss;
  }

  /** WebGPU: its compute pass is ended and its queue submitted and waited for; the others compute at once. */
  async #finished(): Promise<void> {
    if (tf.getBackend() !== 'webgpu') return;
    const backend = tf.backend() as WebGPUBackend;
    backend.ensureCommandEncoderReady();
    backend.endComputePassEncoder();
    backend.submitQueue();
    await backend.queue.onSubmittedWorkDone();
  }

  #productOf(size: number): Product {
    if (this.#product?.size === size) return this.#product;
    for (const old of this.#product?.factors ?? []) old.dispose();
    this.#product?.last?.dispose();
    const [a, b] = makeMatrices(size);
    this.#product = {
      size,
      factors: [tf.tensor2d(a, [size, size]), tf.tensor2d(b, [size, size])],
      last: undefined,
    };
    return this.#product;
  }
}

function lossOf({ inputs, labels }: Batch, { parameters, dropout }: Training): tf.Scalar {
  const dense = (input: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor =>
    tf.add(tf.matMul(input, weight), bias);
  const hidden = tf.relu(dense(inputs, parameters['fc1.weight'], parameters['fc1.bias']));
  const kept = dropout > 0 ? tf.dropout(hidden, dropout) : hidden;
  const logits = dense(kept, parameters['fc2.weight'], parameters['fc2.bias']);
  return tf.losses.softmaxCrossEntropy(labels, logits).asScalar();
}

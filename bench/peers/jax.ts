import {
  type Array as JaxArray,
  defaultDevice,
  init,
  jit,
  nn,
  numpy as np,
  random,
  tree,
  valueAndGrad,
  blockUntilReady,
} from '@jax-js/jax';
import {
  BATCH,
  BATCHES,
  batchRange,
  CLASSES,
  HIDDEN,
  INPUTS,
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

/** jax-js on one of its devices. Its functions take their arguments over: what is used again goes in as `.ref`. */
export async function openJax(device: 'wasm' | 'webgpu'): Promise<Library> {
  const available = await init(device);
  if (!available.includes(device)) throw new Error(`jax-js has no device ${device} here`);
  defaultDevice(device);
  return new Jax(device === 'webgpu' ? await describeAdapter() : 'WebAssembly, 1 thread');
}

/** As often as the loss is read where it is. */
const STEPS_BETWEEN_WAITS = 10;

/** Dropout masks repeat after so many steps. */
const KEYS = 97;

/** Weights are [out, in] as PyTorch has them. A type and not an interface: jax-js's trees ask for it. */
type Net = { w1: JaxArray; b1: JaxArray; w2: JaxArray; b2: JaxArray };

type State = { net: Net; velocity: Net };

interface Batch {
  readonly inputs: JaxArray;
  readonly labels: JaxArray;
}

type Step = (state: State, key: JaxArray, inputs: JaxArray, labels: JaxArray) => { state: State; loss: JaxArray };

interface Product {
  readonly size: number;
  readonly factors: readonly [JaxArray, JaxArray];
  last: JaxArray | undefined;
}

class Jax implements Library {
  readonly description: string;
  readonly #work: Workload = makeWorkload();
  readonly #batches: readonly Batch[];
  /** Keys of dropout masks, made beforehand: splitting one at each step would cost the step a few dispatches. */
  readonly #keys: readonly JaxArray[] = Array.from({ length: KEYS }, (_, seed) => random.key(seed));
  readonly #multiply = jit((a: JaxArray, b: JaxArray) => np.matmul(a, b));
  #step: Step | undefined;
  #state: State | undefined;
  #product: Product | undefined;
  #stepsDone = 0;

  constructor(description: string) {
    this.description = description;
    this.#batches = Array.from({ length: BATCHES }, (_, batch) => {
      const [start, end] = batchRange(batch);
      const pictures = np.array(this.#work.pictures.slice(start * INPUTS, end * INPUTS));
      const labels = np.array(this.#work.labels.slice(start, end));
      return { inputs: pictures.reshape([BATCH, INPUTS]), labels: nn.oneHot(labels, CLASSES) };
    });
  }

  async prepare(dropout: number): Promise<void> {
    if (this.#state) tree.dispose(this.#state);
    const parameter = (name: ParameterName): JaxArray => {
      const plain = this.#work.parameters[name];
      const { data, shape } = plain.shape.length === 2 ? transposed(plain) : plain;
      return np.array(data.slice()).reshape([...shape]);
    };
    const net: Net = {
      w1: parameter('fc1.weight'),
      b1: parameter('fc1.bias'),
      w2: parameter('fc2.weight'),
      b2: parameter('fc2.bias'),
    };
    const velocity: Net = {
      w1: np.zeros([INPUTS, HIDDEN]),
      b1: np.zeros([HIDDEN]),
      w2: np.zeros([HIDDEN, CLASSES]),
      b2: np.zeros([CLASSES]),
    };
    this.#state = { net, velocity };
    this.#step = makeStep(dropout);
    this.#stepsDone = 0;
    await blockUntilReady(this.#state);
  }

  async train(steps: number, readEvery: number): Promise<void> {
    for (let i = 1; i <= steps; i++) {
      const loss = this.#next();
      if (i % readEvery === 0) await loss.data();
      else loss.dispose();
      // What is no longer used is freed only once the queue was waited for.
      if (i % STEPS_BETWEEN_WAITS === 0) await blockUntilReady(this.#state);
    }
    await blockUntilReady(this.#state);
  }

  async losses(steps: number): Promise<number[]> {
    const losses: number[] = [];
    for (let i = 0; i < steps; i++) losses.push(...(await this.#next().data()));
    return losses;
  }

  async multiply(size: number, times: number): Promise<void> {
    const product = this.#productOf(size);
    const [a, b] = product.factors;
    for (let i = 0; i < times; i++) {
      product.last?.dispose();
      product.last = this.#multiply(a.ref, b.ref);
      // It is lazy: a product that is thrown away before anyone waits for it is never computed.
      await blockUntilReady(product.last);
    }
  }

  async productElement(size: number, row: number, column: number): Promise<number> {
    await this.multiply(size, 1);
    const values = await this.#product?.last?.ref.data();
    return values?.[row * size + column] ?? NaN;
  }

  #next(): JaxArray {
    const batch = this.#batches[this.#stepsDone % BATCHES];
    const key = this.#keys[this.#stepsDone % KEYS];
    if (!batch || !key || !this.#step || !this.#state) throw new Error('prepare() comes first');
    this.#stepsDone++;
    const { state, loss } = this.#step(this.#state, key.ref, batch.inputs.ref, batch.labels.ref);
    this.#state = state;
    return loss;
  }

  #productOf(size: number): Product {
    if (this.#product?.size === size) return this.#product;
    for (const old of this.#product?.factors ?? []) old.dispose();
    this.#product?.last?.dispose();
    const [a, b] = makeMatrices(size);
    this.#product = {
      size,
      factors: [np.array(a).reshape([size, size]), np.array(b).reshape([size, size])],
      last: undefined,
    };
    return this.#product;
  }
}

/** One step with SGD and momentum, all of it in one `jit`. */
function makeStep(dropout: number): Step {
  const lossOf = (net: Net, key: JaxArray, inputs: JaxArray, labels: JaxArray): JaxArray => {
    const hidden = nn.relu(np.matmul(inputs, net.w1).add(net.b1));
    const kept = dropped(hidden, key, dropout);
    const logits = np.matmul(kept, net.w2).add(net.b2);
    return nn
      .logSoftmax(logits)
      .mul(labels)
      .sum()
      .mul(-1 / BATCH);
  };
  return jit((state: State, key: JaxArray, inputs: JaxArray, labels: JaxArray) => {
    const [loss, gradient] = valueAndGrad(lossOf)(tree.ref(state.net), key, inputs, labels);
    const velocity = tree.map(
      (v: JaxArray, g: JaxArray) => v.mul(MOMENTUM).add(g),
      state.velocity,
      gradient as Net,
    ) as Net;
    const net = tree.map(
      (p: JaxArray, v: JaxArray) => p.sub(v.mul(LEARNING_RATE)),
      state.net,
      tree.ref(velocity),
    ) as Net;
    return { state: { net, velocity }, loss };
  }) as Step;
}

function dropped(hidden: JaxArray, key: JaxArray, dropout: number): JaxArray {
  if (dropout === 0) {
    key.dispose();
    return hidden;
  }
  const mask = random.bernoulli(key, 1 - dropout, [BATCH, HIDDEN]);
  return np.where(mask, hidden.mul(1 / (1 - dropout)), 0);
}

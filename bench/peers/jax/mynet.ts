import { type Array as JaxArray, jit, nn, numpy as np, random, tree, valueAndGrad } from '@jax-js/jax';
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
  type ParameterName,
  transposed,
} from '../../step/workload.js';

/** Dropout masks repeat after so many steps. */
const KEYS = 97;

/** Weights are [in, out]. A type and not an interface: jax-js's trees ask for it. */
type Net = { w1: JaxArray; b1: JaxArray; w2: JaxArray; b2: JaxArray };

type State = { net: Net; velocity: Net };

interface Batch {
  readonly inputs: JaxArray;
  readonly labels: JaxArray;
}

type Step = (state: State, key: JaxArray, inputs: JaxArray, labels: JaxArray) => { state: State; loss: JaxArray };

/** MyNet and its training step. */
export class MyNetTraining {
  readonly #batches: readonly Batch[];
  /** Keys of dropout masks, made beforehand: splitting one at each step would cost the step a few dispatches. */
  readonly #keys: readonly JaxArray[] = Array.from({ length: KEYS }, (_, seed) => random.key(seed));
  readonly #step: Step;
  #state: State;
  #stepsDone = 0;

  constructor(dropout: number) {
    const work = makeWorkload();
    this.#batches = Array.from({ length: BATCHES }, (_, batch) => {
      const [start, end] = batchRange(batch);
      const pictures = np.array(work.pictures.slice(start * INPUTS, end * INPUTS));
      const labels = np.array(work.labels.slice(start, end));
      return { inputs: pictures.reshape([BATCH, INPUTS]), labels: nn.oneHot(labels, CLASSES) };
    });
    const parameter = (name: ParameterName): JaxArray => {
      const plain = work.parameters[name];
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
  }

  /** What is to be waited for. */
  get state(): State {
    return this.#state;
  }

  /** Trains on the next batch; its loss. */
  step(): JaxArray {
    const batch = this.#batches[this.#stepsDone % BATCHES];
    const key = this.#keys[this.#stepsDone % KEYS];
    if (!batch || !key) throw new Error('there are no batches');
    this.#stepsDone++;
    const { state, loss } = this.#step(this.#state, key.ref, batch.inputs.ref, batch.labels.ref);
    this.#state = state;
    return loss;
  }

  dispose(): void {
    tree.dispose(this.#state);
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

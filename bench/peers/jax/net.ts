import { type Array as JaxArray, jit, lax, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import { type LayerDescription, type NetDescription, NET_CLASSES, parametricLayers } from '../../nets/description.js';
import { CHANNELS, makeNetWorkload, NET_BATCHES, NET_LEARNING_RATE, NET_MOMENTUM } from '../../nets/workload.js';

/** Of batch norm, as PyTorch has them. */
const EPSILON = 1e-5;
const RUNNING_MOMENTUM = 0.1;

/** Arrays by name: a tree of jax-js. */
type Arrays = Record<string, JaxArray>;

type State = { parameters: Arrays; velocities: Arrays; running: Arrays };

type Step = (state: State, pictures: JaxArray, labels: JaxArray) => { state: State; loss: JaxArray };

interface Batch {
  readonly pictures: JaxArray;
  readonly labels: JaxArray;
}

/** A convolutional net and its training step, all of it in one `jit`: pictures [N, channels, height, width]. */
export class NetTraining {
  readonly #batches: readonly Batch[];
  readonly #step: Step;
  #state: State;
  #stepsDone = 0;

  constructor(net: NetDescription) {
    const { batch, pictureSize } = net;
    const { pictures, labels, parameters } = makeNetWorkload(net);
    const numbers = batch * pictureSize ** 2 * CHANNELS;
    this.#batches = Array.from({ length: NET_BATCHES }, (_, i) => {
      const rows = np.array(pictures.slice(i * numbers, (i + 1) * numbers));
      return {
        pictures: np.transpose(rows.reshape([batch, pictureSize, pictureSize, CHANNELS]), [0, 3, 1, 2]),
        labels: nn.oneHot(np.array(labels.slice(i * batch, (i + 1) * batch)), NET_CLASSES),
      };
    });
    const all = [...parameters];
    const norms = parametricLayers(net.layers).filter((layer) => layer.layer === 'batchNorm');
    this.#state = {
      parameters: Object.fromEntries(
        all.map(([name, { data, shape }]) => [name, np.array(data.slice()).reshape([...shape])]),
      ),
      velocities: Object.fromEntries(all.map(([name, { shape }]) => [name, np.zeros([...shape])])),
      running: Object.fromEntries(
        norms.flatMap(({ name, channels }) => [
          [`${name}.mean`, np.zeros([channels])],
          [`${name}.variance`, np.ones([channels])],
        ]),
      ),
    };
    this.#step = makeStep(net);
  }

  /** What is to be waited for. */
  get state(): State {
    return this.#state;
  }

  /** Trains on the next batch; its loss. */
  step(): JaxArray {
    const batch = this.#batches[this.#stepsDone++ % NET_BATCHES];
    if (!batch) throw new Error('there are no batches');
    const { state, loss } = this.#step(this.#state, batch.pictures.ref, batch.labels.ref);
    this.#state = state;
    return loss;
  }

  dispose(): void {
    tree.dispose(this.#state);
  }
}

/** A step with SGD and momentum. */
function makeStep({ layers, batch }: NetDescription): Step {
  const lossOf = (parameters: Arrays, running: Arrays, pictures: JaxArray, labels: JaxArray) => {
    const forward = new Forward(parameters, running);
    const logits = forward.all(layers, pictures);
    const loss = nn
      .logSoftmax(logits)
      .mul(labels)
      .sum()
      .mul(-1 / batch);
    return [loss, forward.moved] as [JaxArray, Arrays];
  };
  return jit((state: State, pictures: JaxArray, labels: JaxArray) => {
    const [[loss, running], gradients] = valueAndGrad(lossOf, { hasAux: true })(
      tree.ref(state.parameters),
      state.running,
      pictures,
      labels,
    );
    const velocities = tree.map(
      (v: JaxArray, g: JaxArray) => v.mul(NET_MOMENTUM).add(g),
      state.velocities,
      gradients,
    ) as Arrays;
    const parameters = tree.map(
      (p: JaxArray, v: JaxArray) => p.sub(v.mul(NET_LEARNING_RATE)),
      state.parameters,
      tree.ref(velocities),
    ) as Arrays;
    return { state: { parameters, velocities, running }, loss };
  });
}

/** The layers on given parameters. Each array that is used again goes in as `.ref`. */
class Forward {
  /** The running statistics after this step. */
  readonly moved: Arrays = {};
  readonly #parameters: Arrays;
  readonly #running: Arrays;

  constructor(parameters: Arrays, running: Arrays) {
    this.#parameters = parameters;
    this.#running = running;
  }

  all(layers: readonly LayerDescription[], input: JaxArray): JaxArray {
    return layers.reduce((value, layer) => this.#one(layer, value), input);
  }

  #one(layer: LayerDescription, input: JaxArray): JaxArray {
    switch (layer.layer) {
      case 'conv': {
        const { name, stride, groups } = layer;
        const side = (layer.kernel - 1) / 2;
        return lax.convGeneralDilated(
          input,
          take(this.#parameters, `${name}.weight`),
          [stride, stride],
          [
            [side, side],
            [side, side],
          ],
          { featureGroupCount: groups },
        );
      }
      case 'batchNorm':
        return this.#batchNorm(layer.name, layer.channels, input);
      case 'dense':
        return np
          .matmul(input, np.transpose(take(this.#parameters, `${layer.name}.weight`)))
          .add(take(this.#parameters, `${layer.name}.bias`));
      case 'relu':
        return nn.relu(input);
      case 'relu6':
        return nn.relu6(input);
      case 'maxPool': {
        // Behind a ReLU zeros do what minus infinity would.
        const side = (layer.size - 1) / 2;
        const sides: [number, number] = [side, side];
        const padded = np.pad(input, [[0, 0], [0, 0], sides, sides]);
        return lax.reduceWindow(
          padded,
          (window) => np.max(window),
          [layer.size, layer.size],
          [layer.stride, layer.stride],
        );
      }
      case 'globalAveragePool':
        return np.mean(input, [2, 3]);
      case 'residual':
        return this.all(layer.body, input.ref).add(this.all(layer.shortcut, input));
    }
  }

  #batchNorm(name: string, channels: number, input: JaxArray): JaxArray {
    const [N = 0, , H = 0, W = 0] = input.shape;
    const count = N * H * W;
    const over = [0, 2, 3];
    const mean = np.mean(input.ref, over, { keepdims: true });
    const centred = input.sub(mean.ref);
    const variance = np.mean(np.square(centred.ref), over, { keepdims: true });
    const move = (which: string, value: JaxArray): void => {
      const key = `${name}.${which}`;
      this.moved[key] = take(this.#running, key)
        .mul(1 - RUNNING_MOMENTUM)
        .add(lax.stopGradient(value).reshape([channels]).mul(RUNNING_MOMENTUM));
    };
    move('mean', mean);
    move('variance', variance.ref.mul(count / (count - 1)));
    const asMap = (parameter: string): JaxArray =>
      take(this.#parameters, `${name}.${parameter}`).reshape([1, channels, 1, 1]);
    const scale = asMap('weight').div(np.sqrt(variance.add(EPSILON)));
    return centred.mul(scale).add(asMap('bias'));
  }
}

function take(arrays: Arrays, name: string): JaxArray {
  const found = arrays[name];
  if (!found) throw new Error(`there is no array ${name}`);
  return found;
}

import { loadState, type SafetensorsTensor, SGD, stateOf } from '../../../lib/index.js';
import { COLUMNS, Net, type NetSizes } from './net.js';
import { type Numbers, PlainNet, PlainOptimizer } from './plain-net.js';

/** A state of a model: as the library gave it, and as it must be. */
export interface Saved {
  readonly state: Map<string, SafetensorsTensor>;
  readonly weights: Numbers;
}

/** A model of a life, and its account: what it must be. */
export class Member {
  readonly name: string;
  readonly sizes: NetSizes;
  readonly seed: number;
  readonly net: Net;
  readonly plain: PlainNet;
  readonly initial: Saved;
  readonly #momentum: number;
  optimizer: SGD;
  plainOptimizer: PlainOptimizer;
  /** Devices that have had its variables. */
  readonly places = new Set<number>();

  private constructor(name: string, sizes: NetSizes, seed: number, momentum: number, net: Net, initial: Saved) {
    this.name = name;
    this.sizes = sizes;
    this.seed = seed;
    this.#momentum = momentum;
    this.net = net;
    this.plain = new PlainNet(sizes, seed, initial.weights);
    this.initial = initial;
    [this.optimizer, this.plainOptimizer] = this.#makeOptimizers();
  }

  static async make(name: string, sizes: NetSizes, seed: number, momentum: number): Promise<Member> {
    const net = new Net(sizes).build([COLUMNS], { seed });
    const state = await stateOf(net);
    return new Member(name, sizes, seed, momentum, net, { state, weights: weightsIn(state) });
  }

  /** What makes it, in a printed program. */
  get code(): string[] {
    const { hidden, dropout } = this.sizes;
    return [
      `let ${this.name} = new Net(${hidden}, ${dropout}).build([${COLUMNS}], { seed: ${this.seed} });`,
      `let initial_${this.name} = await stateOf(${this.name});`,
      `let optimizer_${this.name} = ${this.optimizerCode};`,
    ];
  }

  get optimizerCode(): string {
    return `new SGD({ learningRate: 0.25, momentum: ${this.#momentum} })`;
  }

  load({ state, weights }: Saved): void {
    loadState(this.net, { tensors: state });
    this.plain.load(weights);
  }

  /** Loads its weights as they must be, as if from a file, and takes another optimizer: behind a lost device. */
  recover(): void {
    const { weights } = this.plain;
    const state = new Map<string, SafetensorsTensor>();
    for (const [name, { shape }] of this.initial.state) {
      state.set(name, { dtype: 'F32', shape, data: Float32Array.from(weights.get(name) ?? []) });
    }
    this.load({ state, weights });
    this.optimizer.dispose();
    [this.optimizer, this.plainOptimizer] = this.#makeOptimizers();
  }

  /** A new one like it. */
  another(): Promise<Member> {
    return Member.make(this.name, this.sizes, this.seed, this.#momentum);
  }

  dispose(): void {
    this.net.dispose();
    this.optimizer.dispose();
  }

  #makeOptimizers(): [SGD, PlainOptimizer] {
    const options = { learningRate: 0.25, momentum: this.#momentum };
    return [new SGD(options), new PlainOptimizer(options)];
  }
}

export function weightsIn(state: ReadonlyMap<string, SafetensorsTensor>): Numbers {
  const weights = new Map<string, ArrayLike<number>>();
  for (const [name, tensor] of state) {
    if ('data' in tensor && tensor.data instanceof Float32Array) weights.set(name, tensor.data);
  }
  return weights;
}

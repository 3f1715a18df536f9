import type { DType, TensorSpec } from '../graph/operation.js';
import { type Axis, type Broadcast, broadcastOf, isWhole } from './broadcast.js';
import { type ElementStorage, storageOfElements } from './element-storage.js';
import type { GlueDeclarations } from './glue-declarations.js';

/** Values that a kernel meets one after the other. */
export interface Values {
  /** Equal for values of the same place in the kernel. */
  readonly key: string;
  /** How many there are in all. */
  readonly count: number;
  /** WGSL: coordinates that are known already, each (index / inner) % size. */
  readonly coordinates?: readonly (Omit<Axis, 'stride'> & { readonly spelled: string })[];
  /** They come out one by one, where they come by fours elsewhere in the kernel. */
  readonly isSingle?: boolean;
  /** WGSL: the type of what is stored, where that is no float. */
  readonly type?: 'Result';
}

/** How the elements that belong to values are read and stored; `index` is the place of the value, or of the first of four. */
export class GlueElements {
  readonly #declarations: GlueDeclarations;
  readonly #inputs: readonly TensorSpec[];
  /** How many values are read and stored at once, where they do not come out one by one. */
  readonly width: 1 | 4;

  constructor(declarations: GlueDeclarations, inputs: readonly TensorSpec[], width: 1 | 4) {
    this.#declarations = declarations;
    this.#inputs = inputs;
    this.width = width;
  }

  /** How many of these values are read and stored at once. */
  widthOf({ isSingle }: Values): 1 | 4 {
    return isSingle === true ? 1 : this.width;
  }

  /** WGSL: the element of an output. @param at the place of the value in it, or of the first of four */
  outputAt(values: Values, output: number, at: string): string {
    const isFour = this.widthOf(values) === 4;
    const name = this.#declarations.bind({ output }, isFour ? 'Element' : 'f32');
    return `${name}[${isFour ? `(${at}) >> 2u` : at}]`;
  }

  /** WGSL: a statement that stores values in an output. */
  store(values: Values, output: number, text: string, dtype: DType): string {
    const storage = this.#storage(dtype);
    const bind = (type: string): string => this.#declarations.bind({ output }, values.type ?? type);
    if (this.widthOf(values) === 4) return storage.storeFour(bind, 'index', text);
    return storage.storeOne(bind, 'index', text, values.count);
  }

  /** WGSL: the elements of an input, broadcast to a shape, that belong to values. */
  operand(values: Values, input: number, shape: readonly number[]): string {
    const { shape: own = [], dtype = 'f32' } = this.#inputs[input] ?? {};
    const broadcast = broadcastOf(own, shape);
    const isFour = this.widthOf(values) === 4;
    const storage = this.#storage(dtype);
    const bind = (type: string): string => this.#declarations.bind({ input }, type);
    const single = (at: string): string => storage.readOne(bind, at);
    const [axis] = broadcast;
    if (!axis) return isFour ? `Element(${single('0u')})` : single('0u');
    const key = [input, values.key, ...shape].join(' ');
    const addressAt = (index: string, isPlace: boolean): string =>
      this.#address(values, broadcast, key, index, isPlace);
    if (!isFour) return single(addressAt('index', true));
    const innermost = broadcast.at(-1);
    const isQuads =
      isWhole(broadcast, values.count) ||
      (innermost?.inner === 1 &&
        innermost.size % 4 === 0 &&
        broadcast.slice(0, -1).every(({ stride }) => stride % 4 === 0));
    if (isQuads) return storage.readFour(bind, addressAt('index', true));
    if (broadcast.every(({ inner }) => inner % 4 === 0)) return `Element(${single(addressAt('index', true))})`;
    return `Element(${[0, 1, 2, 3].map((lane) => single(addressAt(`(index + ${lane}u)`, false))).join(', ')})`;
  }

  /** WGSL: where the element of a broadcast input lies. */
  #address(values: Values, broadcast: Broadcast, key: string, index: string, isPlace: boolean): string {
    const { count, coordinates = [] } = values;
    if (isWhole(broadcast, count)) return index;
    const terms = broadcast.map(({ inner, size, stride }, axis) => {
      const known = coordinates.find((own) => isPlace && own.inner === inner && own.size === size)?.spelled;
      const word = (what: string, value: number): string => this.#declarations.word(`${key} ${axis} ${what}`, value);
      const along = inner === 1 ? index : `(${index} / ${word('inner', inner)})`;
      // The outermost axis does not begin again, but beyond the last place it must not leave the input.
      const coordinate = known ?? `(${along} % ${word('size', size)})`;
      return stride === 1 ? coordinate : `${coordinate} * ${word('stride', stride)}`;
    });
    return terms.length === 1 ? terms.join('') : `(${terms.join(' + ')})`;
  }

  #storage(dtype: DType): ElementStorage {
    const storage = storageOfElements(dtype);
    for (const source of storage.sources) this.#declarations.sources.add(source);
    return storage;
  }
}

import { float16Wgsl } from '../generated/wgsl.js';
import type { DType } from '../graph/operation.js';

/** WGSL: the name of a buffer that is bound as an array of such a type. */
type Bind = (type: string) => string;

/** WGSL: how floats are read from a buffer and stored in it, one by one, or four, the first of which is a multiple of 4. */
export interface ElementStorage {
  /** Texts that this needs. */
  readonly sources: readonly string[];
  readOne(bind: Bind, at: string): string;
  readFour(bind: Bind, at: string): string;
  /** @param count how many there are in all */
  storeOne(bind: Bind, at: string, value: string, count: number): string;
  storeFour(bind: Bind, at: string, value: string): string;
}

const float32: ElementStorage = {
  sources: [],
  readOne: (bind, at) => `${bind('f32')}[${at}]`,
  readFour: (bind, at) => `${bind('Element')}[(${at}) >> 2u]`,
  storeOne: (bind, at, value) => `${bind('f32')}[${at}] = ${value};`,
  storeFour: (bind, at, value) => `${bind('Element')}[(${at}) >> 2u] = ${value};`,
};

/** Two share a word, so that they are stored by fours. */
const float16: ElementStorage = {
  sources: [float16Wgsl],
  readOne: (bind, at) => `float16In(${bind('u32')}[(${at}) / 2u], ${at})`,
  readFour: (bind, at) => `float16Quad(${bind('vec2u')}[(${at}) >> 2u])`,
  storeOne(bind, _, value, count) {
    if (count !== 1) throw new Error('16-bit floats are stored by fours');
    return `${bind('u32')}[0] = float16Bits(${value});`;
  },
  storeFour: (bind, at, value) => `${bind('vec2u')}[(${at}) >> 2u] = float16Words(${value});`,
};

export function storageOfElements(dtype: DType): ElementStorage {
  return dtype === 'f16' ? float16 : float32;
}

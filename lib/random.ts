import { allocate } from './allocate.js';
import { checkArgument, number, seed as seedRule, text, wholeNumber } from './options.js';

/**
 * Philox 4x32-10: random numbers as a pure function of (seed, stream, step, use, element), the same bits on the CPU and
 * in kernels/common/philox.wgsl. Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 *
 * key     = the seed's low and high 32 bits
 * counter = (element / 4, step, stream, use): the step counts replays, the stream is the hash of a name (a layer's
 *           path), the use tells several draws of one stream in one step apart
 */

/** Which word of a generator's state (seed low, seed high, step, one unused) is the step. */
export const STEP_WORD = 2;

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const WEYL0 = 0x9e3779b9;
const WEYL1 = 0xbb67ae85;

export type Counter = readonly [number, number, number, number];
export type Key = readonly [number, number];

/** High 32 bits of the product of two 32-bit numbers, by halves of 16 bits as in the kernel. */
function highProduct(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const t = (aHigh * bLow + ((aLow * bLow) >>> 16)) >>> 0;
  const w = ((t & 0xffff) + aLow * bHigh) >>> 0;
  return (aHigh * bHigh + (t >>> 16) + (w >>> 16)) >>> 0;
}

/** One block of four random words. */
export function philox4x32(counter: Counter, key: Key): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = highProduct(M0, c0 >>> 0);
    const low0 = Math.imul(M0, c0);
    const high1 = highProduct(M1, c2 >>> 0);
    const low1 = Math.imul(M1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + WEYL0) | 0;
    k1 = (k1 + WEYL1) | 0;
  }
  return [c0 >>> 0, c1 >>> 0, c2 >>> 0, c3 >>> 0];
}

/** The key of a seed: a whole number from 0 to 2^53 - 1. */
export function keyOfSeed(seed: number): Key {
  return [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
}

/** 32-bit FNV-1a of a name: the number of its stream. */
export function streamOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** 24 of the bits as a number in [0, 1). */
export function unitFloat(bits: number): number {
  return (bits >>> 8) * 2 ** -24;
}

/** Random bits of elements 0 … count - 1 for a state, stream and use: what the kernels draw, one word an element. */
export function drawBits(state: ArrayLike<number>, stream: number, use: number, count: number): Uint32Array {
  const bits = allocate(Uint32Array, count, 'random numbers');
  const key: Key = [state[0] ?? 0, state[1] ?? 0];
  for (let block = 0; block * 4 < count; block++) {
    const words = philox4x32([block, state[STEP_WORD] ?? 0, stream, use], key);
    for (let lane = 0; lane < 4 && block * 4 + lane < count; lane++) bits[block * 4 + lane] = words[lane] ?? 0;
  }
  return bits;
}

/** Two normal numbers (mean 0, variance 1) from two uniform ones: Box and Muller 1958. */
export function boxMuller(u: number, v: number): [number, number] {
  const radius = Math.sqrt(-2 * Math.log(1 - u));
  return [radius * Math.cos(2 * Math.PI * v), radius * Math.sin(2 * Math.PI * v)];
}

const COUNT = wholeNumber({ min: 0 });
const NUMBER = number();

/** Random numbers on the host from one named stream of a seed, for initial weights and shuffles. */
export class RandomStream {
  readonly #state: readonly number[];
  readonly #stream: number;
  #use = 0;

  /**
   * @param seed a whole number of 0 or more. Throws OptionError for any other.
   * @param name the stream's name, e.g. a parameter's path; OptionError where it is no text
   */
  constructor(seed: number, name: string) {
    checkArgument('RandomStream', 'seed', seed, seedRule);
    checkArgument('RandomStream', 'name', name, text);
    this.#state = [...keyOfSeed(seed), 0, 0];
    this.#stream = streamOf(name);
  }

  /** `count` words of 32 random bits. Each call draws new ones. Throws OptionError for a count that is none. */
  bits(count: number): Uint32Array {
    checkArgument('RandomStream', 'count', count, COUNT);
    return drawBits(this.#state, this.#stream, this.#use++, count);
  }

  /** `count` numbers, uniform in [low, high). Throws OptionError for bounds that are no finite numbers. */
  uniform(count: number, low = 0, high = 1): Float32Array {
    checkArgument('RandomStream', 'low', low, NUMBER);
    checkArgument('RandomStream', 'high', high, NUMBER);
    const bits = this.bits(count);
    const numbers = new Float32Array(bits.buffer); // each number takes the place of its word: half the memory
    for (let i = 0; i < count; i++) numbers[i] = low + (high - low) * unitFloat(bits[i] ?? 0);
    return numbers;
  }

  /** `count` normal numbers. Throws OptionError for a mean or deviation that is no finite number. */
  normal(count: number, mean = 0, standardDeviation = 1): Float32Array {
    checkArgument('RandomStream', 'count', count, COUNT);
    checkArgument('RandomStream', 'mean', mean, NUMBER);
    checkArgument('RandomStream', 'standardDeviation', standardDeviation, NUMBER);
    const bits = this.bits(count + (count % 2));
    const numbers = new Float32Array(bits.buffer, 0, count); // as in uniform
    for (let i = 0; i < count; i += 2) {
      const pair = boxMuller(unitFloat(bits[i] ?? 0), unitFloat(bits[i + 1] ?? 0));
      numbers[i] = mean + standardDeviation * pair[0];
      if (i + 1 < count) numbers[i + 1] = mean + standardDeviation * pair[1];
    }
    return numbers;
  }
}

/** The numbers 0 … count - 1 in an order drawn from a stream: Fisher-Yates. */
export function shuffledIndices(count: number, seed: number, stream: string): Uint32Array {
  const bits = new RandomStream(seed, stream).bits(count);
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  for (let last = count - 1; last > 0; last--) {
    // 32 bits scaled to 0 … last; the bias is below (last + 1) / 2^32.
    const pick = Math.floor(((bits[last] ?? 0) / 2 ** 32) * (last + 1));
    const swapped = order[pick] ?? 0;
    order[pick] = order[last] ?? 0;
    order[last] = swapped;
  }
  return order;
}

/** Rounds of {@link permutation}: four keys of each of two Philox blocks. */
const PERMUTATION_ROUNDS = 8;
/** The stream that {@link permutation} draws its keys from. */
export const PERMUTATION_STREAM = streamOf('permutation');

/**
 * The numbers 0 … count - 1 in an order drawn from (key, epoch), as a function from place to number: every device finds
 * any part of the order on its own, without a table. kernels/state/permutation.wgsl gives the same numbers.
 *
 * A Feistel network over the smallest power of two that holds `count` (at least 64), walked on from numbers that are
 * too large until one is not (Black & Rogaway 2002, "Ciphers with arbitrary finite domains"). Round keys come from Philox, the round
 * function is the finalizer of MurmurHash3 (Appleby).
 */
export function permutation(count: number, key: Key, epoch: number): (place: number) => number {
  const { lowBits, highBits } = halvesOf(count);
  const keys = [0, 1].flatMap((block) => philox4x32([block, epoch, PERMUTATION_STREAM, 0], key));
  const once = (number: number): number => {
    let low = number & ((1 << lowBits) - 1);
    let high = number >>> lowBits;
    for (let round = 0; round < PERMUTATION_ROUNDS; round += 2) {
      high ^= mix(low + (keys[round] ?? 0)) & ((1 << highBits) - 1);
      low ^= mix(high + (keys[round + 1] ?? 0)) & ((1 << lowBits) - 1);
    }
    return (high << lowBits) | low;
  };
  return (place) => {
    let number = once(place);
    while (number >= count) number = once(number);
    return number;
  };
}

/** Bits of the two halves of {@link permutation}'s numbers. */
function halvesOf(count: number): { readonly lowBits: number; readonly highBits: number } {
  // Fewer bits make some orders of a handful of numbers likelier than others.
  const bits = Math.max(6, Math.ceil(Math.log2(count)));
  const lowBits = Math.floor(bits / 2);
  return { lowBits, highBits: bits - lowBits };
}

function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

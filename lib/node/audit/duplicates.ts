import { bitCount, type Fingerprint, likeness } from './fingerprint.js';

/** Hashes of the same picture, scaled, compressed, brightened or cropped by a few hundredths, differ in fewer bits. */
const MOST_BITS = 8;
/** Thumbnails of the same picture correlate by more; of other pictures with such hashes, by at most 0.92 in the sets that we know. */
const LEAST_LIKENESS = 0.95;

/**
 * How many others with such a hash the thumbnail of a picture is compared to: of drawings on white, all have nearly the same
 * hash, and of n of them n^2 would be compared.
 */
const MOST_COMPARED = 100;

/** Pictures that are the same, as indices in rising order. */
export interface SamePictures {
  /** Whether all have the same pixels; else they only look the same. */
  readonly isExact: boolean;
  readonly indices: readonly number[];
}

/**
 * The groups of pictures with the same pixels, and those of pictures that look the same, which may hold some with the same
 * pixels. Near ones are found by their hashes: of nine parts of two hashes that differ in eight bits at most, one is the
 * same (Norouzi, Punjani, Fleet 2012, "Fast search in Hamming space with multi-index hashing"), so that each
 * is compared to a hundredth or so of the others.
 */
export function samePictures(prints: readonly Fingerprint[]): SamePictures[] {
  const byDigest = groupedBy(prints.keys(), (index) => prints[index]?.digest);
  const exact = byDigest.filter(({ length }) => length > 1).map((indices) => ({ isExact: true, indices }));
  const groups = new Groups(prints.length);
  const search = new Search(prints, groups);
  // Pictures with the same pixels are compared to others once.
  const firsts = byDigest.flatMap(([first]) => first ?? []);
  for (let part = 0; part <= MOST_BITS; part++) {
    for (const bucket of groupedBy(firsts, (index) => partOf(prints[index]?.hash, part))) search.within(bucket);
  }
  for (const [first = 0, ...others] of byDigest) for (const other of others) groups.join(first, other);
  const near = groupedBy(prints.keys(), (index) => groups.of(index))
    .filter((indices) => new Set(indices.map((index) => prints[index]?.digest)).size > 1)
    .map((indices) => ({ isExact: false, indices }));
  return [...exact, ...near];
}

/** Joins pictures that look the same. */
class Search {
  readonly #prints: readonly Fingerprint[];
  readonly #groups: Groups;
  readonly #high: Int32Array;
  readonly #low: Int32Array;
  /** How many others each was compared to. */
  readonly #compared: Uint8Array;

  constructor(prints: readonly Fingerprint[], groups: Groups) {
    this.#prints = prints;
    this.#groups = groups;
    this.#high = Int32Array.from(prints, ({ hash }) => hash[0]);
    this.#low = Int32Array.from(prints, ({ hash }) => hash[1]);
    this.#compared = new Uint8Array(prints.length);
  }

  /** Compares each of these pictures to those before it. */
  within(indices: readonly number[]): void {
    for (let place = 1; place < indices.length; place++) {
      const index = indices[place] ?? 0;
      for (let before = place - 1; before >= 0; before--) {
        const other = indices[before] ?? 0;
        if (this.#distance(index, other) <= MOST_BITS && !this.#compare(index, other)) break;
      }
    }
  }

  #distance(one: number, other: number): number {
    const [high, low] = [this.#high, this.#low];
    return bitCount((high[one] ?? 0) ^ (high[other] ?? 0)) + bitCount((low[one] ?? 0) ^ (low[other] ?? 0));
  }

  /** Whether the first one may be compared to more. */
  #compare(one: number, other: number): boolean {
    const [print, otherPrint, groups] = [this.#prints[one], this.#prints[other], this.#groups];
    if (!print || !otherPrint || groups.of(one) === groups.of(other)) return true;
    const compared = (this.#compared[one] ?? 0) + 1;
    this.#compared[one] = compared;
    if (likeness(print.thumbnail, otherPrint.thumbnail) >= LEAST_LIKENESS) groups.join(one, other);
    return compared < MOST_COMPARED;
  }
}

/** One of nine parts of a hash: 8 bits of the first eight bytes but for the last of each, which make the ninth. */
function partOf(hash: Fingerprint['hash'] = [0, 0], part: number): number {
  const byteOf = (place: number): number => ((hash[place >> 2] ?? 0) >>> (8 * (place & 3))) & 0xff;
  if (part < 8) return byteOf(part) & 0x7f;
  return Array.from({ length: 8 }, (_, place) => byteOf(place) >> 7).reduce((bits, bit) => 2 * bits + bit, 0);
}

function groupedBy(indices: Iterable<number>, keyOf: (index: number) => unknown): number[][] {
  const groups = new Map<unknown, number[]>();
  for (const index of indices) {
    const key = keyOf(index);
    const group = groups.get(key);
    if (group) group.push(index);
    else groups.set(key, [index]);
  }
  return [...groups.values()];
}

/** Which things belong together: union-find. */
class Groups {
  readonly #parents: Int32Array;

  constructor(count: number) {
    this.#parents = Int32Array.from({ length: count }, (_, index) => index);
  }

  /** The number of the group that a thing is in. */
  of(index: number): number {
    for (let at = index; ;) {
      const parent = this.#parents[at] ?? at;
      if (parent === at) return at;
      this.#parents[at] = this.#parents[parent] ?? parent; // halves the way for the next time
      at = parent;
    }
  }

  join(one: number, other: number): void {
    const [first, second] = [this.of(one), this.of(other)];
    this.#parents[Math.max(first, second)] = Math.min(first, second);
  }
}

/**
 * The numbers that random functions compute with, by formulas that a printed program can repeat. Floats are multiples of
 * 1/8 between -1 and 1, so that sums and products of them are exact in whatever order they are formed.
 */

const mix = (i: number, seed: number): number => (Math.imul(i + 1, 0x9e3779b1) + Math.imul(seed + 1, 0x85ebca6b)) >>> 0;

/** So many floats, others for each seed. */
export function numbers(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (mix(i, seed) >>> 28) / 8 - 1);
}

/** So many whole numbers from 0 up to `below`. */
export function integers(count: number, below: number, seed: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => (mix(i, seed) >>> 8) % below);
}

/** So many bytes. */
export function bytes(count: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => mix(i, seed) >>> 24);
}

/** The functions of this file, as a printed program defines them. */
export const DATA_CODE = `const mix = (i, seed) => (Math.imul(i + 1, 0x9e3779b1) + Math.imul(seed + 1, 0x85ebca6b)) >>> 0;
const numbers = (count, seed) => Float32Array.from({ length: count }, (_, i) => (mix(i, seed) >>> 28) / 8 - 1);
const integers = (count, below, seed) => Int32Array.from({ length: count }, (_, i) => (mix(i, seed) >>> 8) % below);
const bytes = (count, seed) => Uint8Array.from({ length: count }, (_, i) => mix(i, seed) >>> 24);`;

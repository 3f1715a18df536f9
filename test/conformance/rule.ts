/** The rule that makes the weights of the `models` folder, and the two numbers that stand for a large tensor. */
import { elementAt } from '../../lib/element-at.js';
import { type Shape, sizeOf } from '../../lib/shape.js';

/** 32-bit FNV-1a of a text in UTF-8. */
export function hash(key: string): number {
  let h = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(key)) h = Math.imul(h ^ byte, 0x01000193);
  return h >>> 0;
}

function mix(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** u(key, i) in [0, 1) and v(key, i) = 2 u - 1, of a key's hash. */
const u = (hashed: number, i: number): number => (mix(mix(i) ^ hashed) >>> 8) / 2 ** 24;
const v = (hashed: number, i: number): number => 2 * u(hashed, i) - 1;

/** The values of a parameter, buffer or input, by its name and its shape in a file of PyTorch. */
export function valuesByRule(name: string, shape: Shape, salt: string): Float32Array {
  const hashed = hash(salt + name);
  const valueAt = ruleFor(name, shape);
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => valueAt(hashed, i));
}

function ruleFor(name: string, shape: Shape): (hashed: number, i: number) => number {
  const scaled =
    (by: number, start = 0) =>
    (hashed: number, i: number) =>
      start + by * v(hashed, i);
  if (name === 'input') return u;
  if (name.endsWith('.running_mean')) return scaled(0.1);
  if (name.endsWith('.running_var')) return scaled(0.3, 1);
  if (name.endsWith('.bias')) return scaled(0.1);
  if (shape.length === 4) return scaled(Math.sqrt(6 / sizeOf(shape.slice(1))));
  if (shape.length === 2) return scaled(Math.sqrt(3 / elementAt(shape, 1)));
  const factor = name.endsWith('.bn3.weight') ? 0.25 : 1;
  return (hashed, i) => factor * (1 + 0.2 * v(hashed, i));
}

/** Euclidean norm of a tensor, and the sum of element i times v("probe:" + name, i). */
export function normAndProbe(name: string, data: ArrayLike<number>): { norm: number; probe: number } {
  const hashed = hash(`probe:${name}`);
  let [squares, probe] = [0, 0];
  for (let i = 0; i < data.length; i++) {
    const value = elementAt(data, i);
    squares += value * value;
    probe += value * v(hashed, i);
  }
  return { norm: Math.sqrt(squares), probe };
}

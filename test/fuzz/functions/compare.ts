import { differs } from '../../support/close.js';
import { largest } from './oracle.js';
import { byDefinition, type Outcome } from './outcome.js';
import type { RandomProgram } from './program.js';

/** Numbers beyond are left out: products of them soon leave float32, where devices are their own. */
const LARGEST = 1e6;
/** Of the largest number of a tensor: what a device may be off in any case, and how far noise may drive results apart. */
const LEAST_TOLERANCE = 2e-5;
/** Tensors of smaller numbers are measured by this: they may be what is left of larger ones (gelu far below 0). */
const SMALL = 0.1;
const MOST_SPREAD = 1e-3;
/** How many times the spread that noise causes a device may be off. */
const SPREAD_FACTOR = 16;
const NOISES = [1, 2];

/** What a program must compute, and within which tolerance. */
export interface Expected {
  readonly outcome: Outcome;
  readonly tolerances: ReadonlyMap<string, number>;
}

/** What a program must compute; undefined where noise decides, or numbers grow too large. */
export async function expectedOf(program: RandomProgram): Promise<Expected | undefined> {
  const outcome = await byDefinition(program, { kind: 'f32' });
  for (const values of outcome.values()) {
    if (!values.every(Number.isFinite) || (values instanceof Float32Array && largest(values) > LARGEST))
      return undefined;
  }
  const noisy: Outcome[] = [];
  for (const seed of NOISES) noisy.push(await byDefinition(program, { kind: 'f64', noise: seed }));
  const tolerances = new Map<string, number>();
  for (const [name, values] of outcome) {
    const scale = Math.max(largest(values), SMALL);
    const spread = Math.max(...noisy.map((other) => distance(values, other.get(name) ?? [])));
    if (!(spread <= MOST_SPREAD * scale)) return undefined;
    tolerances.set(name, LEAST_TOLERANCE * scale + SPREAD_FACTOR * spread);
  }
  return { outcome, tolerances };
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let found = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] ?? NaN) - (b[i] ?? NaN));
    if (!(difference <= found)) found = difference;
  }
  return found;
}

/** The first of the values that are not as expected, in words. With `isExact` no number may differ. */
export function difference(
  got: Outcome,
  { outcome, tolerances }: Expected,
  isExact = false,
): { readonly name: string; readonly problem: string } | undefined {
  for (const [name, values] of outcome) {
    const ours = got.get(name);
    const absolute = isExact || !(values instanceof Float32Array) ? 0 : (tolerances.get(name) ?? 0);
    const problem = ours ? differs(ours, values, { absolute, relative: 0 }) : 'is missing';
    if (problem !== undefined) return { name, problem };
  }
  return undefined;
}

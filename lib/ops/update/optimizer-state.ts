import type { NumericArray } from '../../graph/operation.js';

/*
 * The state of an optimizer on the device (u32), for parameters that it met together: how many replays it was in, two
 * words for each parameter (the bits of the current learning rate, and how many steps the parameter has taken), then a
 * ring of learning rates, of which replay r uses number r mod n. The operation `advance` moves it on: a kernel that
 * updates a parameter reads its two words and binds one buffer.
 */

/** In place of a parameter's rate: it stays as it is in this step. The bits of a NaN that no rate has. */
export const SKIPPED = 0xffffffff;

/** The state after some replays and steps. */
export function optimizerState(replays: number, steps: readonly number[], rates: Float32Array): Uint32Array {
  const bits = new Uint32Array(rates.buffer, rates.byteOffset, rates.length);
  const current = bits[replays % bits.length] ?? NaN;
  return Uint32Array.of(replays, ...steps.flatMap((step) => [current, step]), ...bits);
}

/** Where the two words of a parameter begin. */
export function pairPlace(member: number): number {
  return 1 + 2 * member;
}

/** Learning rate and steps so far of a parameter. */
export function readPair(state: NumericArray, member: number): { readonly rate: number; readonly step: number } {
  const [bits = NaN, step = NaN] = state.slice(pairPlace(member), pairPlace(member) + 2);
  return { rate: new Float32Array(Uint32Array.of(bits).buffer)[0] ?? NaN, step };
}

/** Whether a parameter stays as it is in this step. */
export function isSkipped(state: NumericArray, member: number): boolean {
  return state[pairPlace(member)] === SKIPPED;
}

/** Moves a state on by a replay in which its parameters took so many steps. */
export function advanceState(state: NumericArray, by: NumericArray): void {
  const rates = pairPlace(by.length);
  const replays = (state[0] ?? NaN) + 1;
  state[0] = replays;
  by.forEach((steps, member) => {
    const place = pairPlace(member);
    state[place] = state[rates + (replays % (state.length - rates))] ?? NaN;
    state[place + 1] = (state[place + 1] ?? NaN) + steps;
  });
}

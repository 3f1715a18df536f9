import type { NumericArray } from '../../graph/operation.js';

/*
 * The state of an optimizer on the device (u32), for parameters that it met together: how many replays it was in; three
 * words for each parameter, which are the bits of its learning rate, how many steps it has taken, and the bits of 1 - its
 * momentum (of which float32 has all digits where the momentum is close to 1); then a ring of pairs, of which replay r uses
 * number r mod n: a learning rate, and 1 - a momentum, or 0 where parameters keep theirs. The operation `advance` moves it
 * on: a kernel that updates a parameter reads its words and binds one buffer.
 */

/** Words of each parameter. */
export const MEMBER_WORDS = 3;

/** In place of a parameter's rate: it stays as it is in this step. The bits of a NaN that no rate has. */
export const SKIPPED = 0xffffffff;

/** A parameter of a state. */
export interface MemberState {
  /** How many steps it has taken. */
  steps: number;
  /** 1 - its momentum. */
  readonly take: number;
}

/** The state after some replays and steps. */
export function optimizerState(
  replays: number,
  members: readonly Readonly<MemberState>[],
  ring: Float32Array,
): Uint32Array {
  const state = new Uint32Array(memberPlace(members.length) + ring.length);
  const floats = new Float32Array(state.buffer);
  const [rate, take] = ring.subarray((2 * replays) % ring.length);
  state[0] = replays;
  members.forEach((member, i) => {
    const place = memberPlace(i);
    floats[place] = rate ?? NaN;
    state[place + 1] = member.steps;
    floats[place + 2] = take === 0 ? member.take : (take ?? NaN);
  });
  floats.set(ring, memberPlace(members.length));
  return state;
}

/** Where the words of a parameter begin. */
export function memberPlace(member: number): number {
  return 1 + MEMBER_WORDS * member;
}

/** Learning rate, steps so far and momentum of a parameter. */
export function readMember(state: NumericArray, member: number) {
  const place = memberPlace(member);
  const words = Uint32Array.from(state.slice(place, place + MEMBER_WORDS));
  const [rate = NaN, , take = NaN] = new Float32Array(words.buffer);
  return { rate, step: words[1] ?? NaN, momentum: 1 - take };
}

/** Whether a parameter stays as it is in this step. */
export function isSkipped(state: NumericArray, member: number): boolean {
  return state[memberPlace(member)] === SKIPPED;
}

/** Moves a state on by a replay in which its parameters took so many steps. */
export function advanceState(state: NumericArray, by: NumericArray): void {
  const ring = memberPlace(by.length);
  const replays = (state[0] ?? NaN) + 1;
  const pair = ring + ((2 * replays) % (state.length - ring));
  const [rate = NaN, take = NaN] = state.slice(pair, pair + 2);
  state[0] = replays;
  by.forEach((steps, member) => {
    const place = memberPlace(member);
    state[place] = rate;
    state[place + 1] = (state[place + 1] ?? NaN) + steps;
    if (take !== 0) state[place + 2] = take;
  });
}

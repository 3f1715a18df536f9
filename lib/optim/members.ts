import { elementAt } from '../element-at.js';
import { OptionError } from '../errors.js';
import { MAX_REPLAYS } from '../graph/trace.js';
import { type MemberState, optimizerState } from '../ops/update/optimizer-state.js';
import { show } from '../options.js';
import { Variable } from '../variable.js';
import type { LearningRate, Momentum, Schedule, UpdateRule } from './groups.js';

/** By what rates and momenta change. */
interface Schedules {
  readonly learningRate: LearningRate;
  /** Undefined where each parameter has a momentum that stays. */
  readonly momentum: Schedule | undefined;
}

/** Parameters that were met together, and share schedules: their state, and what the host knows of it. */
export interface Members extends Schedules {
  readonly state: Variable;
  readonly list: readonly MemberState[];
  /** That of the state. */
  readonly ring: Float32Array;
  replays: number;
}

/** A parameter that an optimizer has met. */
export interface TrackedParameter {
  readonly rule: UpdateRule;
  readonly members: Members;
  /** Which of them it is. */
  readonly member: number;
  /** What the host knows of it alone. */
  readonly own: MemberState;
  /** The slots of the rule, one after the other; undefined where it has none. */
  readonly buffer: Variable | undefined;
}

/** Where an optimizer is: its steps so far, and what its learning rates are multiplied by. */
export interface Position {
  readonly step: number;
  readonly factor: number;
}

/** What the ring of a state holds for a step. */
type Pair = readonly [rate: number, take: number];

function schedulesOf({ learningRate, momentum }: UpdateRule): Schedules {
  return { learningRate, momentum: typeof momentum === 'function' ? momentum : undefined };
}

/** Which of them share schedules, in the order in which they come. */
export function bySchedules<T extends { readonly rule: UpdateRule }>(all: readonly T[]): T[][] {
  const found: { readonly schedules: Schedules; readonly own: T[] }[] = [];
  for (const each of all) {
    const { learningRate, momentum } = schedulesOf(each.rule);
    const same = found.find(({ schedules: own }) => own.learningRate === learningRate && own.momentum === momentum);
    if (same) same.own.push(each);
    else found.push({ schedules: { learningRate, momentum }, own: [each] });
  }
  return found.map(({ own }) => own);
}

/** Parameters with these rules, which share schedules, before their first step. */
export function newMembers(rules: readonly UpdateRule[], at: Position): Members {
  const schedules = schedulesOf(elementAt(rules, 0));
  const changes = typeof schedules.learningRate === 'function' || schedules.momentum !== undefined;
  const ring = ringOf(changes ? MAX_REPLAYS : 1, pairAt(schedules, at));
  const list = rules.map(({ momentum }) => ({ steps: 0, take: 1 - momentumAt(momentum, at.step) }));
  return {
    ...schedules,
    state: new Variable('optimizer.state', optimizerState(0, list, ring)),
    list,
    ring,
    replays: 0,
  };
}

/** What the ring must hold for replays from there on. */
export function pairsOf(members: Members, replays: number, { step, factor }: Position): readonly Pair[] {
  const count = Math.min(replays, members.ring.length / 2);
  return Array.from({ length: count }, (_, i) => pairAt(members, { step: step + i, factor }));
}

/** Sends what the ring must hold for the next replays, unless it does. */
export function send(members: Members, pairs: readonly Pair[], always = false): void {
  const { ring, replays } = members;
  const placeOf = (i: number): number => (2 * (replays + i)) % ring.length;
  if (!always && pairs.every((pair, i) => pair.every((value, word) => value === ring[placeOf(i) + word]))) return;
  // The steps that come later may well keep the last ones: then nothing needs to be sent for them.
  ring.set(ringOf(ring.length / 2, elementAt(pairs, pairs.length - 1)));
  pairs.forEach((pair, i) => {
    ring.set(pair, placeOf(i));
  });
  members.state.set(optimizerState(replays, members.list, ring));
}

function ringOf(size: number, pair: Pair): Float32Array {
  return Float32Array.from({ length: 2 * size }, (_, i) => elementAt(pair, i % 2));
}

function pairAt({ learningRate, momentum }: Schedules, { step, factor }: Position): Pair {
  // 0: each keeps its own.
  const take = momentum ? 1 - momentumAt(momentum, step) : 0;
  return [Math.fround(factor * rateAt(learningRate, step)), Math.fround(take)];
}

/** Throws OptionError for what is no learning rate. */
export function rateAt(learningRate: LearningRate, step: number): number {
  const rate = typeof learningRate === 'function' ? learningRate(step) : learningRate;
  if (!Number.isFinite(rate) || rate < 0) {
    throw new OptionError(`the learning rate must be a number of 0 or more, found ${show(rate)} at step ${step}`);
  }
  return rate;
}

/** Throws OptionError where a function gives no momentum; a number was checked where it was given. */
export function momentumAt(momentum: Momentum = 0, step: number): number {
  if (typeof momentum === 'number') return momentum;
  const value = momentum(step);
  if (value >= 0 && value < 1) return value;
  throw new OptionError(
    `the momentum (Adam: beta1) must be a number of 0 or more and below 1, found ${show(value)} at step ${step}`,
  );
}

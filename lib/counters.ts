import { apply } from './graph/node.js';
import { requireTrace, type Trace } from './graph/trace.js';
import { advance, MAX_STATES } from './ops/advance.js';
import type { Variable } from './variable.js';

/** A counter that moves on when everything else in a trace has run. */
export interface Counter {
  /** Where it lives (u32). */
  readonly state: Variable;
  /** Which word of the state counts. */
  readonly word: number;
  /** Where it starts again, the word before it counting the rounds; default 0: it does not. */
  readonly limit?: number;
}

interface Move extends Counter {
  by: number;
}

/** The counters of each trace, in the order in which they were first moved. */
const movesOf = new WeakMap<Trace, Map<Variable, Move>>();

/**
 * Lets a counter move on by `by` more at the end of the trace, where all counters of a step move in one operation.
 * Returns by how much it is to move already, from earlier calls in the same trace.
 */
export function moveAtEnd(counter: Counter, by: number): number {
  const move = moveOf(counter);
  move.by += by;
  return move.by - by;
}

/** Lets a counter move on by 1 at the end of the trace, however often this is called in it. */
export function moveOnceAtEnd(counter: Counter): void {
  moveOf(counter).by = 1;
}

function moveOf(counter: Counter): Move {
  const trace = requireTrace('moving a counter');
  const moves = movesOf.get(trace) ?? new Map<Variable, Move>();
  movesOf.set(trace, moves);
  trace.atEnd(movesOf, () => {
    recordMoves([...moves.values()]);
  });
  const move = moves.get(counter.state) ?? { ...counter, by: 0 };
  moves.set(counter.state, move);
  return move;
}

function recordMoves(moves: readonly Move[]): void {
  for (let start = 0; start < moves.length; start += MAX_STATES) {
    const some = moves.slice(start, start + MAX_STATES);
    const moved = apply(
      advance,
      some.map(({ state }) => state.value),
      {
        words: some.map(({ word }) => word),
        by: some.map((move) => move.by),
        limits: some.map(({ limit = 0 }) => limit),
      },
    );
    some.forEach(({ state }, i) => {
      const next = moved[i];
      if (next) state.update(next);
    });
  }
}

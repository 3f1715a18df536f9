import { breathe } from './breath.js';
import { MAX_REPLAYS } from './graph/trace.js';

/** What a submit should take, in milliseconds: long beside its fixed cost, short beside a GPU's watchdog (2 s). */
const SUBMIT = 50;
/** Submits that may be under way: one runs while the next one is being encoded. */
const IN_FLIGHT = 2;
/** A submit is at most so many times as long as the one before, as long as little is known. */
const GROWTH = 4;

/**
 * Decides how many replays of a plan go into one submit, by the time that they take, and holds the host back while two
 * submits are under way. Where a device computes at once and without a pause (the CPU), timers and signals get their
 * turn between two submits.
 */
export class Pacer {
  #replays = 1;
  readonly #running: Promise<void>[] = [];
  #lastEnd = 0;

  /** How many replays the next submit should hold. */
  get replays(): number {
    return this.#replays;
  }

  /**
   * Queues replays, by `queue`.
   *
   * @param finished waits for everything queued
   */
  submit(replays: number, queue: () => void, finished: () => Promise<void>): void {
    const start = performance.now();
    queue();
    const ended = finished().then(() => {
      const now = performance.now();
      this.#learn(replays, now - Math.max(start, this.#lastEnd));
      this.#lastEnd = now;
    });
    ended.catch(() => undefined); // `ready` waits for it
    this.#running.push(ended);
  }

  /** Waits until another submit may follow. Rejects where one failed. */
  async ready(): Promise<void> {
    try {
      if (this.#running.length >= IN_FLIGHT) await this.#running.shift();
    } catch (error) {
      this.#running.length = 0; // told once
      throw error;
    }
    await breathe();
  }

  #learn(replays: number, milliseconds: number): void {
    const wanted = Math.floor((SUBMIT / Math.max(milliseconds, 1e-3)) * replays);
    this.#replays = Math.max(1, Math.min(wanted, GROWTH * replays, MAX_REPLAYS));
  }
}

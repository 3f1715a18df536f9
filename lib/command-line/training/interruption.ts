/**
 * Ctrl-C while a net is trained. The first one asks the training to end, so that what was trained can be saved. The next one ends the
 * process at once, in the midst of a step as well: it is not listened to any more.
 */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #onFirst: () => void;

  /** @param onFirst is called when Ctrl-C is pressed first */
  constructor(onFirst: () => void) {
    this.#onFirst = onFirst;
    process.on('SIGINT', this.#listener);
  }

  /** For `fit`. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends the listening. */
  end(): void {
    process.off('SIGINT', this.#listener);
  }

  readonly #listener = (): void => {
    if (this.signal.aborted) return;
    this.#controller.abort();
    setTimeout(() => this.end(), SAME_REQUEST).unref();
    this.#onFirst();
  };
}

/** Under npm one Ctrl-C arrives twice: from the terminal, and passed on. Within so many milliseconds it is the same one. */
const SAME_REQUEST = 1000;

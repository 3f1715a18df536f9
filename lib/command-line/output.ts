import { countBar, progressBar } from '../node/index.js';
import type { Callback } from '../index.js';
import { eraseBar } from '../node/progress/terminal-bar.js';
import { jsonText } from './json.js';

/** How much a program says, and how. */
export interface Verbosity {
  /** Standard output has one JSON document and nothing else. */
  readonly json: boolean;
  /** Results and errors only. */
  readonly quiet: boolean;
  /** Details, too. */
  readonly verbose: boolean;
}

/**
 * Where a program says what it does: results go to standard output, and so does all else, unless it is JSON there. Bars are shown
 * below the lines where standard error is a terminal, and go when their work is done.
 */
export class Output {
  readonly #verbosity: Verbosity;

  constructor(verbosity: Verbosity) {
    this.#verbosity = verbosity;
  }

  /** Whether results are wanted as JSON. */
  get isJson(): boolean {
    return this.#verbosity.json;
  }

  /** What the program was run for: a text for people, or the same as JSON. */
  result(text: string, json: unknown): void {
    print('log', this.isJson ? jsonText(json) : text);
  }

  /** A part of the result that comes before the rest of it, unless all of it is one JSON document at the end. */
  partOfResult(text: string): void {
    if (!this.isJson) print('log', text);
  }

  /** How the program gets on. */
  progress(text = ''): void {
    if (this.#verbosity.quiet) return;
    print(this.isJson ? 'error' : 'log', text);
  }

  /** For `onProgress` and `onCompile`: a bar that counts. */
  counter(what: string): (done: number, total: number) => void {
    return this.#hasBars ? countBar(what, { leave: false }) : () => undefined;
  }

  /** For `fit`: a bar over the training. */
  trainingBar(): Callback {
    return this.#hasBars ? progressBar({ leave: false }) : {};
  }

  /** Takes away the bar of what failed in its course. */
  end(): void {
    eraseBar(process.stderr);
  }

  get #hasBars(): boolean {
    return process.stderr.isTTY && !this.#verbosity.quiet;
  }

  /** What only those want to know who asked for it. */
  detail(text: string): void {
    if (this.#verbosity.verbose) this.progress(text);
  }

  /** What went wrong without ending the program. */
  warning(text: string): void {
    print('error', text);
  }
}

/** Prints where a bar may stand, which is drawn again below. */
function print(where: 'log' | 'error', text: string): void {
  eraseBar(process.stderr);
  console[where](text);
}

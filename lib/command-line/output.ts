/** How much a program says, and how. */
export interface Verbosity {
  /** Standard output has JSON and nothing else: a value a line. */
  readonly json: boolean;
  /** Results and errors only. */
  readonly quiet: boolean;
  /** Details, too. */
  readonly verbose: boolean;
}

/** Where a program says what it does: results go to standard output, and so does all else, unless it is JSON there. */
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
    console.log(this.isJson ? JSON.stringify(json) : text);
  }

  /** A part of the result that comes before the rest of it: a line of progress, or a line of JSON. */
  partOfResult(text: string, json: unknown): void {
    if (this.isJson) console.log(JSON.stringify(json));
    else this.progress(text);
  }

  /** How the program gets on. */
  progress(text = ''): void {
    if (this.#verbosity.quiet) return;
    if (this.isJson) console.error(text);
    else console.log(text);
  }

  /** What only those want to know who asked for it. */
  detail(text: string): void {
    if (this.#verbosity.verbose) this.progress(text);
  }

  /** What went wrong without ending the program. */
  warning(text: string): void {
    console.error(text);
  }
}

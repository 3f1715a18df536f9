/** What is used of the package `cli-progress`, which comes without types. */
declare module 'cli-progress' {
  interface Line {
    readonly text: string;
  }
  interface Options {
    readonly format: (options: object, params: { readonly progress: number }, line: Line) => string;
    readonly stream: { write(text: string): unknown };
    /** False: it turns the terminal's wrapping of lines off while it runs. True: lines are cut. */
    readonly linewrap: boolean;
  }
  interface Bar {
    start(total: number, value: number, line: Line): void;
    update(value: number, line: Line): void;
    stop(): void;
  }
  const cliProgress: { readonly SingleBar: new (options: Options) => Bar };
  export default cliProgress;
}

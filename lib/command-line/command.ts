import { helpText, type OptionHelp, type OptionValues, parseCommandLine } from './arguments.js';

/** A command of the program: the first word of its command line. */
export interface Command {
  /** What it does, in a line. */
  readonly summary: string;
  readonly options: Readonly<Record<string, OptionHelp>>;
  /** All that `--help` prints. */
  readonly help: () => string;
  /**
   * Runs it to its end.
   *
   * @param args what stands behind its name
   * @returns the exit code
   */
  readonly run: (args: readonly string[]) => Promise<number>;
}

/** What makes a {@link Command}. */
interface CommandDefinition<Names extends string> {
  readonly name: string;
  /** Its words in the usage, such as `MODEL FILE...`. */
  readonly words: string;
  readonly summary: string;
  readonly options: Readonly<Record<Names, OptionHelp>>;
  /** Lines below the options in its help: what is written, examples. */
  readonly notes?: readonly string[];
  readonly run: (values: OptionValues<Names>, words: readonly string[]) => Promise<number>;
}

/** A command of these options; `--help` is always one. */
export function defineCommand<Names extends string>(definition: CommandDefinition<Names>): Command {
  const { name, words: usage, summary, options, notes = [] } = definition;
  const help = (): string =>
    [summary, '', helpText(`kernelwright ${name} ${usage} [options]`, options), ...notes].join('\n');
  return {
    summary,
    options,
    help,
    async run(args) {
      const { values, words } = parseCommandLine(args, options);
      if (!values.help) return definition.run(values, words);
      console.log(help());
      return 0;
    },
  };
}

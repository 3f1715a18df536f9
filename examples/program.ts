import { fileURLToPath } from 'node:url';
import type { ArchitectureName } from 'kernelwright';
import {
  helpText,
  type OptionHelp,
  type OptionValues,
  parseOptions,
  runProgram,
} from '../lib/command-line/arguments.js';
import { trainWith } from '../lib/command-line/commands/train.js';
import { outputFor, textOption } from '../lib/command-line/shared-options.js';
import {
  readTrainingOptions,
  type TrainingOptionName,
  trainingOptions,
  type TrainingOptions,
} from '../lib/command-line/training/options.js';

/** `npm run NAME`: `kernelwright train` with one net, on the pictures that are drawn by examples/pictures. */
export interface Example {
  readonly name: string;
  readonly model: ArchitectureName;
  /** The values that the article took, for `--article`. */
  readonly article?: OptionValues<TrainingOptionName>;
}

type ExampleOptionName = TrainingOptionName | 'data' | 'article';

/** All options of an example, as `--help` prints them. */
export function optionsOf({ model, article }: Example): Readonly<Record<string, OptionHelp>> {
  const { test, ...others } = trainingOptions(model);
  return {
    data: {
      value: 'DIR',
      help: 'pictures, one sub-folder a class, or train, valid and test (default: the bundled ones)',
    },
    test: { ...test, help: `${test.help} (default: the bundled ones)` },
    ...(article && { article: { help: "the article's values: learning rate 0.001 without momentum" } }),
    ...others,
  };
}

/** Reads a command line; undefined where help was asked for. Throws OptionError for what cannot be used. */
export function readExample(example: Example, args: readonly string[]) {
  const given: OptionValues<ExampleOptionName | 'help'> = parseOptions(args, optionsOf(example));
  if (given.help) return undefined;
  const values = given.article ? { ...example.article, ...given } : given;
  const data = textOption(values.data);
  const options: TrainingOptions = readTrainingOptions(example.model, values, {
    data: data ?? bundled('train'),
    test: data === undefined ? bundled('test') : undefined,
    out: `runs/${example.name}`,
  });
  return { options, output: outputFor(values) };
}

/** Runs an example to its end. */
export function runExample(example: Example): Promise<void> {
  return runProgram(example.name, async (args) => {
    const asked = readExample(example, args);
    if (asked) return trainWith(asked.options, asked.output);
    console.log(helpText(`npm run ${example.name} -- [options]`, optionsOf(example)));
    return 0;
  });
}

function bundled(part: 'train' | 'test'): string {
  return fileURLToPath(new URL(`pictures/${part}`, import.meta.url));
}

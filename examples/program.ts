import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ArchitectureName } from 'kernelwright';
import {
  helpText,
  type OptionHelp,
  type OptionValues,
  parseOptions,
  runProgram,
} from '../lib/command-line/arguments.js';
import { evaluateCommand } from '../lib/command-line/commands/evaluate.js';
import { trainWith } from '../lib/command-line/commands/train.js';
import { outputFor, textOption } from '../lib/command-line/shared-options.js';
import {
  readTrainingOptions,
  type TrainingOptionName,
  trainingOptions,
  type TrainingOptions,
} from '../lib/command-line/training/options.js';

/** `npm run NAME`: `kernelwright train` with one net, on pictures that are drawn by a program. */
export interface Example {
  readonly name: string;
  readonly model: ArchitectureName;
  /** The values that the article took, for `--article`. */
  readonly article?: OptionValues<TrainingOptionName>;
  /** Draws the pictures into train/ and test/ of a folder, where no others are given. Default: those of examples/pictures. */
  readonly draw?: (folder: string) => Promise<void>;
}

type ExampleOptionName = TrainingOptionName | 'data' | 'article';

/** All options of an example, as `--help` prints them. */
export function optionsOf({ model, article, draw }: Example): Readonly<Record<string, OptionHelp>> {
  const { test, ...others } = trainingOptions(model);
  const usual = draw ? 'pictures that are drawn into the folder for results' : 'the bundled ones';
  return {
    data: {
      value: 'DIR',
      help: `pictures, one sub-folder a class, or train, valid and test (default: ${usual})`,
    },
    test: { ...test, help: `${test.help} (default: ${usual})` },
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
  const out = textOption(values.out) ?? `runs/${example.name}`;
  const drawn = example.draw && data === undefined ? join(out, 'pictures') : undefined;
  const usual = (part: 'train' | 'test'): string => (drawn === undefined ? bundled(part) : join(drawn, part));
  const options: TrainingOptions = readTrainingOptions(example.model, values, {
    data: data ?? usual('train'),
    test: data === undefined ? usual('test') : undefined,
    out,
  });
  return { options, output: outputFor(values), drawn };
}

/** Runs an example to its end. */
export function runExample(example: Example): Promise<void> {
  return runProgram(example.name, async (args) => {
    const asked = readExample(example, args);
    if (asked) return runAsked(example, asked);
    console.log(helpText(`npm run ${example.name} -- [options]`, optionsOf(example)));
    return 0;
  });
}

/** What {@link readExample} gives. */
type Asked = NonNullable<ReturnType<typeof readExample>>;

/**
 * Trains; on pictures that are drawn for it, it also says at the end how many of those for the test are told apart. With `--json`
 * the predictions say so.
 */
export async function runAsked({ draw }: Example, { options, output, drawn }: Asked): Promise<number> {
  if (!draw || drawn === undefined) return trainWith(options, output);
  output.progress(`drawing pictures into ${drawn}`);
  await draw(drawn);
  const code = await trainWith(options, output);
  if (code !== 0 || options.test === undefined || output.isJson) return code;
  const device = options.device === undefined ? [] : ['--device', options.device];
  return evaluateCommand.run([join(options.out, 'last.safetensors'), options.test, ...device]);
}

function bundled(part: 'train' | 'test'): string {
  return fileURLToPath(new URL(`pictures/${part}`, import.meta.url));
}

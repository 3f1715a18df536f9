#!/usr/bin/env node
/** The program `kernelwright`: its first word is a command. */
import { OptionError } from '../errors.js';
import { printable } from '../printable.js';
import { suggest } from '../suggest.js';
import { runProgram } from './arguments.js';
import type { Command } from './command.js';
import { COMMANDS } from './commands.js';
import { ownVersion } from './package.js';

await runProgram('kernelwright', async ([name, ...args]) => {
  if (name === '--version') return print(ownVersion());
  if (name === '--help' || name === '-h' || name === 'help') return print(await help(args[0]));
  if (name === undefined) {
    console.error(await help(undefined));
    return 2;
  }
  return (await commandNamed(name)).run(args);
});

function print(text: string): number {
  console.log(text);
  return 0;
}

async function commandNamed(name: string): Promise<Command> {
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load) return load();
  const what = name.startsWith('-') ? 'option' : 'command';
  const known = what === 'option' ? ['--help', '--version'] : Object.keys(COMMANDS);
  throw new OptionError(`unknown ${what} '${printable(name)}'${suggest(name, known)}; see kernelwright --help`);
}

async function help(name: string | undefined): Promise<string> {
  if (name !== undefined) return (await commandNamed(name)).help();
  const lines = await Promise.all(
    Object.entries(COMMANDS).map(async ([command, load]) => `  ${command.padEnd(10)}${(await load()).summary}`),
  );
  return [
    'usage: kernelwright COMMAND ...',
    '',
    ...lines,
    '',
    'kernelwright COMMAND --help says more of each; --version prints the version.',
    'Exit codes: 0 done, 1 something failed, 2 a wrong command line, 130 interrupted by Ctrl-C.',
  ].join('\n');
}

/**
 * Shows what got slower from one report to another:
 *
 *     npm run bench:compare -- OLD.json NEW.json
 *
 * Exit code 1 where anything did, or a file cannot be read.
 */
import { readFile } from 'node:fs/promises';
import { runProgram } from '../lib/command-line/arguments.js';
import { DataError, OptionError } from '../lib/errors.js';
import { reasonOf } from '../lib/node/reasons.js';
import { type Change, compareResults, LEAST_CHANGE, type Measured, nameOf, readResults } from './comparison.js';
import { timeText } from './figures.js';

const USAGE = 'usage: npm run bench:compare -- OLD.json NEW.json';

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(USAGE);
    return 0;
  }
  const [oldFile, newFile, ...more] = args;
  if (oldFile === undefined || newFile === undefined || more.length > 0) {
    throw new OptionError(`expected two files, got ${args.length}\n${USAGE}`);
  }
  const comparison = compareResults(await read(oldFile), await read(newFile));
  const { changes, onlyOld, onlyNew } = comparison;
  if (changes.length === 0) throw new DataError(`${oldFile} and ${newFile} have no benchmark in common`);

  console.log(`${'old'.padStart(10)}${'new'.padStart(10)}${'new/old'.padStart(9)}`);
  for (const change of [...changes].sort((a, b) => b.ratio - a.ratio)) console.log(lineOf(change));
  for (const result of onlyOld) console.log(`only in ${oldFile}: ${nameOf(result)}`);
  for (const result of onlyNew) console.log(`only in ${newFile}: ${nameOf(result)}`);
  const count = (verdict: Change['verdict']) => changes.filter((change) => change.verdict === verdict).length;
  console.log(
    `\n${count('slower')} slower, ${count('faster')} faster, ${count('same')} the same. A median has changed where it is ` +
      `off by more than both\ninterquartile ranges together, and by more than ${LEAST_CHANGE * 100} %.`,
  );
  return count('slower') > 0 ? 1 : 0;
}

async function read(file: string): Promise<Measured[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new DataError(`cannot read ${file}: ${reasonOf(error)}`);
  }
  return readResults(file, text);
}

function lineOf({ old, new: now, ratio, verdict }: Change): string {
  const times = [old, now].map(({ medianMilliseconds }) => timeText(medianMilliseconds).padStart(10)).join('');
  const mark = verdict === 'same' ? '' : verdict.toUpperCase();
  return `${times}${ratio.toFixed(2).padStart(9)}  ${mark.padEnd(8)}${nameOf(now)}`;
}

await runProgram('bench:compare', main);

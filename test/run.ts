/**
 * Runs the tests under tape, in one process: every test/**\/*.test.ts, sorted, or those whose path contains one of the
 * arguments and none that stands behind a `!` (`npm test -- ops/matmul data '!simd'`). Prints a line a file, what failed
 * in full and what was slow; with arguments, a line a test as well. It ends with what failed once more, in short, and
 * `N passed, N failed`, counted in tests: .ci/run repeats all from the line `failed tests:` on.
 */
import { readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import tape from 'tape';
import '../lib/run.js'; // by which tensor.data() computes: a test may import no more than lib/tensor.ts

/** tape has no timeout of its own: a run in which nothing happens for so long has failed. */
const silenceAllowed = Number(process.env['KERNELWRIGHT_TEST_TIMEOUT'] ?? 300) * 1000;

/** A test that takes so many milliseconds is named. */
const slow = 2000;

/** So many failed assertions are repeated at the end, and so many characters of a value. */
const repeated = { assertions: 20, characters: 120 };

/** What tape's object stream yields: a test begins, an assertion was made, a test is over, or a comment. */
type Row =
  | { type: 'test'; id: number; name: string; skip?: boolean | string; todo?: boolean | string }
  | ({ type: 'assert'; test: number; ok: boolean; name: string; operator: string; at?: string } & Details)
  | { type: 'end'; test: number }
  | string;
interface Details {
  actual?: unknown;
  expected?: unknown;
  error?: unknown;
  skip?: boolean | string;
  todo?: boolean | string;
}

type FailedRow = Details & { operator: string; at?: string };

interface Test {
  readonly file: string;
  readonly name: string;
  readonly skipped: boolean;
  readonly since: number;
  assertions: number;
  failures: number;
  outcome?: 'passed' | 'failed' | 'skipped';
}

const here = fileURLToPath(new URL('.', import.meta.url));
const filters = process.argv.slice(2);
const wanted = filters.filter((filter) => !filter.startsWith('!'));
const unwanted = filters.filter((filter) => filter.startsWith('!')).map((filter) => filter.slice(1));
const files = readdirSync(here, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts') && !file.includes('node_modules'))
  .map((file) => `test/${file.split(sep).join('/')}`)
  .filter((file) => wanted.length === 0 || wanted.some((filter) => file.includes(filter)))
  .filter((file) => !unwanted.some((filter) => file.includes(filter)))
  .sort();
if (files.length === 0) {
  console.error(filters.length > 0 ? `no test file's path contains ${filters.join(' or ')}` : 'no test files');
  process.exit(1);
}

const heading = '# ';
const tests = new Map<number, Test>();
const total = { passed: 0, failed: 0, skipped: 0, assertions: 0 };
const start = performance.now();
const failures: string[] = [];
let current = { file: '', tests: 0, failed: 0, since: start };
let over = false;
let watchdog = startWatchdog();

// Not before: an assertion may come when its test, and all tests, are over.
process.on('exit', () => {
  if (!over) {
    const running = [...tests.values()].filter(({ outcome }) => outcome === undefined);
    for (const test of running) fail(test, 'the process ended before the test did');
    total.failed += Math.max(running.length, 1);
  }
  summarize();
});
tape.createStream({ objectMode: true }).on('data', onRow).on('end', onEnd);
tape.onFailure(() => {
  if (!over) return; // it is a row
  total.failed++;
  failures.push('not ok  an assertion was made when all tests were over');
});

// Loading is the first test, so that tape waits for it; the tests of the files follow it.
tape(`load ${files.length} test files`, async (t) => {
  for (const file of files) {
    tape(heading + file, (mark) => {
      mark.end();
    });
    try {
      await import(pathToFileURL(join(here, relative('test', file))).href);
    } catch (error) {
      t.fail(`${file}: ${error instanceof Error ? (error.stack ?? error.message) : inspect(error)}`);
    }
  }
});

function onRow(row: Row): void {
  clearTimeout(watchdog);
  if (!over) watchdog = startWatchdog();
  if (typeof row === 'string') return;
  if (row.type === 'test') {
    if (row.name.startsWith(heading)) nextFile(row.name.slice(heading.length));
    const { file } = current;
    const [skipped, since] = [Boolean(row.skip), performance.now()];
    tests.set(row.id, { file, name: row.name, skipped, since, assertions: 0, failures: 0 });
    return;
  }
  const test = tests.get(row.test);
  if (test === undefined) return;
  if (row.type === 'assert') {
    test.assertions++;
    total.assertions++;
    if (row.ok || row.todo) return;
    test.failures++;
    fail(test, row.name, row);
    if (test.outcome !== 'passed') return;
    test.outcome = 'failed'; // by an assertion that came too late
    total.passed--;
    total.failed++;
  } else {
    const outcome = test.failures > 0 ? 'failed' : test.skipped ? 'skipped' : 'passed';
    test.outcome = outcome;
    if (test.name.startsWith(heading)) return;
    const milliseconds = Math.round(performance.now() - test.since);
    if (outcome === 'failed') current.failed++;
    if (row.test > 0 || outcome === 'failed') total[outcome]++; // the first one loads the files
    current.tests++;
    if (outcome === 'passed' && filters.length === 0 && milliseconds < slow) return;
    const word = { passed: 'ok', failed: 'not ok', skipped: 'skip' }[outcome];
    report(`  ${word}  ${test.name} (${test.assertions} assertions, ${milliseconds} ms)`);
  }
}

/** Says how the file went whose tests are over, and begins the next one. */
function nextFile(file: string): void {
  const { tests, failed, since } = current;
  const seconds = ((performance.now() - since) / 1000).toFixed(1);
  if (current.file !== '') report(`${failed > 0 ? 'not ok' : 'ok'}  ${current.file} (${tests} tests, ${seconds} s)`);
  current = { file, tests: 0, failed: 0, since: performance.now() };
}

function onEnd(): void {
  over = true;
  nextFile('');
  clearTimeout(watchdog);
  // Unreferenced: it comes only where something, say an open device, holds the process.
  setTimeout(() => {
    report('the tests are over, but something keeps the process alive: ended by force');
    process.exit(1);
  }, 10_000).unref();
}

function summarize(): void {
  if (total.failed > 0) process.exitCode = 1;
  if (failures.length > 0) {
    report(`\nfailed tests:`);
    failures.slice(0, repeated.assertions).forEach(report);
    if (failures.length > repeated.assertions) report(`and ${failures.length - repeated.assertions} more assertions`);
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  report(`\n${total.assertions} assertions in ${files.length} files, ${seconds} s`);
  report(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`);
}

function startWatchdog(): NodeJS.Timeout {
  return setTimeout(() => {
    report(`nothing has happened for ${silenceAllowed / 1000} s`);
    process.exit(1);
  }, silenceAllowed).unref();
}

/** Prints in full what failed, and keeps it in short for the end. */
function fail({ file, name }: Test, what: string, row?: FailedRow): void {
  const full = row ? details(row) : [];
  const indent = '\n          ';
  report(`  FAILED  ${name}: ${what}${full.map((line) => indent + line.replaceAll('\n', indent)).join('')}`);
  const short = row ? inShort(row) : '';
  failures.push(`not ok  ${file}: ${name}: ${what.slice(0, 4 * repeated.characters)}${short}`);
}

function details(row: FailedRow): string[] {
  const show = (value: unknown) => inspect(value, { depth: 4, maxArrayLength: 12, breakLength: 100 });
  const lines = row.at ? [`at ${row.at}`] : [];
  const thrown = row.actual instanceof Error ? row.actual : row.error;
  if (row.operator !== 'fail' && ('expected' in row || 'actual' in row)) {
    lines.push(`expected ${show(row.expected)}`, `actual   ${show(row.actual)}`);
  } else if (thrown instanceof Error && row.operator !== 'fail') {
    lines.push(thrown.stack ?? thrown.message);
  }
  return lines;
}

/** Where an assertion failed, and what it has found, from shortly before the first difference on. */
function inShort(row: FailedRow): string {
  const at = row.at ? `\n        at ${row.at}` : '';
  if (row.operator === 'fail' || !('expected' in row || 'actual' in row)) return at;
  const show = (value: unknown) => inspect(value, { depth: 4, maxArrayLength: 12, breakLength: Infinity });
  const expected = show(row.expected);
  const actual = show(row.actual);
  let same = 0;
  while (same < expected.length && expected[same] === actual[same]) same++;
  const from = Math.max(0, same - repeated.characters / 4);
  const cut = (text: string) => (from > 0 ? '...' : '') + text.slice(from, from + repeated.characters);
  return `${at}\n        expected ${cut(expected)}\n        actual   ${cut(actual)}`;
}

function report(line: string): void {
  process.stdout.write(`${line}\n`);
}

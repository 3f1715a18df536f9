import type test from 'tape';
import { DataError } from '../../lib/errors.js';

type ErrorClass = new (message: string, ...rest: never[]) => Error;

/** The call throws an error of the class, whose message matches every pattern (a string: contains it). */
export function refuses(
  t: test.Test,
  call: () => unknown,
  expected: ErrorClass,
  ...patterns: readonly (string | RegExp)[]
): void {
  try {
    call();
  } catch (error) {
    check(t, error, expected, patterns);
    return;
  }
  t.fail(`nothing was thrown, expected a ${expected.name}`);
}

/** `refuses` for a promise. */
export async function rejects(
  t: test.Test,
  promise: Promise<unknown>,
  expected: ErrorClass,
  ...patterns: readonly (string | RegExp)[]
): Promise<void> {
  try {
    await promise;
  } catch (error) {
    check(t, error, expected, patterns);
    return;
  }
  t.fail(`nothing was thrown, expected a ${expected.name}`);
}

/** The message of the DataError that a promise is rejected with; `done` or what else happened. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'done';
  } catch (error) {
    return error instanceof DataError ? error.message : `not a DataError: ${String(error)}`;
  }
}

function check(t: test.Test, error: unknown, expected: ErrorClass, patterns: readonly (string | RegExp)[]): void {
  if (!(error instanceof expected)) {
    t.fail(`expected a ${expected.name}, got ${String(error)}`);
    return;
  }
  const missing = patterns.filter((pattern) =>
    typeof pattern === 'string' ? !error.message.includes(pattern) : !pattern.test(error.message),
  );
  t.deepEqual(missing.map(String), [], `${expected.name}: ${error.message}`);
}

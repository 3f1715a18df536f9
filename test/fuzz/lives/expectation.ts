import { differs } from '../../support/close.js';
import type { Numbers } from './plain-net.js';

/** What an action may come to. */
export interface Expectation {
  /** Names of the errors that it may be refused with. */
  readonly errors: readonly string[];
  /** What it may give, in the order of time; none where it must be refused. */
  readonly outcomes: readonly Numbers[];
  /** Its numbers come in parts of this length, each from the same outcome as the part before or a later one. */
  readonly partLength?: number;
}

const TOLERANCE = { absolute: 2e-4, relative: 2e-4 };

/** How an action disagrees with what is expected, in words; undefined where it does not. */
export function disagreement(got: PromiseSettledResult<Numbers>, expected: Expectation): string | undefined {
  const { errors, outcomes } = expected;
  if (got.status === 'rejected') {
    const error: unknown = got.reason;
    if (error instanceof Error && errors.includes(error.name)) return undefined;
    return `was refused (${String(error)}), expected ${outcomes.length > 0 ? 'a result' : errors.join(' or ')}`;
  }
  if (outcomes.length === 0) return `was not refused, expected ${errors.join(' or ')}`;
  const problems = problemsOf(got.value, expected);
  if (problems.length === 0) return undefined;
  const [first = ''] = problems;
  return outcomes.length === 1 ? first : `fits none of ${outcomes.length} moments; of the first: ${first}`;
}

/** Empty where one outcome fits, or one for each part. */
function problemsOf(got: Numbers, { outcomes, partLength }: Expectation): string[] {
  if (partLength === undefined) {
    const problems = outcomes.map((outcome) => problemIn(got, outcome));
    return problems.includes(undefined) ? [] : problems.filter((problem) => problem !== undefined);
  }
  const [values = []] = got.values();
  let from = 0;
  for (let start = 0; start < values.length; start += partLength) {
    const part = partOf(got, start, partLength);
    const problems = outcomes.slice(from).map((outcome) => problemIn(part, partOf(outcome, start, partLength)));
    const fitting = problems.indexOf(undefined);
    if (fitting < 0) return problems.filter((problem) => problem !== undefined);
    from += fitting;
  }
  return [];
}

function partOf(numbers: Numbers, start: number, length: number): Numbers {
  return new Map([...numbers].map(([name, values]) => [name, Array.from(values).slice(start, start + length)]));
}

function problemIn(got: Numbers, expected: Numbers): string | undefined {
  for (const [name, values] of expected) {
    const ours = got.get(name);
    const problem = ours ? differs(Float64Array.from(ours), values, TOLERANCE) : 'is missing';
    if (problem !== undefined) return `${name}: ${problem}`;
  }
  return undefined;
}

import fc from 'fast-check';

/** A kind of random case, and how one is judged. Made anew for each search. */
export interface Campaign<Case> {
  readonly cases: fc.Arbitrary<Case>;
  /** What is wrong with a case, as a program that shows it; undefined where all is right. */
  problemOf(found: Case): Promise<string | undefined>;
  /** Cases that are a little smaller: what fast-check does not try. */
  smaller(found: Case): Iterable<Case>;
}

/** How long to search: so many cases, or so many seconds. */
export type SearchLength = { readonly runs: number } | { readonly seconds: number };

export interface SearchResult {
  /** How many cases were tried. */
  readonly cases: number;
  /** The smallest case found that is wrong, with the seed that leads to it. */
  readonly problem: string | undefined;
}

/** Tries random cases until one is wrong, and then smaller ones like it. The same seed tries the same cases. */
export async function search<Case>(
  campaign: Campaign<Case>,
  seed: number,
  length: SearchLength,
): Promise<SearchResult> {
  let problem: string | undefined;
  const isWrong = async (found: Case): Promise<boolean> => {
    const next = await problemIn(campaign, found);
    problem = next ?? problem;
    return next !== undefined;
  };
  const property = fc.asyncProperty(campaign.cases, async (found) => !(await isWrong(found)));
  const { numRuns, counterexample } = await fc.check(property, {
    seed,
    ...('runs' in length
      ? { numRuns: length.runs }
      : { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: length.seconds * 1000 }),
  });
  if (counterexample) await minimize(campaign, counterexample[0], isWrong);
  return { cases: numRuns, problem: problem === undefined ? undefined : `seed ${seed}, case ${numRuns}\n\n${problem}` };
}

/** Goes on to smaller cases for as long as they are wrong. */
async function minimize<Case>(
  campaign: Campaign<Case>,
  found: Case,
  isWrong: (found: Case) => Promise<boolean>,
): Promise<void> {
  for (const candidate of campaign.smaller(found)) {
    if (await isWrong(candidate)) return minimize(campaign, candidate, isWrong);
  }
}

async function problemIn<Case>(campaign: Campaign<Case>, found: Case): Promise<string | undefined> {
  try {
    return await campaign.problemOf(found);
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

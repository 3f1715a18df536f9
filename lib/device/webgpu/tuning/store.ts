/** Where choices of kernels are kept from one run of a program to the next: one text. */
export interface TuningStore {
  /** The text that was written last; undefined where there is none, or where it cannot be read. */
  read(): Promise<string | undefined>;
  /** Replaces the text, whole or not at all. */
  write(text: string): Promise<void>;
}

/** Layout of the text. A text of another version counts as none. */
const VERSION = 1;

/** The choices in a text, by key; none where it is missing or broken. */
export function parseChoices(text: string | undefined): Map<string, string> {
  const parsed = parseJson(text ?? '');
  if (!isRecord(parsed) || parsed['version'] !== VERSION || !isRecord(parsed['choices'])) return new Map();
  return new Map(
    Object.entries(parsed['choices']).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** The text of choices. */
export function choicesText(choices: ReadonlyMap<string, string>): string {
  return `${JSON.stringify({ version: VERSION, choices: Object.fromEntries(choices) }, undefined, 1)}\n`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

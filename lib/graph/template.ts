import { RecentValues } from '../recent.js';

/** Texts of one template that are kept filled in: the layers of a net ask for few, and for each of them again and again. */
const FILLED_KEPT = 64;

const filled = new Map<string, RecentValues<string>>();

/**
 * Fills in a WGSL file that is a template. The lines between `// each NAME of COUNT` and `// end NAME` stand as often as
 * the count says, with 0, 1, … in place of `$NAME`; a count is a number, or the name of one of `counts`, and 0 or 1 (`each
 * once of ..`) makes a condition of it. Other names behind a `$` are replaced by their texts. Throws Error where a count or
 * a text is missing.
 */
export function fillTemplate(
  source: string,
  counts: Readonly<Record<string, number>>,
  texts: Readonly<Record<string, string>> = {},
): string {
  const ofSource = filled.get(source) ?? new RecentValues<string>(FILLED_KEPT, () => undefined);
  filled.set(source, ofSource);
  const key = JSON.stringify([counts, texts]);
  const known = ofSource.get(key);
  if (known !== undefined) return known;
  const text = fill(source, counts, texts);
  ofSource.set(key, text);
  return text;
}

function fill(
  source: string,
  counts: Readonly<Record<string, number>>,
  texts: Readonly<Record<string, string>>,
): string {
  const repeated = repeatLines(source, counts);
  return repeated.replace(/\$([A-Za-z]+)/g, (_, name: string) => {
    const text = texts[name];
    if (text === undefined) throw new Error(`the kernel source has $${name}, for which there is no text`);
    return text;
  });
}

const REPEATED = /^ *\/\/ each (\w+) of (\w+)\n([^]*?)^ *\/\/ end \1\n/gm;

function repeatLines(source: string, counts: Readonly<Record<string, number>>): string {
  return source.replace(REPEATED, (_, name: string, of: string, lines: string) => {
    const count = counts[of] ?? Number(of);
    if (!Number.isInteger(count)) throw new Error(`the kernel source repeats lines ${of} times, which is no number`);
    return Array.from({ length: count }, (_, i) =>
      repeatLines(lines.replace(new RegExp(`\\$${name}(?![A-Za-z])`, 'g'), String(i)), counts),
    ).join('');
  });
}

/** Controls of the terminal, breaks of lines and paragraphs, marks that turn the direction of writing, half characters. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/gu;

/**
 * A name from a disk or a file as messages show it: what a terminal would obey stands there as an escape, `\u{1b}`, so
 * that a name can neither colour, clear nor reorder what is printed around it.
 */
export function printable(name: string): string {
  return name.replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`);
}

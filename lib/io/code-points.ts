/**
 * Compares two texts by code point, as UTF-8 bytes and Rust's strings are ordered: negative where `a` comes first. The
 * operator `<` compares UTF-16 units, so it puts U+1F600 before U+FF5E.
 */
export function compareCodePoints(a: string, b: string): number {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return (a.codePointAt(i) ?? -1) - (b.codePointAt(i) ?? -1); // the end of a text comes before every character
}

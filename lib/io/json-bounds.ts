/** What a JSON text may hold at most. */
export interface JsonBounds {
  /** Objects and arrays inside of each other. */
  readonly depth: number;
  /** Texts, numbers, objects and arrays in all. */
  readonly values: number;
}

const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c];
const [OPENING_BRACKET, CLOSING_BRACKET, OPENING_BRACE, CLOSING_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * What a JSON text has too much of, or undefined. It is not parsed, because that is what must not be done with some: of
 * 100 MB of brackets `JSON.parse` makes gigabytes in minutes.
 *
 * @param json in UTF-8, in which no byte of a longer character is one of JSON's signs
 */
export function jsonExcess(json: Uint8Array, bounds: JsonBounds): string | undefined {
  let depth = 0;
  let values = 1;
  for (let i = 0; i < json.length; i++) {
    const sign = json[i];
    if (sign === QUOTE) {
      i++;
      while (i < json.length && json[i] !== QUOTE) i += json[i] === BACKSLASH ? 2 : 1;
    } else if (sign === COMMA) {
      values++;
    } else if (sign === OPENING_BRACKET || sign === OPENING_BRACE) {
      values++; // the first one in it
      depth++;
      if (depth > bounds.depth) return `is nested more than ${bounds.depth} deep`;
    } else if (sign === CLOSING_BRACKET || sign === CLOSING_BRACE) {
      depth--;
    }
    if (values > bounds.values) return `has more than ${bounds.values} values`;
  }
  return undefined;
}

/**
 * The first name that stands twice in one object of a JSON text, or undefined. `JSON.parse` keeps the last of them
 * without a word, so that two readers of the same file could see different things.
 *
 * @param json a text that `JSON.parse` accepts; the result for any other is meaningless
 */
export function repeatedName(json: string): string | undefined {
  const names: (Set<string> | undefined)[] = []; // one for each open object; undefined for an open array
  // NOTE: a loop, because a regular expression overflows the stack on strings of some million characters.
  for (let i = 0; i < json.length; i++) {
    const character = json[i];
    if (character === '{') names.push(new Set());
    else if (character === '[') names.push(undefined);
    else if (character === '}' || character === ']') names.pop();
    else if (character === '"') {
      const start = i;
      i = closingQuote(json, start);
      if (!isFollowedByColon(json, i + 1)) continue;
      const name: unknown = JSON.parse(json.slice(start, i + 1)); // "a" and "\u0061" are the same name
      const seen = names.at(-1);
      if (typeof name !== 'string' || seen === undefined) continue;
      if (seen.has(name)) return name;
      seen.add(name);
    }
  }
  return undefined;
}

function closingQuote(json: string, openingQuote: number): number {
  let i = openingQuote + 1;
  while (i < json.length && json[i] !== '"') i += json[i] === '\\' ? 2 : 1;
  return i;
}

function isFollowedByColon(json: string, start: number): boolean {
  let i = start;
  while (json[i] === ' ' || json[i] === '\n' || json[i] === '\t' || json[i] === '\r') i++;
  return json[i] === ':';
}

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The font that comes with the package (Inter 4.001, SIL Open Font License 1.1): the same path from lib and from dist. Of
 * its characters it has Basic Latin to Latin Extended-A, Greek, Cyrillic, punctuation, currencies and mathematical signs.
 */
export const FONT_FILE = fileURLToPath(new URL('../../lib/report/fonts/Inter-Regular.ttf', import.meta.url));

/** What pictures ask for: the font of the package, and what machines have where it is not installed. */
export const FONT_FAMILY = 'Inter, system-ui, Helvetica, Arial, sans-serif';

/** Advance widths by code point, as shares of the font's size. */
let advances: ReadonlyMap<number, number> | undefined;

/** Of characters that the font lacks: those of Chinese, Japanese and Korean are as wide as they are high. */
const UNKNOWN_WIDTH = 1;

/** Width of a line of text in pixels, without kerning. */
export function textWidth(text: string, size: number): number {
  advances ??= readAdvances();
  let width = 0;
  for (const character of text) width += advances.get(character.codePointAt(0) ?? 0) ?? UNKNOWN_WIDTH;
  return width * size;
}

/** The text, or, where it is wider than `width` pixels, its beginning and its end with … in between. */
export function shortened(text: string, size: number, width: number): string {
  if (textWidth(text, size) <= width) return text;
  const characters = Array.from(text);
  for (let kept = characters.length - 1; kept > 1; kept--) {
    const head = Math.ceil(kept / 2);
    const short = `${characters.slice(0, head).join('')}…${characters.slice(characters.length - (kept - head)).join('')}`;
    if (textWidth(short, size) <= width) return short;
  }
  return '…';
}

/** Reads the tables `cmap` (format 12), `hhea`, `hmtx` and `head` of the font (OpenType specification 1.9.1). */
function readAdvances(): ReadonlyMap<number, number> {
  const bytes = readFileSync(FONT_FILE);
  const font = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const table = (name: string): number => {
    for (let i = 0; i < font.getUint16(4); i++) {
      const entry = 12 + 16 * i;
      if (bytes.toString('latin1', entry, entry + 4) === name) return font.getUint32(entry + 8);
    }
    throw new Error(`${FONT_FILE} has no table ${name}`);
  };
  const [head, hhea, hmtx, cmap] = [table('head'), table('hhea'), table('hmtx'), table('cmap')];
  const unitsPerEm = font.getUint16(head + 18);
  const lastMetric = font.getUint16(hhea + 34) - 1;
  const advanceOf = (glyph: number): number => font.getUint16(hmtx + 4 * Math.min(glyph, lastMetric)) / unitsPerEm;

  const found = new Map<number, number>();
  for (let i = 0; i < font.getUint16(cmap + 2); i++) {
    const subtable = cmap + font.getUint32(cmap + 4 + 8 * i + 4);
    if (font.getUint16(subtable) !== 12) continue;
    for (let group = 0; group < font.getUint32(subtable + 12); group++) {
      const at = subtable + 16 + 12 * group;
      const [first, last, glyph] = [font.getUint32(at), font.getUint32(at + 4), font.getUint32(at + 8)];
      for (let code = first; code <= last; code++) found.set(code, advanceOf(glyph + code - first));
    }
  }
  return found;
}

/** The texts of an SVG in their order, with what was escaped. */
export function textsOf(svg: string): string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text = '']) => text);
}

/** The attributes of the elements in groups of marks of this kind (`line`, `rect`, `symbol`, `image`, `rule`), without those of axes and legends. */
export function marksOf(svg: string, kind: string): string[] {
  const groups = svg.matchAll(
    new RegExp(`<g class="mark-${kind} role-mark[^>]*>((?:<(?:path|image)[^>]*>|<line[^>]*>|</image>)*)`, 'g'),
  );
  return [...groups].flatMap(([, inside = '']) =>
    [...inside.matchAll(/<(?:path|image|line) ([^>]*?)\/?>/g)].map(([, mark = '']) => mark),
  );
}

/** Points of the path of a mark. */
export function pointsOf(mark: string): number {
  const path = / ?d="([^"]*)"/.exec(mark)?.[1] ?? '';
  return [...path.matchAll(/[ML]/g)].length;
}

/** A point in a picture, in pixels from the upper left, with the text that is to stand beside it. */
export interface Labelled {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

/** Where a label goes: the end next to its point, and the middle of its height; `isFar` where a line must lead to it. */
export interface Placed {
  readonly x: number;
  readonly y: number;
  /** Which end of the text `x` is. */
  readonly align: 'left' | 'right';
  readonly isFar: boolean;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Letters of the labels, at most: fonts differ from one viewer to the next. */
const LETTER_WIDTH = 5.9;
const LINE_HEIGHT = 12;
/** From a point to a label beside it, and to one in a list. */
const GAP = 7;
const LIST_GAP = 34;
const POINT_RADIUS = 4;
/** Points with no wider gap between them, left to right, are a column; from so many on their labels become a list. */
const COLUMN_GAP = 9;
const LIST_FROM = 8;

/** Width of a text, at most. */
export function textWidth(text: string): number {
  return text.length * LETTER_WIDTH;
}

/**
 * Finds a place for each label, so that it covers no other label, no point and no obstacle. Points that stand in a column
 * get their labels in a list beside it, in the order of the points, so that no lines cross; the others the nearest free
 * place.
 *
 * @param obstacles further points that labels must not cover (the roofs, as dots)
 */
export function placeLabels(
  points: readonly Labelled[],
  size: Size,
  obstacles: readonly { readonly x: number; readonly y: number }[] = [],
): Placed[] {
  const taken: Box[] = [
    ...points.map(({ x, y }) => boxAround(x, y, POINT_RADIUS)),
    ...obstacles.map(({ x, y }) => boxAround(x, y, 2)),
  ];
  const placed = new Map<Labelled, Placed>();
  const place = (point: Labelled, box: Box, isFar: boolean): void => {
    taken.push(box);
    const align = box.left > point.x ? 'left' : 'right';
    placed.set(point, { x: box[align], y: (box.top + box.bottom) / 2, align, isFar });
  };
  const isFree = (box: Box): boolean => isInside(box, size) && !taken.some((other) => overlap(box, other));

  // The first list goes to the left of its column, where there is nothing else; the others to the right.
  columnsOf(points)
    .filter((column) => column.length >= LIST_FROM)
    .forEach((column, i) => {
      for (const { point, box } of listBeside(column, i === 0 ? 'left' : 'right', isFree)) place(point, box, true);
    });
  for (const point of [...points].sort(byHeight)) {
    if (placed.has(point)) continue;
    const best = candidates(point).find(({ box }) => isFree(box));
    place(point, best?.box ?? boxAt(point.x + GAP, point.y, point.text), (best?.distance ?? 0) > LINE_HEIGHT);
  }
  return points.map((point) => placed.get(point) ?? { ...point, align: 'left', isFar: false });
}

/** Points by columns, from left to right. */
function columnsOf(points: readonly Labelled[]): Labelled[][] {
  const columns: Labelled[][] = [];
  for (const point of [...points].sort((a, b) => a.x - b.x)) {
    const column = columns.at(-1);
    if (point.x - (column?.at(-1)?.x ?? -Infinity) <= COLUMN_GAP) column?.push(point);
    else columns.push([point]);
  }
  return columns;
}

/** The labels of a column, each as near to the height of its point as those above it allow. */
function listBeside(column: readonly Labelled[], side: 'left' | 'right', isFree: (box: Box) => boolean) {
  const points = [...column].sort(byHeight);
  const xs = points.map(({ x }) => x);
  const edge = side === 'left' ? Math.min(...xs) - LIST_GAP : Math.max(...xs) + LIST_GAP;
  const list: { readonly point: Labelled; readonly box: Box }[] = [];
  let least = 0;
  spreadOut(points.map(({ y }) => y)).forEach((wanted, i) => {
    const point = points[i];
    if (!point) return;
    const left = side === 'left' ? edge - textWidth(point.text) : edge;
    const boxFor = (y: number): Box => boxAt(left, y, point.text);
    let y = Math.max(wanted, least);
    while (!isFree(boxFor(y)) && y < wanted + 400) y += 3;
    list.push({ point, box: boxFor(y) });
    least = y + LINE_HEIGHT;
  });
  return list;
}

/** Heights in ascending order, moved as little as possible so that there is a line between any two (pooling neighbours). */
function spreadOut(heights: readonly number[]): number[] {
  const pools: { start: number; count: number }[] = [];
  for (const height of heights) {
    let pool = { start: height, count: 1 };
    for (
      let above = pools.at(-1);
      above && above.start + above.count * LINE_HEIGHT > pool.start;
      above = pools.at(-1)
    ) {
      const count = above.count + pool.count;
      const ownStart = pool.start - above.count * LINE_HEIGHT;
      pool = { start: (above.start * above.count + ownStart * pool.count) / count, count };
      pools.pop();
    }
    pools.push(pool);
  }
  return pools.flatMap(({ start, count }) =>
    Array.from({ length: count }, (_, i) => Math.max(start, LINE_HEIGHT) + i * LINE_HEIGHT),
  );
}

/** Places beside a point, the nearest first. */
function candidates({ x, y, text }: Labelled) {
  const found: { readonly box: Box; readonly distance: number }[] = [];
  for (let row = 0; row <= 60; row++) {
    for (let column = 0; column <= 4; column++) {
      const aside = GAP + column * 24 + (row > 0 ? 6 : 0);
      for (const down of row === 0 ? [0] : [row, -row]) {
        const shift = down * (LINE_HEIGHT / 2);
        const distance = Math.hypot(shift, aside - GAP);
        found.push({ box: boxAt(x + aside, y + shift, text), distance });
        found.push({ box: boxAt(x - aside - textWidth(text), y + shift, text), distance: distance + 1 });
      }
    }
  }
  return found.sort((a, b) => a.distance - b.distance);
}

function boxAt(left: number, middle: number, text: string): Box {
  const half = LINE_HEIGHT / 2;
  return { left, right: left + textWidth(text), top: middle - half, bottom: middle + half };
}

function boxAround(x: number, y: number, radius: number): Box {
  return { left: x - radius, right: x + radius, top: y - radius, bottom: y + radius };
}

function isInside({ left, right, top, bottom }: Box, { width, height }: Size): boolean {
  return left >= 0 && right <= width && top >= 0 && bottom <= height;
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function byHeight(a: Labelled, b: Labelled): number {
  return a.y - b.y;
}

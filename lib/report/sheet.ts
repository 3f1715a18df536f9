import { drawSvg } from './draw.js';
import type { TitleOptions } from './curves.js';

/** What stands on a sheet, in pixels from its left upper corner. */
export interface Marks {
  readonly images?: readonly Image[];
  readonly bars?: readonly Bar[];
  readonly texts?: readonly Text[];
}

interface Place {
  readonly x: number;
  readonly y: number;
}
interface Image extends Place {
  readonly width: number;
  readonly height: number;
  readonly url: string;
}
interface Bar extends Place {
  readonly width: number;
  readonly height: number;
  readonly colour: string;
}
interface Text extends Place {
  readonly text: string;
  readonly colour: string;
  /** Default `left`. */
  readonly align?: 'left' | 'right' | 'center';
}

/** A part of a sheet, as large as all others. */
export interface Cell {
  readonly marks: Marks;
  /** What it shows, in words. */
  readonly description: string;
}

/** Cells of one size, in rows of `columns`. */
export interface Sheet extends TitleOptions {
  readonly cells: readonly Cell[];
  readonly width: number;
  readonly height: number;
  readonly columns: number;
  /** Around all cells, in pixels. Default 12. */
  readonly margin?: number;
  /** Between cells. Default 24. */
  readonly gap?: number;
  /** Default: what the cells say one after the other. */
  readonly description?: string;
}

/** Draws cells in rows. */
export function drawSheet({
  cells,
  width,
  height,
  columns,
  gap = 24,
  margin = 12,
  title,
  subtitle,
  description,
}: Sheet): Promise<string> {
  const across = Math.max(1, Math.min(columns, cells.length));
  const side = across * (width + gap) - gap;
  const down = Math.ceil(cells.length / across);
  const moved = <T extends Place>(kind: (marks: Marks) => readonly T[] | undefined): T[] =>
    cells.flatMap(({ marks }, i) =>
      (kind(marks) ?? []).map((mark) => ({
        ...mark,
        x: mark.x + (i % across) * (width + gap),
        y: mark.y + Math.floor(i / across) * (height + gap),
      })),
    );
  const corner = (mark: { readonly width: number; readonly height: number } & Place) => ({
    ...mark,
    right: mark.x + mark.width,
    bottom: mark.y + mark.height,
  });
  const place = <Name extends string>(field: Name) => ({
    field,
    type: 'quantitative' as const,
    scale: null,
    axis: null,
  });
  const [x, y] = [place('x'), place('y')];
  const colour = { field: 'colour', type: 'nominal' as const, scale: null };
  const box = { x, y, x2: { field: 'right' }, y2: { field: 'bottom' } };
  const texts = moved(({ texts: own }) => own);
  const layers = [
    {
      data: { values: moved(({ images }) => images).map(corner) },
      mark: { type: 'image' as const, aspect: false },
      encoding: { ...box, url: { field: 'url', type: 'nominal' as const } },
    },
    {
      data: { values: moved(({ bars }) => bars).map(corner) },
      mark: { type: 'rect' as const },
      encoding: { ...box, color: colour },
    },
    ...(['left', 'right', 'center'] as const).map((align) => ({
      data: { values: texts.filter((mark) => (mark.align ?? 'left') === align) },
      mark: { type: 'text' as const, align, baseline: 'alphabetic' as const },
      encoding: { text: { field: 'text', type: 'nominal' as const }, x, y, color: colour },
    })),
  ];
  return drawSvg({
    ...(title !== undefined && { title }),
    ...(subtitle !== undefined && { subtitle }),
    description: description ?? cells.map((cell) => cell.description).join(' '),
    around: { left: margin, top: margin, right: margin, bottom: margin, width: side },
    panel: {
      width: side,
      height: down * (height + gap) - gap,
      view: { stroke: null },
      layer: layers.filter(({ data }) => data.values.length > 0),
    },
  });
}

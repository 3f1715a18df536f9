import type { TopLevelSpec } from 'vega-lite';

const FONT = 'Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif';

/** What a picture shows: its title in one line or more, and rows of panels. */
export interface Picture {
  readonly title: { readonly text: string; readonly subtitle?: string[] };
  readonly vconcat: Extract<TopLevelSpec, { readonly vconcat: unknown }>['vconcat'];
  /** Between the rows. */
  readonly spacing: number;
}

/** Draws panels of vega-lite as SVG, in the style that all pictures share. */
export async function drawSvg({ title, vconcat, spacing }: Picture): Promise<string> {
  const { compile } = await import('vega-lite');
  const { parse, View } = await import('vega');
  const { spec } = compile({
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { ...title, anchor: 'start', fontSize: 15, offset: 14 },
    background: 'white',
    padding: 16,
    vconcat,
    spacing,
    config: {
      font: FONT,
      axis: { gridColor: '#eeeeee', labelFontSize: 11, titleFontSize: 12 },
      view: { stroke: '#bbbbbb' },
    },
  });
  const view = new View(parse(spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}

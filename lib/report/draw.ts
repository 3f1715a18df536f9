import type { TopLevelSpec } from 'vega-lite';
import { FONT_FAMILY, textWidth } from './font.js';
import { escapeText } from './html.js';
import { loadVega } from './libraries.js';
import { LIGHT } from './theme.js';

/** A chart of vega-lite, or charts side by side. */
export type Panel = Extract<TopLevelSpec, { readonly vconcat: unknown }>['vconcat'][number];

/** What a picture shows. */
export interface Drawing {
  readonly panel: Panel;
  /** What the picture tells, for those who do not see it. */
  readonly description: string;
  readonly title?: string;
  /** In a line or more. */
  readonly subtitle?: string | string[];
  /**
   * What stands around a panel of this width, in pixels, where that was measured; a title finds its own room. Vega does
   * not know the font, and would leave too much room for long texts. Default: as Vega estimates it.
   */
  readonly around?: {
    readonly left: number;
    readonly right: number;
    readonly bottom: number;
    /** Default 12. */
    readonly top?: number;
    readonly width: number;
  };
}

/** Size of the text at axes, in pixels. */
export const LABEL_SIZE = 11;

/** Room around everything. */
const MARGIN = 12;
const TITLE_SIZE = 15;
const SUBTITLE_SIZE = 12;

/** Draws as SVG, in the style that all pictures share. */
export async function drawSvg({ panel, description, title, subtitle, around }: Drawing): Promise<string> {
  const { vega, vegaLite } = await loadVega();
  const heading = title !== undefined && {
    text: title,
    ...(subtitle !== undefined && { subtitle }),
    ...(around && { frame: 'group', dx: MARGIN - around.left }),
  };
  const { spec } = vegaLite.compile({
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    ...panel,
    ...(heading && { title: heading }),
    background: LIGHT.paper,
    ...(around ? { padding: paddingOf(around, title, subtitle), autosize: 'none' } : { padding: MARGIN }),
    config: {
      font: FONT_FAMILY,
      aria: false,
      title: {
        ...{ anchor: 'start', offset: 14, fontSize: TITLE_SIZE, fontWeight: 'normal', color: LIGHT.ink },
        ...{ subtitleFontSize: SUBTITLE_SIZE, subtitleColor: LIGHT.muted },
      },
      axis: {
        ...{ gridColor: LIGHT.grid, tickColor: LIGHT.frame, domainColor: LIGHT.frame },
        ...{ labelColor: LIGHT.muted, labelFontSize: LABEL_SIZE, labelLimit: 0 },
        ...{ titleColor: LIGHT.ink, titleFontSize: 12, titleFontWeight: 'normal' },
      },
      legend: { labelColor: LIGHT.ink, labelFontSize: 12 },
      text: { fontSize: LABEL_SIZE, fill: LIGHT.ink },
      view: { stroke: LIGHT.frame },
    },
  } as TopLevelSpec);
  const view = new vega.View(vega.parse(spec), { renderer: 'none' });
  try {
    const svg = await view.toSVG();
    return svg.replace('<svg ', `<svg role="img" aria-label="${escapeText(description)}" `);
  } finally {
    view.finalize();
  }
}

function paddingOf(
  { left, right, bottom, top = MARGIN, width }: NonNullable<Drawing['around']>,
  title: string | undefined,
  subtitle: string | string[] | undefined,
) {
  const lines = [subtitle ?? []].flat();
  const widths = [textWidth(title ?? '', TITLE_SIZE), ...lines.map((line) => textWidth(line, SUBTITLE_SIZE))];
  const missing = Math.ceil(Math.max(...widths)) + 2 * MARGIN - (left + width + right);
  return {
    left,
    bottom,
    right: right + Math.max(0, missing),
    top: title === undefined ? top : 44 + 16 * lines.length,
  };
}

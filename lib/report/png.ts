import { checkArgument, checkOptions, number, type OptionRules, text, texts } from '../options.js';
import { FONT_FILE } from './font.js';
import { loadResvg } from './libraries.js';

/** Options of {@link svgToPng}. */
export interface SvgToPngOptions {
  /** Pixels of the PNG for each of the SVG: 2 for a display of high density, and for print. Default 2. */
  readonly scale?: number;
  /**
   * Font files (TTF, OTF) for what the package's own font lacks, such as Japanese. The package has Inter: Latin, Greek
   * and Cyrillic.
   */
  readonly fonts?: readonly string[];
}

const RULES: OptionRules<SvgToPngOptions> = { scale: number({ above: 0, max: 16 }), fonts: texts };

/**
 * A PNG file of an SVG, with the package's font: the same on every machine, also on one without fonts.
 *
 * @throws KernelwrightError, with the command to install it, without the package `@resvg/resvg-js`
 * @throws OptionError for an unknown option, or one out of its range
 */
export async function svgToPng(svg: string, options: SvgToPngOptions = {}): Promise<Uint8Array> {
  checkArgument('svgToPng', 'the SVG', svg, text);
  checkOptions('svgToPng', options, RULES);
  const { Resvg } = await loadResvg();
  const { scale = 2, fonts = [] } = options;
  const resvg = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: scale },
    font: { loadSystemFonts: false, fontFiles: [FONT_FILE, ...fonts], defaultFontFamily: 'Inter' },
  });
  return resvg.render().asPng();
}

import { join } from 'node:path';
import { writeFileAtomically } from '../node/write-file.js';
import { checkArgument, checkOptions, oneOf, type OptionRules, text } from '../options.js';
import { CONTENTS_RULES, type ReportContents } from './contents.js';
import { figuresOf } from './figures.js';
import { pageOf } from './page.js';
import { svgToPng } from './png.js';

/** Options of {@link writeReport}. */
export interface WriteReportOptions {
  /** The figures as files beside the page, too: `curves.png`, `confusion-matrix.png` … Default: the page alone. */
  readonly figures?: 'svg' | 'png';
}

const RULES: OptionRules<WriteReportOptions> = { figures: oneOf('svg', 'png') };

/**
 * Writes `report.html`: curves, confusion matrix, mistakes, predictions with their bars, saliency and weights, as far as the
 * contents have them. It is one file without scripts, which needs no other, for bright and for dark surroundings.
 *
 * Every picture is drawn before anything is written, and each file appears whole or not at all.
 *
 * @returns the paths of the files, the page first
 * @throws OptionError for contents or options that are unknown or cannot be used
 * @throws DataError for contents that do not fit together, and where a file cannot be written
 * @throws KernelwrightError, with the command to install them, without the packages `vega` and `vega-lite`, and for PNG
 *   without `@resvg/resvg-js`
 */
export async function writeReport(
  directory: string,
  contents: ReportContents,
  options: WriteReportOptions = {},
): Promise<string[]> {
  checkArgument('writeReport', 'the directory', directory, text);
  checkOptions('writeReport: contents', contents, CONTENTS_RULES);
  checkOptions('writeReport', options, RULES);
  const figures = figuresOf(contents);
  const files: [name: string, data: string | Uint8Array][] = [['report.html', await pageOf(contents, figures)]];
  if (options.figures !== undefined) {
    for (const { name, whole } of figures) {
      const svg = await whole();
      files.push([`${name}.${options.figures}`, options.figures === 'png' ? await svgToPng(svg) : svg]);
    }
  }
  for (const [name, data] of files) await writeFileAtomically(join(directory, name), data);
  return files.map(([name]) => join(directory, name));
}

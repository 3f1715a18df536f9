import { DataError } from '../errors.js';
import { checkArgument, checkOptions, list, type OptionRules, text } from '../options.js';
import { printable } from '../printable.js';
import { drawBars } from './confusion.js';
import type { TitleOptions } from './curves.js';
import { LABEL_SIZE } from './draw.js';
import { shortened } from './font.js';
import { percent } from './predictions.js';
import { LIGHT } from './theme.js';

/** How well the examples of one group were predicted, such as the pictures of one scene in a cross-validation. */
export interface GroupResult {
  readonly group: string;
  /** Examples that were predicted correctly. */
  readonly correct: number;
  /** Examples in the group. */
  readonly count: number;
}

const RULES: OptionRules<TitleOptions> = { title: text, subtitle: text };

/**
 * Draws the accuracy in each group, as SVG.
 *
 * @throws DataError where a group is empty, or has more right answers than examples
 * @throws KernelwrightError, with the command to install them, without the packages `vega` and `vega-lite`
 */
export async function drawGroups(groups: readonly GroupResult[], options: TitleOptions = {}): Promise<string> {
  checkOptions('drawGroups', options, RULES);
  const checked = checkGroups(groups);
  return drawBars({
    title: options.title,
    subtitle: options.subtitle,
    bars: checked.map(({ group, correct, count }) => ({
      name: shortened(printable(group), LABEL_SIZE, 200),
      value: correct / count,
      note: `${correct} of ${count}`,
    })),
    colour: LIGHT.blue,
    axis: 'accuracy',
    areShares: true,
    description: checked
      .map(({ group, correct, count }) => printable(`${group}: ${percent(correct / count)} of ${count} right.`))
      .join(' '),
  });
}

/** @internal */
export function checkGroups(groups: readonly GroupResult[]): readonly GroupResult[] {
  checkArgument('drawGroups', 'the groups', groups, list);
  for (const { group, correct, count } of groups) {
    const fits =
      Number.isFinite(correct) && Number.isSafeInteger(count) && count > 0 && correct >= 0 && correct <= count;
    if (!fits) throw new DataError(`drawGroups: ${printable(group)} has ${correct} right answers of ${count} examples`);
  }
  return groups;
}

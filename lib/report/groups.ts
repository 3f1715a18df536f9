import { DataError } from '../errors.js';
import { checkArgument, checkOptions, list, type OptionRules, text } from '../options.js';
import { printable } from '../printable.js';
import { drawBars } from './bars.js';
import type { TitleOptions } from './curves.js';
import { LABEL_SIZE } from './draw.js';
import { shortened } from './font.js';
import { percent } from './predictions.js';
import { LIGHT } from './theme.js';

/** How well the examples of one group were predicted, such as the pictures of one scene in a cross-validation. */
export interface GroupResult {
  /** Its name. */
  readonly group: string;
  /** Examples in the group. */
  readonly count: number;
  /** Share of them that was predicted correctly. */
  readonly accuracy: number;
}

const RULES: OptionRules<TitleOptions> = { title: text, subtitle: text };

/**
 * Draws the accuracy in each group, as SVG.
 *
 * @throws DataError where a group is empty, or an accuracy is no share
 * @throws KernelwrightError, with the command to install them, without the packages `vega` and `vega-lite`
 */
export async function drawGroups(groups: readonly GroupResult[], options: TitleOptions = {}): Promise<string> {
  checkOptions('drawGroups', options, RULES);
  const checked = checkGroups(groups);
  return drawBars({
    title: options.title,
    subtitle: options.subtitle,
    bars: checked.map(({ group, count, accuracy }) => ({
      name: shortened(printable(group), LABEL_SIZE, 200),
      value: accuracy,
      note: `${percent(accuracy)} of ${count}`,
    })),
    colour: LIGHT.blue,
    axis: 'accuracy',
    areShares: true,
    description: checked
      .map(({ group, count, accuracy }) => printable(`${group}: ${percent(accuracy)} of ${count} right.`))
      .join(' '),
  });
}

/** @internal */
export function checkGroups(groups: readonly GroupResult[]): readonly GroupResult[] {
  checkArgument('drawGroups', 'the groups', groups, list);
  for (const { group, count, accuracy } of groups) {
    const fits = Number.isSafeInteger(count) && count > 0 && accuracy >= 0 && accuracy <= 1;
    if (!fits)
      throw new DataError(`drawGroups: ${printable(group)} has an accuracy of ${accuracy} in ${count} examples`);
  }
  return groups;
}

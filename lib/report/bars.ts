import { drawSvg, LABEL_SIZE } from './draw.js';
import { textWidth } from './font.js';

const BAR_WIDTH = 180;

/** Bars with their names on the left and a number behind each. */
export interface Bars {
  readonly title: string | undefined;
  readonly subtitle: string | undefined;
  readonly bars: readonly { readonly name: string; readonly value: number; readonly note: string }[];
  readonly colour: string;
  /** What the axis counts. */
  readonly axis: string;
  readonly description: string;
  /** Whether the bars are shares, which are shown in percent; else they are counts. */
  readonly areShares?: boolean;
}

/** */
export function drawBars({
  bars,
  colour,
  axis,
  description,
  title,
  subtitle,
  areShares = false,
}: Bars): Promise<string> {
  const names = bars.map(({ name }, i) => `${i}\n${name}`);
  const left = Math.ceil(Math.max(0, ...bars.map(({ name }) => textWidth(name, LABEL_SIZE))));
  const behind = Math.ceil(Math.max(0, ...bars.map(({ note }) => textWidth(note, LABEL_SIZE))));
  const y = {
    field: 'name',
    type: 'nominal' as const,
    sort: names,
    axis: {
      labelExpr: `split(datum.value, '\\n')[1]`,
      title: null,
      ticks: false,
      labelPadding: 6,
      labelOverlap: false,
    },
  };
  const x = {
    field: 'value',
    type: 'quantitative' as const,
    title: axis,
    scale: { domain: [0, areShares ? 1 : Math.max(1, ...bars.map(({ value }) => value))] },
    axis: { format: areShares ? '~%' : 'd', tickMinStep: areShares ? 0.01 : 1, tickCount: 5 },
  };
  return drawSvg({
    ...(title !== undefined && { title }),
    ...(subtitle !== undefined && { subtitle }),
    description,
    around: { left: left + 16, right: behind + 20, bottom: 48, width: BAR_WIDTH },
    panel: {
      width: BAR_WIDTH,
      height: Math.max(1, bars.length) * 22,
      data: { values: bars.map((bar, i) => ({ ...bar, name: names[i] })) },
      layer: [
        { mark: { type: 'bar', color: colour, height: 13 }, encoding: { x, y } },
        {
          mark: { type: 'text', align: 'left', baseline: 'middle', dx: 6 },
          encoding: { x, y, text: { field: 'note', type: 'nominal' } },
        },
      ],
    },
  });
}

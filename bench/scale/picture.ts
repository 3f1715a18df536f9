import { drawSvg } from '../../lib/report/draw.js';
import type { Facts } from '../step/report.js';
import { BATCH, HIDDEN } from '../step/workload.js';
import { EXAMPLES, type ScalePoint, type Sweep, SWEEPS } from './points.js';

/** Size of a panel, in pixels. */
const WIDTH = 300;
const HEIGHT = 190;

const SWEEP_TITLES: Readonly<Record<Sweep, string>> = {
  batch: 'batch',
  hidden: 'width of the hidden layer',
  examples: 'examples in the data set',
};

interface Quantity {
  readonly title: string;
  readonly colour: string;
  readonly scale: 'log' | 'linear';
  readonly value: (point: ScalePoint) => number;
}

/** From top to bottom; Okabe and Ito's colours. */
const QUANTITIES: readonly Quantity[] = [
  {
    title: 'ns a multiply-add',
    colour: '#0072B2',
    scale: 'log',
    value: ({ nanosecondsPerMultiplyAdd }) => nanosecondsPerMultiplyAdd,
  },
  { title: 'ms a step', colour: '#D55E00', scale: 'log', value: ({ millisecondsPerStep }) => millisecondsPerStep },
  {
    title: 'host ms a step (WebGPU)',
    colour: '#CC79A7',
    scale: 'linear',
    value: ({ hostMillisecondsPerStep }) => hostMillisecondsPerStep,
  },
  { title: 'MB in buffers', colour: '#009E73', scale: 'log', value: ({ bytes }) => bytes / 1e6 },
];

/** A column of panels for each thing that grows, a row for each quantity, as SVG. */
export async function drawScale({ device, machine, date }: Facts, points: readonly ScalePoint[]): Promise<string> {
  return drawSvg({
    title: "MyNet's training step as it grows",
    subtitle: [
      device,
      `${machine.cpu}, ${date.slice(0, 10)}; what does not grow is batch ${BATCH}, ${HIDDEN} hidden units, ${EXAMPLES} examples`,
    ],
    description: `How ${QUANTITIES.map(({ title }) => title).join(', ')} grow with ${Object.values(SWEEP_TITLES).join(', ')}.`,
    panel: {
      vconcat: QUANTITIES.map((quantity) => ({
        hconcat: SWEEPS.map((sweep) => panelOf(quantity, sweep, points)),
        spacing: 24,
      })),
      spacing: 18,
    },
  });
}

function panelOf({ title, colour, scale, value }: Quantity, sweep: Sweep, points: readonly ScalePoint[]) {
  const own = points.filter((point) => point.sweep === sweep);
  const values = points.map(value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return {
    width: WIDTH,
    height: HEIGHT,
    data: { values: own.map((point) => ({ size: point[sweep], value: value(point) })) },
    mark: { type: 'line' as const, point: { filled: true, size: 45, color: colour }, color: colour },
    encoding: {
      x: {
        field: 'size',
        type: 'quantitative' as const,
        scale: { type: 'log' as const, base: 2, nice: false, padding: 14 },
        axis: { values: own.map((point) => point[sweep]), format: 'd' },
        title: SWEEP_TITLES[sweep],
      },
      // The panels of a row have one scale: level is level, and steep is steep.
      y: {
        field: 'value',
        type: 'quantitative' as const,
        scale: { type: scale, domain: scale === 'log' ? [low / 1.5, high * 1.5] : [0, high * 1.15], nice: false },
        axis: { format: '~g', minExtent: 40, ...(scale === 'log' ? { tickCount: 4 } : {}) },
        title,
      },
    },
  };
}

import { DataError } from '../lib/errors.js';
import { placeLabels } from './label-layout.js';
import { drawSvg } from '../lib/report/draw.js';
import { familiesOfOperations } from '../tools/rooms.js';
import type { BenchResult, DeviceReport, Report } from './report-json.js';
import { figure } from './figures.js';

/** Size of the panel of one device, in pixels. */
const WIDTH = 1240;
const HEIGHT = 720;

/** Less work than this is no kernel's worth: such a point lies far below and means nothing. */
const LEAST_FLOP = 1000;

/** What is no operation of the list: a chain that was fused. */
const FUSED = 'fused';

/** Okabe and Ito's colours, which people tell apart who see few, and two more. */
const COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000', '#7A5195', '#8C564B'];

/** A place in the picture: flop a byte, and GFLOP/s. */
interface Point {
  readonly intensity: number;
  readonly gflops: number;
}

/** A logarithmic axis: its ends, and how many pixels it has. */
interface Axis {
  readonly ends: readonly [number, number];
  readonly pixels: number;
}

/**
 * The roofline picture (Williams, Waterman & Patterson 2009) of a report as SVG: what each benchmark reaches, over its
 * flop a byte, under the roofs that were measured on its device. Left out is what
 * computes next to nothing (data movers, scalars) or takes less than twice the time of doing nothing.
 */
export async function drawRoofline({ device, results, machine, date }: Report): Promise<string> {
  const families = await familiesOfOperations();
  const familyOf = ({ operation }: BenchResult): string => families.get(operation) ?? FUSED;
  const panels = Object.entries(device).flatMap(([name, described]) => {
    const own = results.filter((result) => isDrawn(name, described, result));
    return own.length > 0 ? [panelOf(name, described, own, familyOf)] : [];
  });
  if (panels.length === 0)
    throw new DataError(
      'there is nothing to draw: none of these benchmarks has any flop and takes longer than doing nothing',
    );
  return drawSvg({
    title: `Kernels of kernelwright on ${machine.cpu}, ${date.slice(0, 10)}`,
    description: 'Speed of kernels by their flop a byte, below the roofs of the machine.',
    panel: { vconcat: panels, spacing: 36 },
  });
}

/** Speed says something of a kernel only where it computes something, and takes longer than doing nothing. */
function isDrawn(name: string, { floorMilliseconds }: DeviceReport, result: BenchResult): boolean {
  return result.device === name && result.flop >= LEAST_FLOP && result.medianMilliseconds >= 2 * floorMilliseconds;
}

/** The panel of a device: roofs, points, labels and lines that lead to them. */
function panelOf(
  name: string,
  device: DeviceReport,
  results: readonly BenchResult[],
  familyOf: (result: BenchResult) => string,
) {
  const points = results.map((result) => ({
    intensity: result.flop / result.bytes,
    gflops: result.gflops,
    label: labelOf(result, familyOf(result)),
    family: familyOf(result),
  }));
  const ridge = device.gflops / device.gigabytesPerSecond;
  const x = axisOf([...points.map(({ intensity }) => intensity), ridge], WIDTH, points.length > 20 ? 5 : 1.8);
  const y = axisOf([...points.map(({ gflops }) => gflops), device.gflops], HEIGHT);
  const roofAt = (intensity: number): Point => ({
    intensity,
    gflops: Math.min(device.gflops, intensity * device.gigabytesPerSecond),
  });
  const start = Math.max(x.ends[0], y.ends[0] / device.gigabytesPerSecond);
  const roof = [start, ridge, x.ends[1]].map(roofAt);

  const inPixels = ({ intensity, gflops }: Point) => ({ x: toPixels(x, intensity), y: HEIGHT - toPixels(y, gflops) });
  const roofDots = Array.from({ length: 400 }, (_, i) => inPixels(roofAt(fromPixels(x, (i * WIDTH) / 400))));
  const labels = placeLabels(
    points.map((point) => ({ ...inPixels(point), text: point.label })),
    { width: WIDTH, height: HEIGHT },
    roofDots,
  ).map((place, i) => ({
    ...points[i],
    isFar: place.isFar,
    align: place.align,
    end: fromPixels(x, place.x),
    middle: fromPixels(y, HEIGHT - place.y),
  }));

  const intensity = {
    field: 'intensity',
    type: 'quantitative',
    scale: scaleOf(x),
    axis: { values: powersOfTen(x), format: '~g' },
    title: 'arithmetic intensity (flop/B)',
  } as const;
  const gflops = {
    field: 'gflops',
    type: 'quantitative',
    scale: scaleOf(y),
    axis: { values: powersOfTen(y), format: '~g' },
    title: 'GFLOP/s',
  } as const;
  const colour = {
    field: 'family',
    type: 'nominal',
    scale: { domain: [...new Set(points.map(({ family }) => family))].sort(), range: COLOURS },
    legend: { title: null, orient: 'bottom', direction: 'horizontal', symbolType: 'circle', symbolOpacity: 1 },
  } as const;
  return {
    title: {
      text: `${name}: ${device.description}`,
      subtitle:
        `roofs measured on this device: ${figure(device.gflops)} GFLOP/s of multiply-adds, ` +
        `${figure(device.gigabytesPerSecond)} GB/s of copying`,
      anchor: 'start' as const,
      frame: 'group' as const,
      fontSize: 13,
    },
    width: WIDTH,
    height: HEIGHT,
    layer: [
      {
        data: { values: roof },
        mark: { type: 'line' as const, color: '#444444', strokeWidth: 2 },
        encoding: { x: intensity, y: gflops },
      },
      {
        data: { values: labels.filter(({ isFar }) => isFar) },
        mark: { type: 'rule' as const, strokeWidth: 0.6, opacity: 0.6 },
        encoding: {
          x: intensity,
          y: gflops,
          x2: { field: 'end' },
          y2: { field: 'middle' },
          color: colour,
        },
      },
      {
        data: { values: points },
        mark: { type: 'circle' as const, size: 40, opacity: 0.9 },
        encoding: { x: intensity, y: gflops, color: colour },
      },
      ...(['left', 'right'] as const).map((align) => ({
        data: { values: labels.filter((label) => label.align === align) },
        mark: { type: 'text' as const, align, baseline: 'middle' as const, fontSize: 10 },
        encoding: {
          x: { ...intensity, field: 'end' },
          y: { ...gflops, field: 'middle' },
          text: { field: 'label', type: 'nominal' as const },
          color: colour,
        },
      })),
    ],
  };
}

/** The shape, and the operation where its family does not say it; of a vector the operation alone. */
function labelOf({ operation, shape, variant }: BenchResult, family: string): string {
  const isSaid = family === operation || family === FUSED;
  const name = isSaid ? shape : shape === 'vector' ? operation : `${operation} ${shape}`;
  return variant === 'default' ? name : `${name} ${variant}`;
}

/** An axis around the values, with room at both ends: for the labels of a list on the left of the picture. */
function axisOf(values: readonly number[], pixels: number, room = 1.8): Axis {
  return { ends: [Math.min(...values) / room, Math.max(...values) * 1.8], pixels };
}

/** Powers of ten within an axis, for its labels and grid. */
function powersOfTen({ ends: [low, high] }: Axis): number[] {
  const first = Math.ceil(Math.log10(low));
  return Array.from({ length: Math.floor(Math.log10(high)) - first + 1 }, (_, i) => 10 ** (first + i));
}

function scaleOf({ ends }: Axis) {
  return { type: 'log' as const, domain: [...ends], nice: false };
}

function toPixels({ ends: [low, high], pixels }: Axis, value: number): number {
  return (pixels * Math.log(value / low)) / Math.log(high / low);
}

function fromPixels({ ends: [low, high], pixels }: Axis, pixel: number): number {
  return low * (high / low) ** (pixel / pixels);
}

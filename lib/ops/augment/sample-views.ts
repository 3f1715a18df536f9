import { sampleViewsWasm } from '../../generated/wasm.js';
import { commonWgsl, philoxWgsl, sampleViewsWgsl } from '../../generated/wgsl.js';
import { elementAt } from '../../element-at.js';
import { at, defineOperation } from '../../graph/define.js';
import { ceilDivide, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { any, f32, i32 } from '../../graph/operands.js';
import { philox4x32, streamOf } from '../../random.js';
import { scaleParts } from '../moving/bytes.js';
import { rowParts } from '../simd-parts.js';
import { CUT_PLACE, NOISE_KEY_PLACE, NOISE_PLACE, placeIn, recordSize } from './view-record.js';

type SampleAttributes = {
  /** Height and width of the views. */
  readonly view: readonly [height: number, width: number];
  /** Views are [C, H, W]; the table's pictures never are. */
  readonly planar: boolean;
  /** Pixels of the view lie between pixels of the picture; else each is one of them. */
  readonly warps: boolean;
  /** What lies outside of a picture is its nearest pixel, not the record's `fill`. */
  readonly edge: boolean;
  readonly colours: 'kept' | 'gains' | 'mixed';
  readonly noise: boolean;
  /** Width and height of the square that is cut out; 0: none is. */
  readonly cutOut: number;
  /** What bytes are multiplied by; 1 for a table of floats. */
  readonly scale: number;
};

export const NOISE_STREAM = streamOf('augment.noise');

/** What lies beyond the horizon of a perspective is outside: the middle of a view has depth 1. */
const LEAST_DEPTH = 1e-3;

/** Of one view: 64 invocations of four. */
const PIXELS_PER_WORKGROUP = 256;

/** Bits of the settings that kernels/augment/sample_views.wat is told. */
const FLAGS = { warps: 1, edge: 2, gains: 4, mixed: 8, noise: 16, bytes: 32 };

/** Reads the colours of a view: `colourAt` gives that of a pixel, a number a channel. */
function colourReader(
  {
    table,
    record,
  }: { readonly table: (y: number, x: number, c: number) => number; readonly record: readonly number[] },
  { h, w, C }: { readonly h: number; readonly w: number; readonly C: number },
  { warps, edge, colours }: SampleAttributes,
): (y: number, x: number) => number[] {
  const number = (place: number): number => elementAt(record, place);
  const row = (from: number, y: number, x: number): number =>
    number(from) * x + number(from + 1) * y + number(from + 2);
  const within = (place: number, size: number): number =>
    edge ? Math.min(Math.max(place, 0), size - 1) : Math.min(Math.max(place, -1), size);
  const channels = Array.from({ length: C }, (_, c) => c);
  const sampled = (y: number, x: number): number[] => {
    const depth = warps ? Math.max(row(6, y, x), LEAST_DEPTH) : 1;
    const [atX, atY] = [within(row(0, y, x) / depth, w), within(row(3, y, x) / depth, h)];
    const [left, top] = warps ? [Math.floor(atX), Math.floor(atY)] : [Math.round(atX), Math.round(atY)];
    const [right, below] = warps ? [atX - left, atY - top] : [0, 0];
    return channels.map((c) => {
      const tap = (dy: number, dx: number): number => {
        const isInside = top + dy >= 0 && top + dy < h && left + dx >= 0 && left + dx < w;
        return isInside ? table(top + dy, left + dx, c) : number(placeIn('fill', c));
      };
      if (!warps) return tap(0, 0);
      const weighted = (dy: number, dx: number): number => {
        const weight = (dy === 1 ? below : 1 - below) * (dx === 1 ? right : 1 - right);
        return weight === 0 ? 0 : weight * tap(dy, dx);
      };
      return weighted(0, 0) + weighted(0, 1) + weighted(1, 0) + weighted(1, 1);
    });
  };
  if (colours === 'kept') return sampled;
  return (y, x) => {
    const own = sampled(y, x);
    return channels.map((c) => {
      const mixed =
        colours === 'mixed'
          ? own.reduce((sum, value, from) => sum + number(placeIn('gain', c, from)) * value, 0)
          : number(placeIn('gain', c)) * elementAt(own, c);
      return Math.min(
        Math.max(mixed + number(placeIn('offset', c)), number(placeIn('low', c))),
        number(placeIn('high', c)),
      );
    });
  };
}

/** What a pixel becomes after its colour: noise, or a part of the square that is cut out; undefined: it stays. */
function coverOf(record: readonly number[], pixel: number, width: number, { noise, cutOut }: SampleAttributes) {
  const number = (place: number): number => elementAt(record, place);
  const [right, below] = [(pixel % width) - number(CUT_PLACE), Math.floor(pixel / width) - number(CUT_PLACE + 1)];
  if (right >= 0 && right < cutOut && below >= 0 && below < cutOut) return 'cutFill';
  if (!noise || number(NOISE_PLACE) === 0) return undefined;
  const key = [number(NOISE_KEY_PLACE), number(NOISE_KEY_PLACE + 1)] as const;
  const bits = elementAt(philox4x32([Math.floor(pixel / 4), 0, NOISE_STREAM, 0], key), pixel % 4);
  if (bits >>> 8 >= number(NOISE_PLACE)) return undefined;
  return bits % 2 === 0 ? 'low' : 'high';
}

type SampleCase = readonly [
  table: readonly [rows: number, height: number, width: number, channels: number],
  views: number,
  settings: Partial<SampleAttributes> & Pick<SampleAttributes, 'view'>,
  bytes?: boolean,
];

const CASES: readonly SampleCase[] = [
  [[1, 1, 1, 1], 1, { view: [1, 1] }],
  [[3, 5, 7, 3], 4, { view: [5, 7], warps: false }],
  [[3, 5, 7, 3], 4, { view: [6, 3], warps: false, edge: true, colours: 'gains' }],
  [[4, 9, 8, 3], 5, { view: [7, 6], colours: 'gains' }],
  [[4, 9, 8, 3], 5, { view: [7, 6], colours: 'mixed', planar: true }],
  [[4, 9, 8, 3], 5, { view: [7, 6], colours: 'mixed', edge: true, cutOut: 3, noise: true }],
  [[2, 3, 3, 1], 7, { view: [9, 13], cutOut: 2 }],
  [[2, 4, 3, 2], 7, { view: [4, 5], planar: true, colours: 'gains' }],
  [[2, 4, 3, 4], 3, { view: [4, 5], colours: 'gains', noise: true }],
  [[2, 4, 3, 5], 3, { view: [4, 5], colours: 'gains', edge: true }],
  [[2, 4, 3, 9], 3, { view: [4, 5], planar: true, colours: 'gains', cutOut: 1 }],
  [[3, 6, 5, 3], 4, { view: [5, 5], scale: 1 / 255, colours: 'gains' }, true],
  [[3, 6, 5, 1], 4, { view: [5, 5], scale: 1 / 255, warps: false, planar: true }, true],
  [[3, 2, 2, 5], 4, { view: [3, 2], scale: -0.3, edge: true }, true],
  [[2, 40, 30, 3], 20, { view: [34, 35], colours: 'gains' }],
  [[2, 4, 3, 3], 0, { view: [4, 5] }],
];

function sampleCase([table, views, settings, isBytes = false]: SampleCase) {
  const attributes: SampleAttributes = {
    ...{ planar: false, warps: true, edge: false, colours: 'kept', noise: false, cutOut: 0, scale: 1, ...settings },
  };
  const [rows, , , channels] = table;
  return {
    inputs: {
      table: isBytes ? { shape: table, dtype: 'u8' as const, fill: { below: 256 } } : { shape: table },
      rows: { shape: [views], dtype: 'i32' as const, fill: { below: rows + 1 } }, // one of them does not exist
      views: { shape: [views, recordSize(channels, attributes.colours === 'mixed')], fill: 'unit' as const },
    },
    attributes,
  };
}

/**
 * Views of the rows of a table of pictures, by their records (lib/ops/augment/view-record.ts): each pixel of a view lies
 * somewhere in the picture and is made of the four pixels around (`F.grid_sample`, alignCorners false), is recoloured, and
 * then may become noise or be cut out. A view of a row that does not exist is NaN.
 */
export const sampleViews = defineOperation<SampleAttributes>()({
  name: 'sampleViews',
  inputs: { table: any('f32', 'u8')('R', 'h', 'w', 'C'), rows: i32('V'), views: f32('V', 'size') },
  outputs: { output: f32('V', 'A', 'B', 'D') },
  infer({ sizes: { V, C }, attributes: { view, planar } }) {
    return { output: planar ? [V, C, ...view] : [V, ...view, C] };
  },
  reference({ table, rows, views, output }, { R, h, w, C, V, size }, attributes) {
    const { planar, scale, view } = attributes;
    const [H, W] = view;
    const channels = Array.from({ length: C }, (_, c) => c);
    for (let v = 0; v < V; v++) {
      const row = rows.at(v);
      const record = Array.from({ length: size }, (_, place) => views.at(v * size + place));
      const source = (y: number, x: number, c: number): number => table.at(((row * h + y) * w + x) * C + c) * scale;
      const colourAt = colourReader({ table: source, record }, { h, w, C }, attributes);
      const exists = row >= 0 && row < R;
      for (let pixel = 0; pixel < H * W; pixel++) {
        const cover = coverOf(record, pixel, W, attributes);
        const colour =
          cover === undefined && exists
            ? colourAt(Math.floor(pixel / W), pixel % W)
            : channels.map((c) => (cover === undefined || !exists ? NaN : elementAt(record, placeIn(cover, c))));
        colour.forEach((value, c) => {
          output.set(v * H * W * C + (planar ? c * H * W + pixel : pixel * C + c), value);
        });
      }
    }
  },
  kernel({ specs: { table }, sizes: { R, h, w, C, V }, attributes }) {
    const { view, planar, warps, edge, colours, noise, cutOut, scale } = attributes;
    const [H, W] = view;
    const parts = ceilDivide(H * W, PIXELS_PER_WORKGROUP);
    return [
      {
        kernel: { name: 'sampleViews', code: commonWgsl + philoxWgsl + sampleViewsWgsl, entryPoint: 'sampleViews' },
        constants: {
          ...{ BYTES: Number(table.dtype === 'u8'), CHANNELS: C, QUADS: ceilDivide(C, 4) },
          ...{
            PLANAR: Number(planar),
            WARPS: Number(warps),
            NOISE: Number(noise),
            NOISE_STREAM,
            CUTS: Number(cutOut > 0),
          },
          ...{ RECOLOURS: Number(colours !== 'kept'), MIXES: Number(colours === 'mixed') },
        },
        bindings: ['table', 'rows', 'views', 'output'],
        uniforms: new Uniforms()
          .u32(R, h, w, H)
          .u32(W, V, parts, recordSize(C, colours === 'mixed') / 4)
          .u32(Number(edge))
          .f32(scale, cutOut)
          .bytes(),
        workgroups: foldWorkgroups(V * parts),
      },
    ];
  },
  simd({ specs: { table }, sizes: { R, h, w, C, V, size }, attributes }) {
    const { view, planar, warps, edge, colours, noise, cutOut, scale } = attributes;
    const [H, W] = view;
    const isBytes = table.dtype === 'u8';
    const flags =
      (warps ? FLAGS.warps : 0) +
      (edge ? FLAGS.edge : 0) +
      (colours === 'gains' ? FLAGS.gains : colours === 'mixed' ? FLAGS.mixed : 0) +
      (noise ? FLAGS.noise : 0) +
      (isBytes ? FLAGS.bytes : 0);
    const kernel = { module: sampleViewsWasm, entryPoint: 'sampleViews' };
    const tasks = rowParts(V, H * W * C).map(({ start, count }) => [
      {
        kernel,
        arguments: [
          ...(['table', at('rows', 4 * start), at('views', 4 * start * size)] as const),
          ...([at('output', 4 * start * H * W * C), count, R, h, w, C, H, W, 4 * size] as const),
          ...([planar ? 4 * H * W : 0, flags, cutOut, ...scaleParts(scale), NOISE_STREAM] as const),
          { scratch: true } as const,
        ],
      },
    ]);
    return [{ tasks, scratchBytes: 96 + (isBytes ? 4 * h * w * C : 0) }];
  },
  gradient: { unwritten: 'pictures of a data set are not trained' },
  // Places are f32: a millionth of the width off, times differences of neighbours.
  tolerance: { absolute: 1e-4, relative: 1e-5 },
  cases: CASES.map(sampleCase),
  cost: ({ specs: { table }, sizes: { C, V }, attributes: { view, warps } }) => {
    const elements = V * C * view[0] * view[1];
    return { flop: elements * (warps ? 12 : 4), bytes: elements * (table.dtype === 'u8' ? 5 : 8) };
  },
});

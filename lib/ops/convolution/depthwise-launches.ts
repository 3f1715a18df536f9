import type { Glue } from '../../fusion/glue.js';
import {
  commonWgsl,
  depthwiseAnyWgsl,
  depthwiseCommonWgsl,
  depthwiseWgsl,
  elementFourWgsl,
  elementOneWgsl,
} from '../../generated/wgsl.js';
import {
  type Binding,
  ceilDivide,
  fillBlock,
  foldWorkgroups,
  type KernelTarget,
  type Launch,
  Uniforms,
} from '../../graph/launch.js';
import type { DType } from '../../graph/operation.js';
import { fillTemplate } from '../../graph/template.js';
import { storedElementsCode } from '../stored-elements.js';
import { type Meeting, perAxis, type PerAxis } from './depthwise-axes.js';

/** A depthwise convolution, or its input gradient, as its kernels see it: a picture of sums over windows in another one. */
export interface Windowed {
  readonly pictures: number;
  readonly channels: number;
  readonly source: PerAxis<number>;
  readonly target: PerAxis<number>;
  readonly meetings: PerAxis<Meeting>;
  /** Element types of the two that are read. */
  readonly types: { readonly source: DType; readonly weight: DType };
}

/** Numbers of bindings of kernels/convolution/depthwise_common.wgsl. */
const UNIFORMS_AT = 0;
const [SOURCE_AT, WEIGHT_AT] = [1, 2];
export const STAGES_AT = 3;
export const WORDS = 'sizes.words';

const WORKGROUP = 64;
/** Taps of a window that is written out, at most, and sums of an invocation. */
const MOST_TAPS = 49;
const MOST_SUMS = 16;
/** Sums, columns and taps that an invocation keeps at once, where that can be: 44 registers, where they are by fours. */
export const MOST_VALUES = 11;
/** Columns that an invocation of a software adapter computes, which has memory in place of registers, at most about. */
const SOFTWARE_WIDTH = 8;

/** Channels that are read and stored at once. */
export function channelsAtOnce({ channels }: Windowed): 1 | 4 {
  return channels % 4 === 0 ? 4 : 1;
}

/** The launch, with `stages` on the sums, if there are any. */
export function depthwiseLaunch(
  windowed: Windowed,
  { isSoftware }: Pick<KernelTarget, 'isSoftware'>,
  stages?: Glue,
): Launch {
  const { pictures, channels, source, target, meetings, types } = windowed;
  const width = channelsAtOnce(windowed);
  const quads = channels / width;
  const tile = tileOf(windowed, isSoftware);
  const tiles = tile && perAxis((axis) => ceilDivide(target[axis], tile[axis]));
  const [down, across] = tiles ?? target;
  const invocations = pictures * down * across * quads;
  // Of a picture without places none is read.
  const [height, breadth] = source[0] * source[1] * pictures === 0 ? [0, 0] : source;
  return {
    kernel: {
      name: 'depthwise',
      code:
        commonWgsl +
        (width === 4 ? elementFourWgsl : elementOneWgsl) +
        storedElementsCode('Source', SOURCE_AT, types.source, width) +
        storedElementsCode('Weight', WEIGHT_AT, types.weight, width) +
        (stages ? fillBlock(depthwiseCommonWgsl, 'stages', stages.code) : depthwiseCommonWgsl) +
        (tile ? fillTemplate(depthwiseWgsl, ...templateOf(meetings, tile)) : depthwiseAnyWgsl),
      entryPoint: tile ? 'depthwise' : 'depthwiseAny',
    },
    bindings: [
      { input: 0, at: SOURCE_AT },
      { input: 1, at: WEIGHT_AT },
      ...(stages?.bindings ?? [{ output: 0, at: STAGES_AT } satisfies Binding]),
    ],
    constants: { ...stages?.constants, ...(tile ? {} : constantsOf(meetings)) },
    uniforms: new Uniforms()
      .u32(invocations, quads, down, across, ...target, height, breadth, ...(stages?.words ?? [0, 0, 0, 0]))
      .bytes(),
    uniformsAt: UNIFORMS_AT,
    workgroups: foldWorkgroups(ceilDivide(invocations, WORKGROUP)),
  };
}

/** Rows and columns of the target that an invocation computes; undefined where the window is not written out. */
function tileOf({ meetings, target }: Windowed, isSoftware: boolean): PerAxis<number> | undefined {
  const [rows, columns] = meetings;
  const { sourceStep: height } = rows;
  const { sourceStep: step, taps } = columns;
  if (rows.taps * taps > MOST_TAPS) return undefined;
  const values = (width: number): number => height * width + tileMeetings(columns, width).extent + taps;
  const width = isSoftware
    ? step * ceilDivide(target[1] / ceilDivide(target[1], SOFTWARE_WIDTH), step)
    : ([4, 3, 2].find((wanted) => wanted % step === 0 && values(wanted) <= MOST_VALUES) ?? step);
  return height * width > MOST_SUMS ? undefined : [height, width];
}

/** Along an axis, of the places of a tile: where their source begins, how far it goes from tile to tile, and what meets. */
export function tileMeetings({ sourceStep, targetStep, first, tapStep, taps }: Meeting, tile: number) {
  const all = range(tile).flatMap((target) =>
    range(taps).map((tap) => ({ target, tap, source: (targetStep * target + first + tapStep * tap) / sourceStep })),
  );
  const met = all.filter(({ source }) => Number.isInteger(source));
  const start = Math.min(...met.map(({ source }) => source));
  return {
    start,
    extent: Math.max(...met.map(({ source }) => source)) + 1 - start,
    step: (targetStep * tile) / sourceStep,
    at: (source: number) => met.filter((own) => own.source === start + source),
  };
}

/** Counts of a template: which places along an axis are met at all, and which of them meets which of the tile's at which tap. */
export function meetingCounts(
  name: 'ROW' | 'COLUMN',
  { extent, at }: ReturnType<typeof tileMeetings>,
  tile: number,
  taps: number,
): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const source of range(extent)) {
    const met = at(source);
    counts[`USES_${name}_${source}`] = Math.min(met.length, 1);
    for (const target of range(tile)) {
      for (const tap of range(taps)) {
        const meets = met.some((own) => own.target === target && own.tap === tap);
        counts[`${name}_${source}_MEETS_${target}_${tap}`] = Number(meets);
      }
    }
  }
  return counts;
}

/** Counts and texts of kernels/convolution/depthwise.wgsl. */
function templateOf(
  meetings: PerAxis<Meeting>,
  tile: PerAxis<number>,
): [Readonly<Record<string, number>>, Readonly<Record<string, string>>] {
  const [rows, columns] = perAxis((axis) => tileMeetings(meetings[axis], tile[axis]));
  return [
    {
      ROWS: rows.extent,
      COLUMNS: columns.extent,
      TILE_ROWS: tile[0],
      TILE_COLUMNS: tile[1],
      R: meetings[0].taps,
      S: meetings[1].taps,
      ...meetingCounts('ROW', rows, tile[0], meetings[0].taps),
      ...meetingCounts('COLUMN', columns, tile[1], meetings[1].taps),
    },
    {
      S: `${meetings[1].taps}u`,
      rowsOfTile: `${rows.step}u`,
      columnsOfTile: `${columns.step}u`,
      firstRow: `${rows.start}i`,
      firstColumn: `${columns.start}i`,
      rows: `${tile[0]}u`,
      columns: `${tile[1]}u`,
      places: `${tile[0] * tile[1]}u`,
    },
  ];
}

/** Values of the overrides of kernels/convolution/depthwise_any.wgsl. */
function constantsOf([rows, columns]: PerAxis<Meeting>): Readonly<Record<string, number>> {
  return {
    ROWS: rows.taps,
    COLUMNS: columns.taps,
    SOURCE_STEP_Y: rows.sourceStep,
    SOURCE_STEP_X: columns.sourceStep,
    TARGET_STEP_Y: rows.targetStep,
    TARGET_STEP_X: columns.targetStep,
    FIRST_Y: rows.first,
    FIRST_X: columns.first,
    TAP_STEP_Y: rows.tapStep,
    TAP_STEP_X: columns.tapStep,
  };
}

function range(length: number): readonly number[] {
  return Array.from({ length }, (_, i) => i);
}

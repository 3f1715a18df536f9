import {
  commonWgsl,
  depthwiseAddPartsWgsl,
  depthwiseWeightGradientWgsl,
  elementFourWgsl,
  elementOneWgsl,
} from '../../generated/wgsl.js';
import { elementAt } from '../../element-at.js';
import type { NamedLaunch } from '../../graph/definition.js';
import { ceilDivide, foldWorkgroups, type KernelTarget, Uniforms } from '../../graph/launch.js';
import type { DType } from '../../graph/operation.js';
import { fillTemplate } from '../../graph/template.js';
import { sizeOf } from '../../shape.js';
import { storedElementsCode } from '../stored-elements.js';
import { forwardMeetings, type Meeting } from './depthwise-axes.js';
import { meetingCounts, MOST_VALUES, tileMeetings } from './depthwise-launches.js';
import type { DepthwiseSizes } from './depthwise-sizes.js';
import type { WindowAttributes } from './window.js';

const WORKGROUP = 64;
/** Taps whose sums an invocation of a software adapter keeps; the others are other invocations'. */
const MOST_TAPS = 12;
/** Channels that are read together by invocations side by side: 128 bytes. */
const CHANNELS_TOGETHER = 32;
/** So many invocations fill a GPU, or the lanes of a software adapter. */
const INVOCATIONS = 32_768;
const SOFTWARE_INVOCATIONS = 1024;
/** More parts take too long to be added, fewer tiles of a lane are not worth a part. */
const MOST_PARTS = 512;
const LEAST_TILES = 4;
/** Lanes that add the parts of an Element. */
const ADDING_LANES = 8;

/** The gradient of the weight: sums in parts, which a second launch adds. */
export function weightGradientLaunches(
  sizes: DepthwiseSizes,
  window: WindowAttributes,
  types: { readonly picture: DType; readonly output: DType },
  { isSoftware }: Pick<KernelTarget, 'isSoftware'>,
): readonly NamedLaunch<'picture' | 'output' | 'weight'>[] {
  const { N, H, W, C, P, Q, R, S } = sizes;
  const width = C % 4 === 0 ? 4 : 1;
  const quads = C / width;
  const [tapRows, tapColumns] = tapBlockOf(R, S, isSoftware);
  const [rows, columns] = forwardMeetings(window);
  const across = { ...columns, taps: tapColumns };
  const tile = tileOf(across);
  const blocksAcross = ceilDivide(S, tapColumns);
  const tapBlocks = ceilDivide(R, tapRows) * blocksAcross;
  const lanes = isSoftware ? 1 : WORKGROUP / powerOfTwo(Math.min(quads, CHANNELS_TOGETHER / width));
  const quadGroups = ceilDivide(quads, WORKGROUP / lanes);

  const tilesAcross = ceilDivide(Q, tile);
  const tiles = N * P * tilesAcross;
  const ofPart = isSoftware ? quads * tapBlocks : quadGroups * WORKGROUP * tapBlocks;
  const wanted = Math.min(ceilDivide(isSoftware ? SOFTWARE_INVOCATIONS : INVOCATIONS, ofPart), MOST_PARTS);
  const tilesOfLane = Math.max(ceilDivide(tiles, wanted * lanes), LEAST_TILES);
  const parts = Math.max(ceilDivide(tiles, tilesOfLane * lanes), 1);

  const own = tileMeetings(across, tile);
  const counts = {
    SHARED: Number(!isSoftware),
    FLAT: Number(isSoftware),
    TAP_ROWS: tapRows,
    TILE: tile,
    TAP_COLUMNS: tapColumns,
    COLUMNS: own.extent,
    ...meetingCounts('COLUMN', own, tile, tapColumns),
  };
  const texts = {
    tapRows: `${tapRows}u`,
    tile: `${tile}u`,
    tapColumns: `${tapColumns}u`,
    lanes: `${lanes}u`,
    R: `${R}u`,
    S: `${S}u`,
    strideY: `${rows.targetStep}u`,
    strideX: `${columns.targetStep}u`,
    dilationY: `${rows.tapStep}u`,
    dilationX: `${columns.tapStep}u`,
    tapStep: `${rows.tapStep}i`,
    top: `${elementAt(window.padding, 0)}i`,
    left: `${elementAt(window.padding, 2)}i`,
  };
  const element = commonWgsl + (width === 4 ? elementFourWgsl : elementOneWgsl);
  const elements = R * S * quads;
  // Of parts that are few enough one invocation adds up all.
  const addingLanes = isSoftware ? 1 : Math.min(ADDING_LANES, powerOfTwo(ceilDivide(parts, 4)));
  const sum: NamedLaunch<'picture' | 'output' | 'weight'> = {
    kernel: {
      name: 'depthwise weightGradient',
      code:
        element +
        storedElementsCode('Picture', 1, types.picture, width) +
        storedElementsCode('Output', 2, types.output, width) +
        fillTemplate(depthwiseWeightGradientWgsl, counts, texts),
      entryPoint: 'depthwiseWeightGradient',
    },
    bindings: [
      { operand: 'picture', at: 1 },
      { operand: 'output', at: 2 },
      { scratch: 'write', at: 3 },
    ],
    uniforms: new Uniforms()
      .u32(quads, quadGroups, tapBlocks, blocksAcross, parts, tiles, tilesOfLane, tilesAcross)
      .u32(H, W, P, Q)
      .bytes(),
    uniformsAt: 0,
    scratchBytes: 4 * parts * sizeOf([R, S, C]),
    workgroups: foldWorkgroups(
      isSoftware ? ceilDivide(parts * tapBlocks * quads, WORKGROUP) : parts * tapBlocks * quadGroups,
    ),
  };
  const add: NamedLaunch<'picture' | 'output' | 'weight'> = {
    kernel: {
      name: 'depthwise addParts',
      code: element + depthwiseAddPartsWgsl,
      entryPoint: 'depthwiseAddParts',
    },
    constants: { LANES: addingLanes },
    bindings: [
      { scratch: 'read', at: 1 },
      { operand: 'weight', at: 2 },
    ],
    uniforms: new Uniforms().u32(elements, parts, 4 * ceilDivide(ceilDivide(parts, addingLanes), 4)).bytes(),
    uniformsAt: 0,
    workgroups: foldWorkgroups(ceilDivide(elements * addingLanes, WORKGROUP)),
  };
  return [sum, add];
}

/** Rows and columns of taps of which an invocation keeps the sums. */
function tapBlockOf(R: number, S: number, isSoftware: boolean): readonly [rows: number, columns: number] {
  if (S > MOST_TAPS) return [1, 1];
  return [isSoftware ? Math.min(Math.floor(MOST_TAPS / S), R) : 1, S];
}

/** Places of the output that an invocation loads at once. */
function tileOf(across: Meeting): number {
  const values = (tile: number): number => tile + tileMeetings(across, tile).extent + across.taps;
  return [4, 3, 2].find((tile) => values(tile) <= MOST_VALUES) ?? 1;
}

/** The least power of two that is not below. */
function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(least, 1)));
}

import { elementAt } from '../../element-at.js';
import {
  conv2dMatrixWgsl,
  conv2dPatchesWgsl,
  conv2dPixelsWgsl,
  conv2dQuadFiltersWgsl,
  conv2dQuadPatchesWgsl,
  conv2dTurnedWgsl,
} from '../../generated/wgsl.js';
import { ceilDivide } from '../../graph/launch.js';
import type { DType } from '../../graph/operation.js';
import { fillTemplate } from '../../graph/template.js';
import type { Gathered, Product } from '../matmul/matmul-product.js';
import type { Conv2dAttributes, Conv2dSizes } from './conv2d-sizes.js';

/** Which of its three tensors a convolution computes from the other two. */
export type Computed = 'output' | 'picture' | 'weight';

const patches = { loads: conv2dPatchesWgsl, quadLoads: conv2dQuadPatchesWgsl };
const filters = { place: 'turnedFilter(row)', quadLoads: conv2dQuadFiltersWgsl };

/** Windows over a picture, along one axis: overrides of kernels/convolution/conv2d_matrix.wgsl. */
interface Axis {
  readonly size: number;
  readonly windows: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  /** Zeros before the picture; below 0, what of it is left out. */
  readonly before: number;
}

function windowConstants(down: Axis, across: Axis, channels: number, groups: number): Readonly<Record<string, number>> {
  return {
    SOURCE_HEIGHT: down.size,
    SOURCE_WIDTH: across.size,
    CHANNELS: channels,
    GROUPS: groups,
    WINDOWS_DOWN: down.windows,
    WINDOWS_ACROSS: across.windows,
    STRIDE_DOWN: down.stride,
    STRIDE_ACROSS: across.stride,
    TOP: down.before >>> 0,
    LEFT: across.before >>> 0,
    TAPS_ACROSS: Math.max(across.taps, 1),
    DILATION_DOWN: down.dilation,
    DILATION_ACROSS: across.dilation,
  };
}

/**
 * A convolution as products of matrices, of which the patches of pictures are never stored (implicit GEMM):
 *
 *     output           [N · P · Q, O]      = patches of the picture [N · P · Q, R · S · C] · weight [O, R · S · C]ᵀ
 *     weight gradient  [O, R · S · C]      = output [N · P · Q, O]ᵀ · patches of the picture [N · P · Q, R · S · C]
 *     input gradient   [N · H · W, C]      = patches of the output [N · H · W, R · S · O] · weight turned around [R · S · O, C]
 *
 * With channels in groups there is one such product for each group, of its channels: they are a batch.
 * `first`, `second`: the element types of the operation's inputs. `besides`, `hasSums`: beside the weight gradient the output is summed over all places, for the gradient of a bias.
 * The input gradient is, at a stride, one such product for each parity of pixels (kernels/convolution/conv2d_turned.wgsl).
 * Undefined where there are no elements.
 */
export function conv2dProducts(
  computed: Computed,
  sizes: Conv2dSizes,
  attributes: Conv2dAttributes,
  [first, second]: readonly [DType, DType],
  besides: Pick<Product, 'hasSums' | 'storesFloat16'> = { hasSums: false, storesFloat16: false },
): readonly Product[] | undefined {
  const { N, H, W, P, Q, R, S, groupC: C, groupO: O } = sizes;
  const { groups, stride, dilation, padding } = attributes;
  if ([N, H, W, C, P, Q, O, R, S].includes(0)) return undefined;
  const axis = (size: number, windows: number, taps: number, along: 0 | 1): Axis => ({
    size,
    windows,
    taps,
    stride: elementAt(stride, along),
    dilation: elementAt(dilation, along),
    before: elementAt(padding, 2 * along),
  });
  const [down, across] = [axis(H, P, R, 0), axis(W, Q, S, 1)];
  const constants = windowConstants(down, across, C, groups);
  const [inPicture, inWeight, inOutput] = [C, O * R * S * C, O];
  const rowsAt = (isParity: boolean): Pick<Gathered, 'rows'> | undefined =>
    groups > 1 || isParity
      ? { rows: fillTemplate(conv2dPixelsWgsl, { GROUPED: Number(groups > 1), PARITY: Number(isParity) }) }
      : undefined;
  const places = N * P * Q;
  if (computed === 'output') {
    const head = conv2dMatrixWgsl;
    return [
      {
        ...{ name: 'conv2d', dtypes: { A: first, B: second }, ...besides },
        inputs: { A: 0, B: 1 },
        sizes: matrixSizes([places, O, R * S * C], groups, [inPicture, inWeight]),
        attributes: { transposeA: false, transposeB: true },
        inQuads: quads(C, R * S * C, O),
        gathered: { A: patches, ...rowsAt(false), head, constants },
      },
    ];
  }
  if (computed === 'weight') {
    const head = conv2dMatrixWgsl;
    return [
      {
        ...{ name: 'conv2dWeightGradient', dtypes: { A: second, B: first }, ...besides },
        inputs: { A: 1, B: 0 },
        sizes: matrixSizes([O, R * S * C, places], groups, [inOutput, inPicture]),
        attributes: { transposeA: true, transposeB: false },
        inQuads: quads(O, C, R * S * C),
        gathered: { A: { place: 'row * GROUPS' }, B: patches, head, constants },
      },
    ];
  }
  const head = conv2dMatrixWgsl + conv2dTurnedWgsl;
  return paritiesOf(down).flatMap((ofDown) =>
    paritiesOf(across).map((ofAcross): Product => {
      const taps = ofDown.axis.taps * ofAcross.axis.taps;
      return {
        ...{ name: 'conv2dInputGradient', dtypes: { A: first, B: second }, ...besides },
        inputs: { A: 0, B: 1 },
        sizes: matrixSizes([N * ofDown.axis.windows * ofAcross.axis.windows, C, taps * O], groups, [
          inOutput,
          inWeight,
        ]),
        attributes: { transposeA: false, transposeB: false },
        inQuads: quads(O, C, C),
        gathered: {
          A: patches,
          B: filters,
          ...rowsAt(down.stride * across.stride > 1),
          head,
          constants: {
            ...windowConstants(ofDown.axis, ofAcross.axis, O, groups),
            KERNEL_HEIGHT: R,
            KERNEL_WIDTH: S,
            LAST_DOWN: ofDown.last,
            LAST_ACROSS: ofAcross.last,
            TAP_STEP_DOWN: ofDown.tapStep,
            TAP_STEP_ACROSS: ofAcross.tapStep,
            PICTURE_HEIGHT: H,
            PICTURE_WIDTH: W,
            FIRST_DOWN: ofDown.first,
            FIRST_ACROSS: ofAcross.first,
            STEP_DOWN: down.stride,
            STEP_ACROSS: across.stride,
          },
        },
      };
    }),
  );
}

/** Sizes of the product of a group, and how far apart the operands of two groups begin. */
function matrixSizes(
  [M, N, K]: readonly [M: number, N: number, K: number],
  groups: number,
  [stepA, stepB]: readonly [A: number, B: number],
): Product['sizes'] {
  if (groups === 1) return { M, N, K, batchShape: [], batch: { sizes: [], strides: [[], []] } };
  return { M, N, K, batchShape: [groups], batch: { sizes: [groups], strides: [[stepA], [stepB]] } };
}

function quads(A: number, B: number, C: number): Product['inQuads'] {
  return { A: A % 4 === 0, B: B % 4 === 0, C: C % 4 === 0 };
}

/** The pixels of an axis that are met by the same taps, as windows over the gradient of the output. */
interface Parity {
  readonly axis: Axis;
  /** The first pixel. */
  readonly first: number;
  /** The last tap, with which the turned window begins; 0 where there is none. */
  readonly last: number;
  /** From one tap to the next. */
  readonly tapStep: number;
}

/** A parity for each residue of pixels, without those that no pixel has; some meet no tap. */
function paritiesOf({ size, windows, taps, stride, dilation, before }: Axis): Parity[] {
  // Pixel h is met by tap r of output p where h = p · stride + r · dilation - before.
  const common = gcd(stride, dilation);
  const tapStep = stride / common;
  return Array.from({ length: stride }, (_, residue): Parity => {
    const first = (((residue - before) % stride) + stride) % stride;
    const firstTap = Array.from({ length: Math.min(tapStep, taps) }, (_own, tap) => tap).find(
      (tap) => (tap * dilation) % stride === residue,
    );
    const own = firstTap === undefined ? 0 : ceilDivide(taps - firstTap, tapStep);
    const last = firstTap === undefined ? 0 : firstTap + (own - 1) * tapStep;
    // The output of the last tap for the first pixel: the first one of the turned window.
    const firstOutput = own === 0 ? 0 : (first + before - last * dilation) / stride;
    return {
      axis: {
        size: windows,
        windows: ceilDivide(size - first, stride),
        taps: own,
        stride: 1,
        dilation: dilation / common,
        before: -firstOutput,
      },
      first,
      last,
      tapStep,
    };
  }).filter(({ axis }) => axis.windows > 0);
}

/** The greatest common divisor. */
function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

import { elementAt } from '../../element-at.js';
import { ShapeError } from '../../errors.js';
import type { Attributes } from '../../graph/operation.js';
import { formatShape, sameShape, type Shape } from '../../shape.js';
import { type WindowAttributes, windowsIn } from './window.js';

/** Attributes of the convolutions: where windows lie, and in how many groups channels are. */
export type Conv2dAttributes = WindowAttributes & { readonly groups: number };

/** Those of the input gradient, too, which is given no picture: its height and width. */
export type PictureAttributes = Conv2dAttributes & { readonly picture: readonly number[] };

/** The attributes of a convolution that is known as an operation only. */
export function conv2dAttributesOf({ kernel, stride, dilation, padding, groups }: Attributes): Conv2dAttributes {
  const own = { kernel: listOf(kernel), stride: listOf(stride), dilation: listOf(dilation), padding: listOf(padding) };
  return { ...own, groups: Number(groups) };
}

function listOf(value: Attributes[string] | undefined): readonly number[] {
  return typeof value === 'object' && value !== null ? value : [];
}

/**
 * Sizes of a convolution, whichever of its three tensors is computed from the other two:
 * picture [N, H, W, C], weight [O, R, S, C / groups], output [N, P, Q, O].
 */
export interface Conv2dSizes {
  readonly N: number;
  readonly H: number;
  readonly W: number;
  readonly C: number;
  readonly P: number;
  readonly Q: number;
  readonly O: number;
  readonly R: number;
  readonly S: number;
  /** Channels of the picture and of the output in one group. */
  readonly groupC: number;
  readonly groupO: number;
}

/** The sizes, of the shapes of picture and output. */
export function conv2dSizes(picture: Shape, output: Shape, { kernel, groups }: Conv2dAttributes): Conv2dSizes {
  const [C, O] = [elementAt(picture, 3), elementAt(output, 3)];
  return {
    N: elementAt(picture, 0),
    H: elementAt(picture, 1),
    W: elementAt(picture, 2),
    C,
    P: elementAt(output, 1),
    Q: elementAt(output, 2),
    O,
    R: elementAt(kernel, 0),
    S: elementAt(kernel, 1),
    groupC: C / groups,
    groupO: O / groups,
  };
}

/** The shape of the weight that takes a picture of C channels to an output of O. */
export function weightShape(C: number, O: number, { kernel, groups }: Conv2dAttributes): number[] {
  return [O, ...kernel, C / groups];
}

/** Throws ShapeError unless the picture has the channels that the weight takes, with a word on the order of axes. */
export function checkChannels(operation: string, picture: Shape, weight: Shape, taken: number): void {
  const channels = elementAt(picture, 3);
  if (channels === taken) return;
  const isChannelsFirst = elementAt(picture, 1) === taken;
  throw new ShapeError(
    `${operation}: the weight ${formatShape(weight)} takes ${taken} channels, the picture ${formatShape(picture)} has ` +
      `${channels}; pictures are [N, height, width, channels]` +
      (isChannelsFirst ? ': transpose(picture, [0, 2, 3, 1]) makes one of [N, channels, height, width]' : ''),
  );
}

/** Throws ShapeError unless channels divide into the groups, naming the sizes. */
export function checkGroups(operation: string, channels: number, of: string, groups: number): void {
  if (channels % groups === 0) return;
  throw new ShapeError(`${operation}: ${channels} channels of the ${of} do not divide into ${groups} groups`);
}

/** Throws ShapeError unless the weight is the one between so many channels. */
export function checkWeight(operation: string, weight: Shape, expected: Shape): void {
  if (sameShape(weight, expected)) return;
  throw new ShapeError(`${operation}: the weight must be ${formatShape(expected)}, found ${formatShape(weight)}`);
}

/** Throws ShapeError unless so many windows lie in the picture, naming the sizes. */
export function checkWindows(operation: string, picture: Shape, output: Shape, attributes: Conv2dAttributes): void {
  const [height, width] = windowsIn(operation, picture, attributes);
  if (height === output[1] && width === output[2]) return;
  throw new ShapeError(
    `${operation}: in a picture of ${picture.join(' x ')} lie ${height} x ${width} windows, the output ${formatShape(output)} has others`,
  );
}

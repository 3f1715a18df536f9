import { ShapeError } from '../errors.js';
import { formatShape, type Shape } from '../shape.js';

/** Channels that a picture in a file has: grey, colours, colours with transparency. */
const CHANNELS_IN_FILES = [1, 3, 4];

/** How a layer meets pictures whose channels it is not told. */
interface FirstMeeting {
  /** Shape of its input. */
  readonly input: Shape;
  /** Shape of one input of the model. */
  readonly modelInput: Shape;
  readonly kernelHeight: number;
}

/**
 * Throws ShapeError for pictures of the model's input that have their channels first. Nothing says so for sure, but a window
 * that is higher than 1 has no use for pictures that are 1, 3 or 4 high, wider, and of many channels. Whoever has such
 * pictures tells the layer their channels, and it does not ask.
 */
export function refuseChannelsFirst({ input, modelInput, kernelHeight }: FirstMeeting): void {
  const [, first = 0, second = 0, third = 0] = input;
  const isOfModel = formatShape(input.slice(1)) === formatShape(modelInput);
  if (!isOfModel || kernelHeight === 1 || !CHANNELS_IN_FILES.includes(first) || Math.min(second, third) <= 4) return;
  throw new ShapeError(
    `the input ${formatShape(input)} seems to have its channels first. Pictures are [N, height, width, channels] ` +
      "here: give imageFolder the layout 'channels-last', or transpose(input, [0, 2, 3, 1]). " +
      `If it is ${first} high and has ${third} channels, give the layer inputChannels: ${third}`,
  );
}

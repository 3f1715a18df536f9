import { DataError } from '../../errors.js';
import { PLAIN_VIEWS } from '../../ops/augment/view-settings.js';
import { formatShape, type Shape } from '../../shape.js';
import { Augment, type AugmentedPictures } from '../augment.js';
import { isStreamed, type StreamedData } from '../streamed-data.js';
import type { TrainingData } from '../training-data.js';
import { TableOfPictures, type Views } from './augmented-pictures.js';
import { type AugmentationOptions, checkAugmentationOptions, drawnOf, type DrawnSettings } from './options.js';
import { inputShapeOf, pictureShapeOf } from './picture-shape.js';

/** What {@link augmentation} gives. */
class PictureAugmentation extends Augment {
  readonly #options: AugmentationOptions;
  readonly #drawn: DrawnSettings;
  /** Whether it is one of all quarter turns. */
  readonly #isTurned: boolean;

  constructor(options: AugmentationOptions, drawn: DrawnSettings, isTurned = false) {
    super();
    this.#options = options;
    this.#drawn = drawn;
    this.#isTurned = isTurned;
  }

  override get mixes(): boolean {
    return this.#options.mixup !== undefined;
  }

  override viewShape(inputShape: Shape): Shape {
    return inputShapeOf(this.#viewsOf(inputShape).view);
  }

  override plainFor(inputShape: Shape): Augment | undefined {
    const { picture, view } = this.#viewsOf(inputShape);
    const isWhole = picture.height === view.height && picture.width === view.width;
    return isWhole ? undefined : this.plainViews(1)[0];
  }

  override plainViews(count: 1 | 2 | 8): readonly Augment[] {
    const { size, fill, layout } = this.#options;
    const options = { ...(size && { size }), ...(fill !== undefined && { fill }), ...(layout && { layout }) };
    const { crop, fill: outside } = this.#drawn;
    const turns = count === 8 ? [0, 90, 180, 270] : [0];
    const flips = count === 1 ? [0] : [0, 1];
    return turns.flatMap((degrees) =>
      flips.map((horizontalFlip) => {
        const rotation = [degrees, degrees] as const;
        const middle = crop === 'none' ? crop : 'middle';
        const drawn = { ...PLAIN_VIEWS, crop: middle, fill: outside, rotation, horizontalFlip } as const;
        return new PictureAugmentation(options, drawn, count === 8);
      }),
    );
  }

  override picturesOf(data: TrainingData | StreamedData, batchSize: number): AugmentedPictures {
    if (this.mixes && isStreamed(data)) {
      throw new DataError(
        'augmentation: mixup takes partners from all pictures, and these are streamed, a batch at a time',
      );
    }
    return new TableOfPictures(data, this.#viewsOf(data.inputShape), batchSize);
  }

  /** Throws DataError where pictures cannot be augmented so. */
  #viewsOf(inputShape: Shape): Views {
    const { layout, size, normalization, mixup, fill, cutOut } = this.#options;
    const picture = pictureShapeOf(inputShape, layout);
    const view = { ...picture, ...size };
    const refuse = (reason: string): DataError =>
      new DataError(`augmentation: pictures of ${formatShape(inputShape)} ${reason}`);
    const { crop, padding, hue } = this.#drawn;
    if (this.#isTurned && view.height !== view.width) {
      throw refuse(`have views of ${view.height} × ${view.width}: quarter turns are of views as wide as high`);
    }
    if (hue.some((turn) => turn !== 0) && picture.channels !== 3) {
      throw refuse(`have ${picture.channels} channels, and hue is of red, green and blue`);
    }
    if (normalization && normalization.mean.length !== picture.channels) {
      throw refuse(`have ${picture.channels} channels, and normalization has ${normalization.mean.length}`);
    }
    if (cutOut && cutOut.size > Math.min(view.height, view.width)) {
      throw refuse(`have views of ${view.height} × ${view.width}: no square of ${cutOut.size} can be cut out`);
    }
    const isLarger = view.height > picture.height + 2 * padding || view.width > picture.width + 2 * padding;
    if (crop === 'random' && isLarger) {
      throw refuse(`with ${padding} pixels around have no window of ${view.height} × ${view.width}`);
    }
    return {
      settings: { ...this.#drawn, picture: [picture.height, picture.width], view: [view.height, view.width] },
      picture,
      view,
      edge: fill === 'edge',
      normalization,
      mixup,
    };
  }
}

/**
 * Views of pictures for `fit` and {@link DataLoader}, anew in each epoch, made on the device where the pictures are: two
 * dispatches a batch, and nothing is uploaded.
 *
 *     fit(model, pictures, { augment: augmentation({ horizontalFlip: 0.5, rotation: 15, brightness: 0.2 }), .. });
 *
 * What is drawn is a function of (seed, epoch, example) alone: the same for any size of batch and any order, on every
 * device, and for a training that is resumed. Pictures are [height, width, channels], [channels, height, width] or [height,
 * width], of numbers from 0, black, to 1, white, or made of such by `normalization`; or bytes (u8) with a scale.
 *
 * In this order: flips; rotation, scale and shift; perspective; each pixel of the view is then made of the four around its
 * place (`F.grid_sample`, alignCorners false), and recoloured: contrast, brightness, channel gain, hue, clamped once, at
 * last, to black and white; noise; cut-out; mixup.
 *
 * A model that is trained so is evaluated on the pictures themselves, or, where `size` says another size, on plain views of
 * that size.
 *
 * Throws OptionError for an unknown or unusable option; what it is given to throws DataError for inputs that are no such
 * pictures.
 */
export function augmentation(options: AugmentationOptions): Augment {
  checkAugmentationOptions(options);
  return new PictureAugmentation(options, drawnOf(options));
}

import { type Normalization, normalize } from '../data/normalization.js';
import type { PictureLayout } from '../data/picture-layout.js';
import type { PictureSize } from '../data/resize.js';
import { OptionError } from '../errors.js';
import { Module } from '../nn/module.js';
import {
  anything,
  checkOptions,
  instanceOf,
  oneOf,
  type OptionRule,
  type OptionRules,
  required,
  texts,
  wholeNumber,
} from '../options.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import {
  type Architecture,
  ARCHITECTURE_NAMES,
  type ArchitectureName,
  type ArchitectureOptions,
  ARCHITECTURES,
} from './architectures.js';

/** Options of {@link pictureClassifier}. */
export interface PictureClassifierOptions {
  /** The net: 'mynet', 'mynet2', 'convnet', 'resnet8', 'resnet18', 'resnet50', 'mobilenet-v1' or 'mobilenet-v2'. */
  readonly architecture: ArchitectureName;
  /** The names of the classes, in the order of its outputs. */
  readonly classNames: readonly string[];
  /** The size of the pictures that the net sees. */
  readonly size: PictureSize;
  /**
   * The size that pictures are resized to first, where the net sees views of them, such as those of `augmentation({ size })`: when
   * nothing is trained, the whole picture squeezed to `size` ({@link viewsOf}). Default: `size`; the pictures are seen as they are.
   */
  readonly storedSize?: PictureSize;
  /** Options of the net ({@link convNet}, …) but for `classes`, which follows from the names. */
  readonly options?: Omit<ArchitectureOptions, 'classes'>;
}

/** All that a file says of a {@link PictureClassifier} beside its weights. */
export interface ClassifierDescription extends PictureClassifierOptions {
  readonly options: Omit<ArchitectureOptions, 'classes'>;
  /** The order of the numbers of its pictures. */
  readonly layout: PictureLayout;
  /** Done to pictures before the net sees them. */
  readonly normalization?: Normalization;
}

/**
 * A net of the library with all that is needed to use it on pictures: its classes, their size and order, and what is done to
 * their numbers. It is the model that is trained and saved; its parameters have the names that they have in the net.
 */
export class PictureClassifier extends Module {
  /** What it was made of. */
  readonly description: ClassifierDescription;
  /** The net. Parts may be replaced in it; a file keeps those of the architecture only. */
  readonly net: Module;

  /** @internal */
  constructor(description: ClassifierDescription) {
    super();
    this.description = description;
    const { architecture, classNames, options } = description;
    this.net = ARCHITECTURES[architecture].make({ ...options, classes: classNames.length });
  }

  /** The shape of one picture that the net sees: [3, height, width] or [height, width, 3]. */
  get pictureShape(): Shape {
    return this.#shapeOf(this.description.size);
  }

  /** The shape of one picture before a view is taken of it: `pictureShape`, where there is no `storedSize`. */
  get storedShape(): Shape {
    const { size, storedSize = size } = this.description;
    return this.#shapeOf(storedSize);
  }

  #shapeOf({ width, height }: PictureSize): Shape {
    return this.description.layout === 'channels-first' ? [3, height, width] : [height, width, 3];
  }

  /** @internal */
  override get summaryTitle(): string {
    return this.net.summaryTitle;
  }

  override children(): [name: string, module: Module][] {
    return this.net.children();
  }

  /** pictures [N, ...pictureShape] with numbers from 0 to 1 → logits [N, classes] */
  override forward(pictures: Tensor): Tensor {
    const { normalization, layout } = this.description;
    return this.net.forward(normalization ? normalize(pictures, normalization, layout) : pictures);
  }
}

/** @internal */
export const classifierRule = instanceOf(PictureClassifier, 'a PictureClassifier (pictureClassifier)');

const sizeRule: OptionRule = {
  expected: 'an object with width and height',
  accepts: (value) => typeof value === 'object' && value !== null,
};

const RULES: OptionRules<PictureClassifierOptions> = {
  architecture: required(oneOf(...ARCHITECTURE_NAMES)),
  classNames: required(texts),
  size: required(sizeRule),
  storedSize: sizeRule,
  options: anything, // the net checks them
};

/**
 * A net for pictures of some classes, not built yet:
 *
 *     const { classNames } = pictures; // of imageFolder(directory, { size, layout: 'channels-last' })
 *     const model = pictureClassifier({ architecture: 'convnet', classNames, size: { width: 64, height: 64 } });
 *     await fit(model, pictures, { epochs: 20, optimizer: new AdamW({ learningRate: 0.001 }) });
 *     await saveModel('model.safetensors', model);
 *
 * It takes pictures with numbers from 0 to 1, as `imageFolder` gives them, in the order `description.layout`, and normalizes
 * them as the architecture wants it: ConvNet and ResNet-8 (v - 0.5) / 0.25, MobileNet v1 (v - 0.5) / 0.5, the nets of
 * torchvision by ImageNet's mean and deviation, MyNet not at all. Throws OptionError for a bad option, and for pictures that are too small for the net.
 */
export function pictureClassifier(options: PictureClassifierOptions): PictureClassifier {
  checkOptions('pictureClassifier', options, RULES);
  const { architecture, classNames, size, storedSize } = options;
  const { layout, normalization, smallestSize }: Architecture = ARCHITECTURES[architecture];
  const edge = required(wholeNumber({ min: smallestSize }));
  checkOptions(`pictureClassifier: size for ${architecture}`, size, { width: edge, height: edge });
  const storedEdge = required(wholeNumber({ min: 1 }));
  if (storedSize) checkOptions('pictureClassifier: storedSize', storedSize, { width: storedEdge, height: storedEdge });
  if (classNames.length === 0) throw new OptionError('pictureClassifier: classNames must not be empty');
  return new PictureClassifier({
    ...{ architecture, classNames, size, layout, options: options.options ?? {} },
    ...(storedSize && { storedSize }),
    ...(normalization && { normalization }),
  });
}

import type { Normalization } from '../data/normalization.js';
import type { PictureLayout } from '../data/picture-layout.js';
import type { Module } from '../nn/module.js';
import { convNet } from './convnet.js';
import { mobileNetV1, type MobileNetV1Options } from './mobilenet-v1.js';
import { mobileNetV2, type MobileNetV2Options } from './mobilenet-v2.js';
import { myNet, myNet2, type MyNetOptions } from './mynet.js';
import { resnet18, resnet50, type ResNetOptions } from './resnet.js';
import { resnet8, type ResNet8Options } from './resnet8.js';

/** Options of the nets in the table below; each takes some of them. */
export type ArchitectureOptions = MyNetOptions &
  ResNet8Options &
  ResNetOptions &
  MobileNetV1Options &
  MobileNetV2Options;

/** A net of the library that classifies pictures, and how it wants them. */
export interface Architecture {
  /** What it is called in texts. */
  readonly title: string;
  readonly make: (options: ArchitectureOptions) => Module;
  readonly layout: PictureLayout;
  /** Of numbers from 0 to 1; without it, these are what it takes. */
  readonly normalization?: Normalization;
  /** The least width and height. */
  readonly smallestSize: number;
  /** The name of its last layer, or of what holds that: what is new where a net is given other classes. */
  readonly head: string;
}

/** To numbers from -2 to 2. */
const CENTRED: Normalization = { mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.25, 0.25] };
/** To numbers from -1 to 1, as Keras's MobileNet has them. */
const SYMMETRIC: Normalization = { mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5] };
/** What torchvision's weights were trained with: mean and deviation of ImageNet's pictures. */
const IMAGENET: Normalization = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };

const CHANNELS_LAST = 'channels-last';

/** The nets by the names that files and command lines have for them. */
export const ARCHITECTURES = {
  mynet: { title: 'MyNet', make: myNet, layout: 'channels-first', smallestSize: 1, head: 'fc2' },
  mynet2: { title: 'MyNet2', make: myNet2, layout: 'channels-first', smallestSize: 1, head: 'fc3' },
  convnet: {
    ...{ title: 'The small convolutional net', make: convNet, head: 'fc' },
    ...{ layout: CHANNELS_LAST, normalization: CENTRED, smallestSize: 16 },
  },
  resnet8: {
    ...{ title: 'ResNet-8', make: resnet8, head: 'fc' },
    ...{ layout: CHANNELS_LAST, normalization: CENTRED, smallestSize: 8 },
  },
  resnet18: {
    ...{ title: 'ResNet-18', make: resnet18, head: 'fc' },
    ...{ layout: CHANNELS_LAST, normalization: IMAGENET, smallestSize: 32 },
  },
  resnet50: {
    ...{ title: 'ResNet-50', make: resnet50, head: 'fc' },
    ...{ layout: CHANNELS_LAST, normalization: IMAGENET, smallestSize: 32 },
  },
  'mobilenet-v1': {
    ...{ title: 'MobileNet', make: mobileNetV1, head: 'fc' },
    ...{ layout: CHANNELS_LAST, normalization: SYMMETRIC, smallestSize: 32 },
  },
  'mobilenet-v2': {
    ...{ title: 'MobileNetV2', make: mobileNetV2, head: 'classifier' },
    ...{ layout: CHANNELS_LAST, normalization: IMAGENET, smallestSize: 32 },
  },
} as const satisfies Readonly<Record<string, Architecture>>;

/** The name of a net that {@link pictureClassifier} makes. */
export type ArchitectureName = keyof typeof ARCHITECTURES;

/** All of their names. */
export const ARCHITECTURE_NAMES = Object.keys(ARCHITECTURES) as readonly ArchitectureName[];

/** Whether a net is called so. */
export function isArchitectureName(name: string): name is ArchitectureName {
  return Object.hasOwn(ARCHITECTURES, name);
}

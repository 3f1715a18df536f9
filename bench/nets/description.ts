/**
 * A layer of a net, in words that every library can build it by. `name` is the module's in torchvision. Pictures are padded
 * by half a window, and convolutions have no bias: batch norm follows.
 */
export type LayerDescription =
  | {
      readonly layer: 'conv';
      readonly name: string;
      readonly inChannels: number;
      readonly outChannels: number;
      readonly kernel: number;
      readonly stride: number;
      /** 1, or as many as there are channels: each then has a window of its own. */
      readonly groups: number;
    }
  | {
      readonly layer: 'batchNorm';
      readonly name: string;
      readonly channels: number;
      /** What its weight begins with. */
      readonly initial: number;
    }
  | { readonly layer: 'relu' | 'relu6' | 'globalAveragePool' }
  | { readonly layer: 'maxPool'; readonly size: number; readonly stride: number }
  | { readonly layer: 'dense'; readonly name: string; readonly inputs: number; readonly outputs: number }
  /** The sum of what both make of the input; a shortcut of no layers is the input itself. */
  | {
      readonly layer: 'residual';
      readonly body: readonly LayerDescription[];
      readonly shortcut: readonly LayerDescription[];
    };

/** A net and the training step that is timed of it. */
export interface NetDescription {
  readonly name: NetName;
  readonly title: string;
  /** Height and width of a picture of three channels. */
  readonly pictureSize: number;
  /** Pictures in a step. */
  readonly batch: number;
  readonly layers: readonly LayerDescription[];
}

/** The nets, as on the command line. */
export const NET_NAMES = ['mobilenet', 'resnet50'] as const;

/** One of {@link NET_NAMES}. */
export type NetName = (typeof NET_NAMES)[number];

/** Classes of the pictures. */
export const NET_CLASSES = 2;

/**
 * The batch norm at the end of a residual branch begins with this in place of 1: else rounding errors grow from layer to
 * layer so that libraries, and one library on one and on two threads, differ by percents after two steps.
 */
const INITIAL_OF_BRANCH = 0.1;

type Activation = 'relu' | 'relu6';

interface ConvOptions {
  readonly kernel: number;
  readonly stride?: number;
  readonly groups?: number;
  readonly activation?: Activation;
  /** What the weight of batch norm begins with. Default 1. */
  readonly initial?: number;
}

/** A convolution, its batch norm, and what follows them. */
function convNorm(
  [conv, norm]: readonly [conv: string, norm: string],
  inChannels: number,
  outChannels: number,
  { kernel, stride = 1, groups = 1, activation, initial = 1 }: ConvOptions,
): LayerDescription[] {
  return [
    { layer: 'conv', name: conv, inChannels, outChannels, kernel, stride, groups },
    { layer: 'batchNorm', name: norm, channels: outChannels, initial },
    ...(activation ? [{ layer: activation }] : []),
  ];
}

/** Blocks of MobileNetV2: expansion, channels, how often, stride of the first (Sandler et al. 2018, table 2). */
const MOBILENET_V2 = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

function mobileNetV2(): NetDescription {
  const activation = 'relu6';
  const layers = convNorm(['features.0.0', 'features.0.1'], 3, 32, { kernel: 3, stride: 2, activation });
  let channels = 32;
  let block = 1;
  for (const [expansion, outChannels, times, firstStride] of MOBILENET_V2) {
    for (let i = 0; i < times; i++) {
      const stride = i === 0 ? firstStride : 1;
      const name = `features.${block++}.conv`;
      const hidden = channels * expansion;
      const isResidual = stride === 1 && channels === outChannels;
      const expand = expansion > 1 ? 1 : 0;
      const body = [
        ...(expand ? convNorm([`${name}.0.0`, `${name}.0.1`], channels, hidden, { kernel: 1, activation }) : []),
        ...convNorm([`${name}.${expand}.0`, `${name}.${expand}.1`], hidden, hidden, {
          kernel: 3,
          stride,
          groups: hidden,
          activation,
        }),
        ...convNorm([`${name}.${expand + 1}`, `${name}.${expand + 2}`], hidden, outChannels, {
          kernel: 1,
          initial: isResidual ? INITIAL_OF_BRANCH : 1,
        }),
      ];
      layers.push(...(isResidual ? [{ layer: 'residual' as const, body, shortcut: [] }] : body));
      channels = outChannels;
    }
  }
  layers.push(
    ...convNorm([`features.${block}.0`, `features.${block}.1`], channels, 1280, { kernel: 1, activation }),
    { layer: 'globalAveragePool' },
    { layer: 'dense', name: 'classifier.1', inputs: 1280, outputs: NET_CLASSES },
  );
  return { name: 'mobilenet', title: 'MobileNetV2', pictureSize: 96, batch: 8, layers };
}

/** Stages of ResNet-50: channels within a block, how many blocks (He et al. 2015, table 1). */
const RESNET_50 = [
  [64, 3],
  [128, 4],
  [256, 6],
  [512, 3],
] as const;

/** A block's last convolution gives so many times its channels. */
const RESNET_EXPANSION = 4;

function resNet50(): NetDescription {
  const activation = 'relu';
  const layers: LayerDescription[] = [
    ...convNorm(['conv1', 'bn1'], 3, 64, { kernel: 7, stride: 2, activation }),
    { layer: 'maxPool', size: 3, stride: 2 },
  ];
  let channels = 64;
  for (const [stage, [hidden, blocks]] of RESNET_50.entries()) {
    for (let i = 0; i < blocks; i++) {
      const name = `layer${stage + 1}.${i}`;
      const part = (number: number) => [`${name}.conv${number}`, `${name}.bn${number}`] as const;
      const stride = i === 0 && stage > 0 ? 2 : 1;
      const outChannels = hidden * RESNET_EXPANSION;
      layers.push(
        {
          layer: 'residual',
          body: [
            ...convNorm(part(1), channels, hidden, { kernel: 1, activation }),
            ...convNorm(part(2), hidden, hidden, { kernel: 3, stride, activation }),
            ...convNorm(part(3), hidden, outChannels, { kernel: 1, initial: INITIAL_OF_BRANCH }),
          ],
          shortcut:
            i === 0
              ? convNorm([`${name}.downsample.0`, `${name}.downsample.1`], channels, outChannels, { kernel: 1, stride })
              : [],
        },
        { layer: activation },
      );
      channels = outChannels;
    }
  }
  layers.push({ layer: 'globalAveragePool' }, { layer: 'dense', name: 'fc', inputs: channels, outputs: NET_CLASSES });
  return { name: 'resnet50', title: 'ResNet-50', pictureSize: 64, batch: 8, layers };
}

const DESCRIPTIONS = { mobilenet: mobileNetV2, resnet50: resNet50 } as const;

/** A net with global average pooling and a layer of two classes behind its convolutions. */
export function netDescription(name: NetName): NetDescription {
  return DESCRIPTIONS[name]();
}

/** A layer that has parameters. */
export type ParametricLayer = Extract<LayerDescription, { readonly layer: 'conv' | 'batchNorm' | 'dense' }>;

/** Those of the layers that have parameters, each body before its shortcut. */
export function parametricLayers(layers: readonly LayerDescription[]): ParametricLayer[] {
  return layers.flatMap((layer) => {
    if (layer.layer === 'residual') return parametricLayers([...layer.body, ...layer.shortcut]);
    return 'name' in layer ? [layer] : [];
  });
}

import type { DeviceInfo } from 'kernelwright';
import { ARTICLE, ARTICLE_NETS } from './article.js';
import type { Experiment } from './experiment.js';

const MYNET = { size: 28, isExpanded: true, momentum: 0 } as const;

/** Nets of 28 × 28 pictures are trained as in the article. The large ones, as far as a CPU gets in minutes. */
export function experimentsFor({ kind }: DeviceInfo): readonly Experiment[] {
  const isOnGpu = kind === 'webgpu';
  const large = { isExpanded: isOnGpu, momentum: 0.9 } as const;
  const { epochs } = ARTICLE;
  return [
    {
      ...{ ...MYNET, name: 'mynet', title: 'MyNet', architecture: 'mynet', epochs },
      article: ARTICLE_NETS.mynet,
    },
    {
      ...{ ...MYNET, name: 'mynet-500', title: 'MyNet, 500 units', architecture: 'mynet', epochs: 100 },
      options: { hidden: 500 },
    },
    { ...MYNET, name: 'mynet2', title: 'MyNet2', architecture: 'mynet2', epochs },
    {
      ...{ ...large, name: 'mobilenet', title: 'MobileNetV2', architecture: 'mobilenet-v2' },
      ...(isOnGpu ? { size: ARTICLE_NETS.mobilenet.size, epochs } : { size: 64, epochs: 20 }),
      article: ARTICLE_NETS.mobilenet,
    },
    {
      ...{ ...large, name: 'resnet50', title: 'ResNet-50', architecture: 'resnet50' },
      ...(isOnGpu ? { size: ARTICLE_NETS.resnet50.size, epochs } : { size: 64, epochs: 5 }),
      article: ARTICLE_NETS.resnet50,
    },
  ];
}

import { resnet50 } from '../../index.js';
import { largeNet } from './large-net.js';

/** `npm run resnet50` */
export const resnet50Program = largeNet({
  ...{ name: 'resnet50', title: 'ResNet-50', articleSize: 224, epochs: 20, head: 'fc' },
  net: resnet50,
});

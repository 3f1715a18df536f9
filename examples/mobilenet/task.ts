import { mobileNetV2 } from 'kernelwright';
import { largeNet } from '../training/large-net.js';

/** `npm run mobilenet` */
export const mobilenetProgram = largeNet({
  ...{ name: 'mobilenet', title: 'MobileNetV2', articleSize: 192, epochs: 20, head: 'classifier' },
  net: mobileNetV2,
});

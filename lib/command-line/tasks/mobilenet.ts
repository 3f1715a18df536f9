import { mobileNetV2 } from '../../index.js';
import { largeNet } from './large-net.js';

/** `npm run mobilenet` */
export const mobilenetProgram = largeNet({
  ...{ name: 'mobilenet', title: 'MobileNetV2', articleSize: 192, epochs: 20, head: 'classifier' },
  net: mobileNetV2,
});

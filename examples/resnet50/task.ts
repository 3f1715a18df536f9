import type { Example } from '../program.js';

/** `npm run resnet50` */
export const resnet50: Example = {
  name: 'resnet50',
  model: 'resnet50',
};

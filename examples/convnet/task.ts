import type { Example } from '../program.js';

/** `npm run convnet` */
export const convnet: Example = {
  name: 'convnet',
  model: 'convnet',
};

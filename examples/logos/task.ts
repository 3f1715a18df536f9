import type { Example } from '../program.js';
import { drawLogos } from './draw.js';

/** `npm run logos` */
export const logos: Example = {
  name: 'logos',
  model: 'convnet',
  draw: (folder) => drawLogos(folder),
};

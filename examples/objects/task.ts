import type { Example } from '../program.js';
import { drawObjects } from './draw.js';

/** `npm run objects` */
export const objects: Example = {
  name: 'objects',
  model: 'convnet',
  draw: (folder) => drawObjects(folder),
};

import type { Example } from '../program.js';

/** `npm run mobilenet` */
export const mobilenet: Example = {
  name: 'mobilenet',
  model: 'mobilenet-v2',
};

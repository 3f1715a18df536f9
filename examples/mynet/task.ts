import type { Example } from '../program.js';

/** `npm run mynet` */
export const mynet: Example = {
  name: 'mynet',
  model: 'mynet',
  // https://qiita.com/moriitkys/items/316fcca8d83dfa706597
  article: { 'learning-rate': '0.001', momentum: '0' },
};

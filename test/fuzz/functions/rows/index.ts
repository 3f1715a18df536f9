import type { Row } from '../choice.js';
import { movingRows } from './moving.js';
import { pointwiseRows } from './pointwise.js';
import { productRows } from './products.js';
import { reductionRows } from './reductions.js';
import { stateRows } from './state.js';

/** All that a random function may do, by name. */
export const ROWS: Readonly<Record<string, Row>> = {
  ...pointwiseRows,
  ...productRows,
  ...movingRows,
  ...reductionRows,
  ...stateRows,
};

/** What is chosen more often, for it is where operations meet. */
const OFTEN = [
  'product',
  'dense',
  'activation',
  'bias',
  'binary',
  'dropped',
  'rowsTimes',
  'trained',
  'minimized',
  'differentiated',
];

/** The names to choose from. */
export const ROW_NAMES: readonly string[] = [...Object.keys(ROWS), ...OFTEN, ...OFTEN];

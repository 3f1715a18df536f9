import { Dense, Dropout, type LabelledData, Module, ReLU, Sequential, type Tensor } from '../../../lib/index.js';
import { integers, numbers } from '../data.js';

export const COLUMNS = 3;
export const CLASSES = 3;
export const ROWS = 13;

/** What distinguishes the models of a life. */
export interface NetSizes {
  readonly hidden: number;
  readonly dropout: number;
}

/** The model of all lives, of two parts. */
export class Net extends Module {
  body: Sequential;
  head = new Dense(CLASSES);

  constructor({ hidden, dropout }: NetSizes) {
    super();
    this.body = new Sequential({ fc: new Dense(hidden), relu: new ReLU(), dropout: new Dropout(dropout) });
  }

  override forward(input: Tensor): Tensor {
    return this.head.forward(this.body.forward(input));
  }
}

export function trainingData(): LabelledData {
  const classNames = ['a', 'b', 'c'];
  return {
    inputs: numbers(ROWS * COLUMNS, 1),
    inputShape: [COLUMNS],
    labels: integers(ROWS, CLASSES, 2),
    classNames,
  };
}

/** This file, as a printed program has it. */
export const NET_CODE = `class Net extends Module {
  head = new Dense(${CLASSES});
  constructor(hidden, dropout) {
    super();
    this.body = new Sequential({ fc: new Dense(hidden), relu: new ReLU(), dropout: new Dropout(dropout) });
  }
  forward(input) {
    return this.head.forward(this.body.forward(input));
  }
}
const data = {
  inputs: numbers(${ROWS * COLUMNS}, 1),
  inputShape: [${COLUMNS}],
  labels: integers(${ROWS}, ${CLASSES}, 2),
  classNames: ['a', 'b', 'c'],
};`;

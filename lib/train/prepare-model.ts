import type { Augment } from '../data/augment.js';
import { checkTrainingData } from '../data/check-data.js';
import { outcomesOf, type TrainingData } from '../data/training-data.js';
import { isStreamed, type StreamedData } from '../data/streamed-data.js';
import { DataError, OptionError } from '../errors.js';
import { type Module, moduleRule } from '../nn/module.js';
import { checkArgument } from '../options.js';
import { printable } from '../printable.js';
import { formatShape, type Shape, sizeOf } from '../shape.js';
import { checkLoss, isOneNumber, type Loss } from './objective.js';

/**
 * The shape of one input of a model, which is built for `inputShape` where that has not been done. Throws OptionError for
 * what is no model, and for a part of one.
 */
export function builtInputShape(caller: string, model: Module, inputShape: Shape, seed = 0): Shape {
  checkArgument(caller, 'the model', model, moduleRule);
  if (!model.isBuilt) model.build(inputShape, { seed });
  if (model.inputShape) return model.inputShape;
  throw new OptionError(
    `${caller}: this ${model.constructor.name} was built as a part of a model, which alone knows its inputs: give ${caller} ` +
      'the model itself (freeze the other parts where only this one is to be trained)',
  );
}

/** Builds the model for the data where that has not been done, and checks that model, data and loss fit. */
export function prepareModel(
  caller: string,
  model: Module,
  data: TrainingData | StreamedData,
  role: string,
  {
    seed,
    loss,
    augment,
  }: {
    readonly seed?: number | undefined;
    readonly loss?: Loss | undefined;
    readonly augment?: Augment | undefined;
  },
): void {
  checkTrainingData(`the ${role}`, data);
  const inputShape = augment ? augment.viewShape(data.inputShape) : data.inputShape;
  const expected = builtInputShape(caller, model, inputShape, seed);
  if (expected.join() !== inputShape.join()) {
    const what = augment ? 'views' : 'inputs';
    throw new DataError(
      `the ${role} has ${what} of ${formatShape(inputShape)}; the model was built for ${formatShape(expected)}`,
    );
  }
  checkData(model, data, role);
  checkLoss(loss, model, data, role);
  if (augment?.mixes === true && 'labels' in data && isOneNumber(model.outputShape())) {
    throw new OptionError(`${caller}: mixup makes mixtures of classes, and the model has one output, not one for each`);
  }
}

/**
 * Checks data against a built model before anything is trained, so that what is wrong is said of the row where it
 * stands. Throws DataError for no rows, counts or shapes that differ, NaN or infinity, and labels that are no class.
 *
 * @param role how the message calls the data: 'training data', 'validation data'
 */
function checkData(model: Module, data: TrainingData | StreamedData, role: string): void {
  const { inputShape } = data;
  const { name, values, shape, count } = outcomesOf(data);
  if (values.length === 0) throw new DataError(`the ${role} holds no examples`);
  if (!Number.isInteger(count)) {
    throw new DataError(
      `the ${role} holds ${values.length} numbers in targets of ${formatShape(shape)}, no whole number of them`,
    );
  }
  const columns = sizeOf(inputShape);
  const inputs = isStreamed(data) ? undefined : data.inputs; // those are looked at when they are read
  if (inputs && inputs.length !== count * columns) {
    throw new DataError(
      `the ${role} holds ${inputs.length} numbers and ${count} ${name}: inputs of ${formatShape(inputShape)} would be ${count * columns}`,
    );
  }
  const where = (row: number): string =>
    `row ${row}${data.files?.[row] === undefined ? '' : ` (${printable(data.files[row])})`}`;
  const checkFinite = (numbers: ArrayLike<number>, size: number, what: string): void => {
    for (let i = 0; i < numbers.length; i++) {
      if (Number.isFinite(numbers[i])) continue;
      throw new DataError(`the ${role} has ${numbers[i]} in ${where(Math.floor(i / size))}, ${what} ${i % size}`);
    }
  };
  if (inputs instanceof Float32Array) checkFinite(inputs, columns, 'element');
  checkWeights(data.weights, count, role, where);
  if (name === 'targets') {
    checkFinite(values, sizeOf(shape), 'number of the target');
    return;
  }
  const outputs = model.outputShape();
  const classes = isOneNumber(outputs) ? 2 : (outputs.at(-1) ?? 0);
  for (let row = 0; row < count; row++) {
    const label = values[row] ?? NaN;
    if (label >= 0 && label < classes) continue;
    const has = isOneNumber(outputs) ? 'one output, a bit' : `${classes} outputs`;
    throw new DataError(
      `the ${role} has the label ${label} in ${where(row)}; the model has ${has}, so labels go from 0 to ${classes - 1}`,
    );
  }
}

/** Throws DataError unless there are weights of 0 or more for all examples, some of them above 0, or none at all. */
function checkWeights(
  weights: Float32Array | undefined,
  count: number,
  role: string,
  where: (row: number) => string,
): void {
  if (!weights) return;
  if (weights.length !== count) {
    throw new DataError(`the ${role} holds ${weights.length} weights of ${count} examples`);
  }
  const row = weights.findIndex((weight) => !(weight >= 0 && weight < Infinity));
  if (row >= 0) throw new DataError(`the ${role} has the weight ${weights[row]} in ${where(row)}; expected 0 or more`);
  if (weights.every((weight) => weight === 0)) throw new DataError(`the ${role} has no weight above 0`);
}

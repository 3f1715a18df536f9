import type { LabelledData } from '../data/arrays.js';
import { DataError } from '../errors.js';
import type { Module } from '../nn/module.js';
import { formatShape, sizeOf } from '../shape.js';

/**
 * Checks data against a built model before anything is trained, so that what is wrong is said of the row where it
 * stands. Throws DataError for no rows, counts or shapes that differ, NaN or infinity, and labels that are no class.
 *
 * @param role how the message calls the data: 'training data', 'validation data'
 */
export function checkData(model: Module, data: LabelledData, role: string): void {
  const { inputs, inputShape, labels } = data;
  const rows = labels.length;
  const columns = sizeOf(inputShape);
  if (rows === 0) throw new DataError(`the ${role} holds no examples`);
  if (inputs.length !== rows * columns) {
    throw new DataError(
      `the ${role} holds ${inputs.length} numbers and ${rows} labels: inputs of ${formatShape(inputShape)} would be ${rows * columns}`,
    );
  }
  const where = (row: number): string => `row ${row}${data.files?.[row] === undefined ? '' : ` (${data.files[row]})`}`;
  const broken = inputs.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) {
    const row = Math.floor(broken / columns);
    throw new DataError(`the ${role} has ${inputs[broken]} in ${where(row)}, element ${broken % columns}`);
  }
  const classes = model.outputShape().at(-1) ?? 0;
  labels.forEach((label, row) => {
    if (label < 0 || label >= classes) {
      throw new DataError(
        `the ${role} has the label ${label} in ${where(row)}; the model has ${classes} outputs, so labels go from 0 to ${classes - 1}`,
      );
    }
  });
}

/** Builds the model for the data where that has not been done, and checks that they fit. */
export function prepareModel(model: Module, data: LabelledData, role: string, seed: number): void {
  if (!model.isBuilt) model.build(data.inputShape, { seed });
  const expected = model.inputShape ?? [];
  if (expected.join() !== data.inputShape.join()) {
    throw new DataError(
      `the ${role} has inputs of ${formatShape(data.inputShape)}; the model was built for ${formatShape(expected)}`,
    );
  }
  checkData(model, data, role);
}

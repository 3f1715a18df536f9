import { OptionError, ShapeError } from '../errors.js';
import { nodesBefore } from '../graph/nodes.js';
import { show } from '../options.js';
import { checkShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { Parameter, type Variable } from '../variable.js';

/** Throws ShapeError unless it is the shape of one input. */
export function checkInputShape(shape: unknown): void {
  if (!Array.isArray(shape)) {
    throw new ShapeError(`build: the shape of one input must be an array such as [2], found ${show(shape)}`);
  }
  checkShape('build', shape);
}

/** A parameter that no walk finds would be neither trained nor saved, in silence. */
export function checkAllAreFound(output: Tensor, found: ReadonlySet<Variable>): void {
  for (const { origin } of [output, ...nodesBefore([output]).flatMap(({ inputs }) => inputs)]) {
    if (origin.kind !== 'variable' || found.has(origin.variable)) continue;
    if (!(origin.variable instanceof Parameter) || !origin.variable.isTrainable) continue;
    throw new OptionError(
      `forward computes with the parameter ${origin.variable.name}, which the model does not find, so that it would be ` +
        'neither trained nor saved: keep it, or its module, in a field (none with #), or in an array, Map, Set or plain ' +
        'object there; or freeze it',
    );
  }
}

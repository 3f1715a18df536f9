import { ShapeError, TraceError } from '../errors.js';
import { add } from '../ops/pointwise/arithmetic.js';
import { formatShape, sameShape, sizeOf } from '../shape.js';
import { asTensor, tensor, type Tensor } from '../tensor.js';
import type { Variable } from '../variable.js';
import { type GraphNode, outputKey, outputsOf } from './node.js';
import type { Operation } from './operation.js';
import { nodesBefore } from './nodes.js';

/**
 * Gradients of `output` with respect to each of `inputs`, as graphs: reverse mode, each operation's rule applied once
 * from the last operation to the first, contributions of several uses added up (PyTorch: `torch.autograd.grad`).
 * A tensor that `output` does not depend on has gradient 0.
 *
 * @param outputGradient gradient of some scalar with respect to `output`; default 1, which needs a scalar output
 * Throws ShapeError where `output` is no scalar and no `outputGradient` is given, or its shape differs; TraceError
 * where an operation on the way has no gradient, naming it and the reason.
 */
export function gradient(output: Tensor, inputs: readonly (Tensor | Variable)[], outputGradient?: Tensor): Tensor[] {
  if (!outputGradient && output.rank > 0) {
    throw new ShapeError(
      `gradient: the output has shape ${formatShape(output.shape)}: reduce it to a scalar first (sum, mean), or pass outputGradient`,
    );
  }
  if (outputGradient && !sameShape(outputGradient.shape, output.shape)) {
    throw new ShapeError(
      `gradient: outputGradient has shape ${formatShape(outputGradient.shape)}, the output ${formatShape(output.shape)}`,
    );
  }
  const targets = inputs.map((input) => asTensor(input));
  const nodes = nodesBefore([output]);
  // Only for what leads from a target to the output is anything computed: no input gradient for a first layer.
  const targetKeys = new Set(targets.map(keyOf));
  const onPath = new Set<GraphNode>();
  const wanted = (input: Tensor): boolean =>
    targetKeys.has(keyOf(input)) || (input.origin.kind === 'node' && onPath.has(input.origin.node));
  for (const node of nodes) if (node.inputs.some(wanted)) onPath.add(node);

  const gradients = new Gradients();
  gradients.add(output, outputGradient ?? tensor(1));
  for (const node of nodes.reverse()) {
    if (!onPath.has(node)) continue;
    const outputGradients = node.specs.map((_, index) => gradients.ofOutput(node, index));
    if (outputGradients.every((given) => given === undefined)) continue;
    const { operation, attributes } = node;
    if (typeof operation.gradient !== 'function') throw noGradient(operation.name, operation.gradient.none);
    const needsInput = node.inputs.map(wanted);
    const contributions = operation.gradient({
      inputs: node.inputs,
      outputs: outputsOf(node),
      attributes,
      needs: needsInput,
      outputGradients,
    });
    node.inputs.forEach((input, i) => {
      const contribution = contributions[i];
      if (!needsInput[i]) return;
      if (!contribution) throw noInputGradient(operation, input, i);
      if (!sameShape(contribution.shape, input.shape)) {
        throw new Error(
          `${operation.name}: gradient of shape ${formatShape(contribution.shape)} for input ${i} of shape ${formatShape(input.shape)}`,
        );
      }
      gradients.add(input, contribution);
    });
  }
  return targets.map((target) => gradients.of(target) ?? zerosLike(target));
}

function noGradient(name: string, reason: string): TraceError {
  return new TraceError(`${name} has no gradient: ${reason}`);
}

/** An input that is data to its operation (a class, an index): what computed it is to blame where it has no gradient. */
function noInputGradient(operation: Operation, input: Tensor, i: number): TraceError {
  const source = input.origin.kind === 'node' ? input.origin.node.operation : undefined;
  if (source && typeof source.gradient !== 'function') return noGradient(source.name, source.gradient.none);
  return new TraceError(`${operation.name} has no gradient with respect to its input ${i}, which is data to it`);
}

/** Sums of contributions by tensor. Two Tensor objects may stand for the same output of a node. */
class Gradients {
  readonly #sums = new Map<unknown, Tensor>();

  add(value: Tensor, contribution: Tensor): void {
    const key = keyOf(value);
    const sum = this.#sums.get(key);
    this.#sums.set(key, sum ? add(sum, contribution) : contribution);
  }

  of(value: Tensor): Tensor | undefined {
    return this.#sums.get(keyOf(value));
  }

  ofOutput(node: { readonly id: number }, index: number): Tensor | undefined {
    return this.#sums.get(outputKey(node, index));
  }
}

function keyOf(value: Tensor): unknown {
  return value.origin.kind === 'node' ? outputKey(value.origin.node, value.origin.index) : value;
}

function zerosLike(value: Tensor): Tensor {
  return tensor(new Float32Array(sizeOf(value.shape)), { shape: value.shape });
}

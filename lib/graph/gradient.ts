import { ShapeError, TraceError } from '../errors.js';
import { checkArgument, instanceOf, list } from '../options.js';
import { add } from '../ops/pointwise/arithmetic.js';
import { formatShape, sameShape, type Shape, sizeOf } from '../shape.js';
import { asTensor, tensor, Tensor } from '../tensor.js';
import type { Variable } from '../variable.js';
import { Recomputing } from './checkpoint.js';
import { type GraphNode, outputKey } from './node.js';
import { isFloat, type Operation } from './operation.js';
import { nodesBefore } from './nodes.js';

/**
 * Gradients of `output` with respect to each of `inputs`, as graphs: reverse mode, each operation's rule applied once
 * from the last operation to the first, contributions of several uses added up (PyTorch: `torch.autograd.grad`).
 * A tensor that `output` does not depend on has gradient 0.
 *
 * It stops at integers (positions, classes, row numbers) and at step functions (comparisons), whose derivative is 0, and
 * at the value that an update or `assign` gave to a variable: that is a new leaf, as it is to PyTorch's optimizers. So
 * the gradient with respect to a variable is that with respect to its current value.
 *
 * @param outputGradient gradient of some scalar with respect to `output`; default 1, which needs a scalar output
 * Throws ShapeError where `output` is no scalar and no `outputGradient` is given, or its shape differs; TraceError
 * where an operation on the way has no gradient, naming it and the reason, where `output` is a step function of all that
 * it was computed from, where it was computed with an earlier value of a variable among `inputs`, and for integers.
 */
export function gradient(output: Tensor, inputs: readonly (Tensor | Variable)[], outputGradient?: Tensor): Tensor[] {
  const found = gradientsWhereReached(output, inputs, outputGradient);
  return inputs.map(({ shape }, i) => found[i] ?? zeros(shape));
}

/** @internal `gradient` that is undefined for what `output` does not depend on. */
export function gradientsWhereReached(
  output: Tensor,
  inputs: readonly (Tensor | Variable)[],
  outputGradient?: Tensor,
): (Tensor | undefined)[] {
  checkArgument('gradient', 'the inputs', inputs, list);
  checkOutputGradient(output, outputGradient);
  const targets = inputs.map((input, i) => asTensor('gradient', `input ${i}`, input));
  for (const target of targets) checkFloat(target, 'what it is asked for');
  checkFloat(output, 'the output');
  const nodes = nodesBefore([output], isPassed);
  // Only for what leads from a target to the output is anything computed: no input gradient for a first layer.
  const wanted = pathsFrom(targets, nodes);
  if (!wanted(output)) checkIsNoStep(output, nodes);
  checkValues(output, nodes, inputs);

  const gradients = new Gradients();
  const recomputing = new Recomputing();
  gradients.add(output, outputGradient ?? tensor(1));
  for (const node of nodes.reverse()) {
    const needs = node.inputs.map(wanted);
    const outputGradients = node.specs.map((_, index) => gradients.ofOutput(node, index));
    if (!needs.includes(true) || outputGradients.every((given) => given === undefined)) continue;
    const { operation, attributes } = node;
    if (typeof operation.gradient !== 'function') throw noGradient(operation);
    const contributions = operation.gradient({
      ...recomputing.valuesOf(node),
      attributes,
      needs,
      outputGradients,
    });
    node.inputs.forEach((input, i) => {
      if (!needs[i]) return;
      const contribution = contributions[i];
      if (!contribution) {
        throw new TraceError(`${operation.name} has no gradient with respect to its input ${i}, which is data to it`);
      }
      if (!sameShape(contribution.shape, input.shape)) {
        throw new Error(
          `${operation.name}: gradient of shape ${formatShape(contribution.shape)} for input ${i} of shape ${formatShape(input.shape)}`,
        );
      }
      gradients.add(input, contribution);
    });
  }
  return targets.map((target) => gradients.of(target));
}

function checkOutputGradient(output: Tensor, outputGradient: Tensor | undefined): void {
  checkArgument('gradient', 'the output', output, instanceOf(Tensor, 'a tensor'));
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
}

function checkFloat({ dtype }: Tensor, what: string): void {
  if (isFloat(dtype)) return;
  throw new TraceError(`gradient: ${what} is of type ${dtype}, and integers have no gradient`);
}

/** Whether a gradient may go from the outputs of a node to its inputs. */
function isPassed({ operation, specs }: GraphNode): boolean {
  return !operation.writes && !isStep(operation) && specs.some(({ dtype }) => isFloat(dtype));
}

function isStep({ gradient: rule, writes }: Operation): boolean {
  return !writes && typeof rule === 'object' && 'none' in rule;
}

/** An output that hangs on nothing but step functions (an accuracy) is none to be differentiated. */
function checkIsNoStep(output: Tensor, nodes: readonly GraphNode[]): void {
  const passed = new Set(nodes);
  const ends = [output, ...nodes.flatMap(({ inputs }) => inputs)].filter(
    ({ origin }) => origin.kind !== 'node' || !passed.has(origin.node),
  );
  const steps = ends.map(
    ({ origin }) => origin.kind === 'node' && isStep(origin.node.operation) && origin.node.operation,
  );
  const [first] = steps;
  if (first && steps.every(Boolean)) throw noGradient(first);
}

/** A loss that was computed before an update says nothing of the variable's value behind it. */
function checkValues(output: Tensor, nodes: readonly GraphNode[], inputs: readonly (Tensor | Variable)[]): void {
  for (const variable of inputs) {
    if (variable instanceof Tensor) continue;
    const earlier = earlierValues(variable.value);
    if (earlier.length > 0 && pathsFrom(earlier, nodes)(output)) {
      throw new TraceError(
        `gradient: the output was computed with a value that ${variable.name} had before it was changed: ` +
          'compute it again after the change, or ask for the gradient before it',
      );
    }
  }
}

/** The values that a variable had before, back to the one that it begins a run with. */
function earlierValues(value: Tensor): Tensor[] {
  const values: Tensor[] = [];
  for (let now: Tensor | undefined = value; now?.origin.kind === 'node';) {
    const { node, index }: { node: GraphNode; index: number } = now.origin;
    now = node.inputs[node.operation.writes?.[index] ?? -1];
    if (now) values.push(now);
  }
  return values;
}

/** Tells whether a tensor is one of `targets`, or one that a gradient passes on its way to them. */
function pathsFrom(targets: readonly Tensor[], nodes: readonly GraphNode[]): (tensor: Tensor) => boolean {
  const keys = new Set(targets.map(keyOf));
  const onPath = new Set<GraphNode>();
  const isOnPath = (tensor: Tensor): boolean =>
    isFloat(tensor.dtype) &&
    (keys.has(keyOf(tensor)) || (tensor.origin.kind === 'node' && onPath.has(tensor.origin.node)));
  for (const node of nodes) if (node.inputs.some(isOnPath)) onPath.add(node);
  return isOnPath;
}

function noGradient({ name, gradient: rule }: Operation): TraceError {
  const reason = typeof rule === 'function' ? '' : 'none' in rule ? rule.none : rule.unwritten;
  return new TraceError(`${name} has no gradient: ${reason}`);
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

function zeros(shape: Shape): Tensor {
  return tensor(new Float32Array(sizeOf(shape)), { shape });
}

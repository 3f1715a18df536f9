import type { Chain, Host } from '../fusion/chain.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import type {
  Definition,
  NamedArgument,
  NamedLaunch,
  NamedPhase,
  NamedVariant,
  NoAttributes,
  NoGradient,
  Placed,
} from './definition.js';
import type { Binding, KernelTarget, KernelVariant, Launch } from './launch.js';
import { bind, bindAxes, boundShape, byName, type Inputs, type Outputs, unbound, View } from './operands.js';
import type { Attributes, Call, CaseInput, Cost, DType, Operation, OperationCase, TensorSpec } from './operation.js';
import type { SimdArgument } from './simd.js';

/** The address of a tensor's element, `offset` bytes from its start, as an argument of a SIMD kernel. */
export function at<const Name extends string>(
  operand: Name,
  offset = 0,
): { readonly operand: Name; readonly offset: number } {
  return { operand, offset };
}

/** The same without its types: what {@link defineOperation} works with. */
interface AnyDefinition extends Placed<Attributes> {
  readonly name: string;
  readonly inputs: Inputs;
  readonly outputs: Outputs;
  infer?(this: void, call: AnyKernelCall): Readonly<Record<string, Shape | undefined>>;
  types?(this: void, attributes: Attributes): Readonly<Record<string, DType | undefined>>;
  reference(views: Named<View>, sizes: Numbers, attributes: Attributes): void;
  kernel?(this: void, call: AnyKernelCall, target: KernelTarget): readonly NamedLaunch<string>[];
  readonly host?: Host;
  variants?(this: void, call: AnyKernelCall, target: KernelTarget): readonly NamedVariant<string>[];
  simd?(this: void, call: AnyKernelCall): readonly NamedPhase<string>[] | undefined;
  readonly gradient: { rule(call: AnyGradientCall): Named<Tensor | undefined> }['rule'] | NoGradient;
  readonly selectsRows?: { readonly table: string; readonly indices: string };
  readonly alias?: boolean;
  readonly widens?: boolean;
  readonly readsFloat16?: boolean;
  readonly staysFloat32?: boolean;
  readonly tolerance: Operation['tolerance'];
  readonly cases: readonly AnyCase[];
  cost?(this: void, call: AnyKernelCall): Partial<Cost>;
  readonly benchmarks?: Readonly<Record<string, AnyCase>>;
}

type Numbers = Readonly<Record<string, number>>;
/** Something for each operand: one, or a list. */
type Named<T> = Readonly<Record<string, T | readonly T[]>>;

interface AnyCase {
  readonly inputs: Named<CaseInput>;
  readonly attributes: Attributes;
}

interface AnyKernelCall {
  readonly sizes: Numbers;
  readonly specs: Named<TensorSpec>;
  readonly attributes: Attributes;
}

interface AnyGradientCall {
  readonly inputs: Named<Tensor>;
  readonly outputs: Named<Tensor>;
  readonly outputGradients: Named<Tensor | undefined>;
  readonly sizes: Numbers;
  readonly attributes: Attributes;
  readonly needs: Named<boolean>;
}

/** How many tensors an operand that stands for many may write over, at most. */
const MAX_WRITES = 8;

/**
 * Declares an operation: `defineOperation<Attributes>()({ name, inputs, outputs, .. })`; the attributes' type stands apart,
 * because TypeScript infers all type arguments of a call or none. From the operands follow the checks of what the operation
 * is given, the sizes, the shapes of the outputs and what is written in place. The graph knows tensors by their places:
 * this is where names become places.
 */
export function defineOperation<A extends Attributes = NoAttributes>(): <
  const I extends Inputs,
  const O extends Outputs,
>(
  definition: Definition<A, I, O>,
) => Operation<A>;
export function defineOperation(): (definition: AnyDefinition) => Operation {
  return operationOf;
}

function operationOf(definition: AnyDefinition): Operation {
  const { inputs, outputs, gradient, kernel, host, variants, simd, selectsRows, cost, benchmarks, ...unchanged } =
    definition;
  const names = Object.keys(inputs);
  const writes = Object.keys(outputs).flatMap((key) => {
    const place = names.indexOf(key);
    return Array.from({ length: inputs[key]?.isRest ? MAX_WRITES : 1 }, (_, i) => (place < 0 ? undefined : place + i));
  });
  const sizesOf = (from: readonly { readonly shape: Shape }[], to: readonly { readonly shape: Shape }[]): Numbers => {
    const bound = unbound();
    const operands = [...Object.values(inputs), ...Object.values(outputs)];
    // What stands in one place for many binds nothing: its tensors differ.
    operands.forEach(({ dims, isRest }, i) => {
      const tensor = i < names.length ? from[i] : to[i - names.length];
      if (tensor && !isRest) bindAxes(dims, tensor.shape, bound);
    });
    return bound.sizes;
  };
  const named = <T>(from: readonly T[], to: readonly T[]): Named<T> => ({
    ...byName(inputs, from),
    ...byName(outputs, to),
  });
  const callOf = ({ inputs: from, outputs: to, attributes }: Call<Attributes>): AnyKernelCall => ({
    sizes: sizesOf(from, to),
    specs: named(from, to),
    attributes,
  });
  /** An output's place goes before that of the input of the same name, over which it is written. */
  const placeOf = (operand: string, index = 0): { readonly input: number } | { readonly output: number } => {
    const output = Object.keys(outputs).indexOf(operand);
    return output >= 0 ? { output: output + index } : { input: names.indexOf(operand) + index };
  };
  const launchOf = (launch: NamedLaunch<string>): Launch => ({
    ...launch,
    bindings: launch.bindings.map((binding): Binding => {
      if (typeof binding === 'string') return placeOf(binding);
      if ('scratch' in binding) return binding;
      const { operand, index, ...at } = binding;
      return { ...placeOf(operand, index), ...at };
    }),
  });
  const argumentOf = (argument: NamedArgument<string>): SimdArgument => {
    if (typeof argument === 'string') return placeOf(argument);
    if (typeof argument === 'number' || 'scratch' in argument || 'shared' in argument) return argument;
    const { operand, index, ...offset } = argument;
    return { ...placeOf(operand, index), ...offset };
  };
  const caseOf = ({ inputs: given, attributes }: AnyCase): OperationCase<Attributes> => ({
    inputs: names.flatMap((key) => given[key] ?? []),
    attributes,
  });
  const ownKernel = (call: Call<Attributes>, target: KernelTarget): readonly Launch[] =>
    kernel?.(callOf(call), target).map(launchOf) ?? [];
  return {
    ...unchanged,
    infer: (given, attributes) => inferSpecs(definition, given, attributes),
    reference({ inputs: from, outputs: to, attributes }) {
      const views = named(
        from.map((view) => new View(view)),
        to.map((view) => new View(view)),
      );
      definition.reference(views, sizesOf(from, to), attributes);
    },
    kernel: ownKernel,
    ...(host && hosted(definition, host, ownKernel)),
    ...(variants && {
      variants: (call: Call<Attributes>, target: KernelTarget): readonly KernelVariant[] =>
        variants(callOf(call), target).map((variant) => ({ ...variant, launches: variant.launches.map(launchOf) })),
    }),
    ...(simd && {
      simd: (call: Call<Attributes>) =>
        simd(callOf(call))?.map(({ tasks, ...phase }) => ({
          ...phase,
          tasks: tasks.map((calls) => calls.map((each) => ({ ...each, arguments: each.arguments.map(argumentOf) }))),
        })),
    }),
    gradient:
      typeof gradient !== 'function'
        ? gradient
        : ({ inputs: from, outputs: to, outputGradients, needs, attributes }) => {
            const gradients = gradient({
              inputs: byName(inputs, from),
              outputs: byName(outputs, to),
              outputGradients: byName(outputs, outputGradients),
              sizes: sizesOf(from, to),
              attributes,
              needs: byName(inputs, needs),
            });
            return names.flatMap((key) => gradients[key]);
          },
    ...(selectsRows && {
      selectsRows: { table: names.indexOf(selectsRows.table), indices: names.indexOf(selectsRows.indices) },
    }),
    ...(writes.some((source) => source !== undefined) && { writes }),
    cases: definition.cases.map(caseOf),
    ...(cost && { cost: (call: Omit<Call<Attributes>, 'outputs'>) => cost(callOf({ ...call, outputs: [] })) }),
    ...(benchmarks && {
      benchmarks: Object.fromEntries(Object.entries(benchmarks).map(([name, own]) => [name, caseOf(own)])),
    }),
  };
}

/** The kernels of an operation that is a chain; of uses in which it is none, `own`. */
function hosted(
  { chain }: AnyDefinition,
  { kernel, variants, simd }: Host,
  own: Operation['kernel'],
): Partial<Operation> {
  const onChain =
    <T, Target extends readonly unknown[]>(
      use: (chain: Chain, call: Call<Attributes>, ...target: Target) => T,
      otherwise: (call: Call<Attributes>, ...target: Target) => T,
    ) =>
    (call: Call<Attributes>, ...target: Target): T => {
      const found = chain?.(call);
      return found ? use(found, call, ...target) : otherwise(call, ...target);
    };
  return {
    kernel: onChain(kernel, own),
    ...(variants && { variants: onChain(variants, (call, target) => [{ name: 'own', launches: own(call, target) }]) }),
    ...(simd && { simd: onChain(simd, () => undefined) }),
  };
}

/** Checks what an operation is given; the specs of its outputs. */
function inferSpecs(
  { name, inputs, outputs, infer, types }: AnyDefinition,
  given: readonly TensorSpec[],
  attributes: Attributes,
): TensorSpec[] {
  const bound = bind(name, inputs, given);
  const shapes = infer?.({ specs: byName(inputs, given), sizes: bound.sizes, attributes }) ?? {};
  return Object.entries(outputs).flatMap(([key, output]): readonly TensorSpec[] => {
    if (output.isRest) return given.slice(Object.keys(inputs).indexOf(key));
    const shape = shapes[key] ?? boundShape(output.dims, bound);
    const ofKind = 'like' in output ? given[Object.keys(inputs).indexOf(output.like)]?.dtype : output.dtypes[0];
    const dtype = types?.(attributes)[key] ?? ofKind;
    if (!shape || !dtype) throw new Error(`${name}: nothing says the shape of ${key}`);
    return [{ shape, dtype }];
  });
}

import { elementAt } from '../../element-at.js';
import { replaced } from '../../fusion/absorb.js';
import type { Chain, Host } from '../../fusion/chain.js';
import type { Fusion, JoinCall } from '../../fusion/offers.js';
import { finishOf, goesByBlocks } from '../../fusion/simd-calls.js';
import { isSameTensor } from '../../graph/tensors.js';
import type { KernelVariant, Launch } from '../../graph/launch.js';
import type {
  ArrayView,
  Attributes,
  Call,
  DType,
  Operation,
  ReferenceCall,
  TensorSpec,
} from '../../graph/operation.js';
import { sampledReference } from '../../graph/sampled-reference.js';
import { type Shape, sizeOf } from '../../shape.js';
import type { Beside } from '../matmul/matmul-kernels.js';
import { isSomething, type Product } from '../matmul/matmul-product.js';
import { besidesOf, PRODUCT, productStages, SUMS } from '../matmul/matmul-stages.js';
import { sumOperation } from '../reduce/sum.js';
import { conv2dSimdPhases, inputGradientSimdPhases } from './conv2d-simd.js';
import { weightGradientSimdPhases } from './conv2d-simd-weight-gradient.js';
import { type Conv2dAttributes, conv2dAttributesOf, conv2dSizes } from './conv2d-sizes.js';
import { type Computed, conv2dProducts } from './conv2d-products.js';
import { conv2dLaunches, conv2dVariants } from './conv2d-kernels.js';
import { zerosLaunch } from './conv2d-zeros.js';
import { winogradInputGradientPhases, winogradPhases } from './winograd-products.js';
import { winogradWeightGradientPhases } from './winograd-weight-gradient.js';

/** The first is asked first. */
const SIMD = {
  output: [winogradPhases, conv2dSimdPhases],
  picture: [winogradInputGradientPhases, inputGradientSimdPhases],
  weight: [winogradWeightGradientPhases, weightGradientSimdPhases],
} as const;

/** How a convolution carries out stages on what it computes. */
export function conv2dHost<A extends Conv2dAttributes>(computed: Computed, operation: () => Operation<A>) {
  const ofAny = (): Operation => operation();
  const shapeOf = (inputs: readonly { readonly shape: Shape }[], attributes: Attributes): Shape => {
    const own = inputs.slice(0, 2).map(({ shape }) => ({ shape, dtype: 'f32' }) as const);
    return elementAt(ofAny().infer(own, attributes), 0).shape;
  };
  const use = (inputs: readonly TensorSpec[], attributes: Attributes) => {
    const shape = shapeOf(inputs, attributes);
    const [first, second] = [elementAt(inputs, 0).shape, elementAt(inputs, 1).shape];
    const picture = computed === 'picture' ? shape : first;
    const output = computed === 'output' ? shape : computed === 'picture' ? first : second;
    const own = conv2dAttributesOf(attributes);
    // A gradient of a weight is a matrix of output channels, everything else one of places.
    const columns = sizeOf(shape.slice(computed === 'weight' ? 1 : -1));
    return { shape, own, sizes: conv2dSizes(picture, output, own), columns };
  };
  /** What is made of the products, or of the one launch where there is nothing to add up. */
  const made = <T>(
    chain: Chain,
    { inputs, attributes }: Call<Attributes>,
    ofProducts: (products: readonly Product[], beside: Beside) => T,
    ofZeros: (launch: Launch) => T,
  ): T => {
    const { shape, own, sizes } = use(inputs, attributes);
    const types = typesOf(inputs);
    const products = conv2dProducts(computed, sizes, own, types, besidesOf(chain));
    if (!products) return ofZeros(zerosLaunch(sizeOf(shape)));
    // Rows of all products and groups together, of which all have the same columns.
    const columns = elementAt(products, 0).sizes.N;
    const rows = sizeOf(shape) / columns;
    return ofProducts(products, productStages(chain, inputs, { rows, columns, sums: rows }));
  };
  const host: Host = {
    get operation() {
      return ofAny();
    },
    beside: (chain) => (hasSums(chain) ? [sumOperation] : []),
    accepts(chain, site, { inputs, attributes }, { kernels }) {
      if (site === SUMS) return chain.sites[SUMS]?.at(-1)?.stage.takesIndex !== true;
      const { shape, columns, own, sizes } = use(inputs, attributes);
      if (kernels === 'wgsl') return conv2dProducts(computed, sizes, own, typesOf(inputs)) !== undefined;
      return columns > 0 && goesByBlocks(chain, site, inputs, { rows: sizeOf(shape) / columns, columns });
    },
    readsFloat16: true,
    storesFloat16(_chain, site, { inputs, attributes }) {
      const { own, sizes } = use(inputs, attributes);
      const products = conv2dProducts(computed, sizes, own, typesOf(inputs)) ?? [];
      const isByFours = products.every((product) => product.inQuads.C && isSomething(product));
      return site === PRODUCT && products.length > 0 && isByFours;
    },
    bindings: () => 2,
    reference(chain, call) {
      const value = emptyView(shapeOf(call.inputs, call.attributes));
      ofAny().reference(ownCall(call, value));
      return [value, ...sumsBeside(chain, call)];
    },
    sampledReference(chain, call) {
      const value = emptyView(shapeOf(call.inputs, call.attributes));
      const elements = sampledReference(ofAny(), ownCall(call, value));
      if (!elements) throw new Error('a convolution has no sample');
      return { ...elements, values: [value, ...sumsBeside(chain, call)] };
    },
    kernel: (chain, call, target) =>
      made(
        chain,
        call,
        (products, beside) => conv2dLaunches(products, target, beside),
        (launch) => [launch],
      ),
    variants: (chain, call, target) =>
      made<readonly [KernelVariant, ...KernelVariant[]]>(
        chain,
        call,
        (products, beside) => conv2dVariants(products, target, beside),
        (launch) => [{ name: 'zeros', launches: [launch] }],
      ),
    simd(chain, { inputs, attributes }) {
      const { own, sizes, columns } = use(inputs, attributes);
      const finish = finishOf(chain, 0, inputs, columns);
      const [winograd, direct] = SIMD[computed];
      return winograd(sizes, own, finish) ?? direct(sizes, own, finish);
    },
  };
  return {
    host,
    chain: (): Chain => ({ host, rows: [], sites: [[]] }),
    ...(computed === 'weight' && { join: joinSums }),
  };
}

/** The element types of the two that are given. */
function typesOf([first, second]: readonly TensorSpec[]): readonly [DType, DType] {
  return [first?.dtype ?? 'f32', second?.dtype ?? 'f32'];
}

function hasSums({ sites }: Chain): boolean {
  return sites.length > SUMS;
}

/** The sums of an output's gradient for each channel, where they are computed beside the gradient of the weight. */
function sumsBeside(chain: Chain, { inputs }: Omit<ReferenceCall<Attributes>, 'outputs'>): ArrayView[] {
  if (!hasSums(chain)) return [];
  const output = elementAt(inputs, 1);
  const sums = emptyView(output.shape.slice(3));
  sumOperation.reference({ inputs: [output], outputs: [sums], attributes: { axes: PLACES, scale: 1 } });
  return [sums];
}

/** The axes of a picture without its channels. */
const PLACES = [0, 1, 2];

/** The sums of an output's gradient over all places: the gradient of a bias beside that of its weight. */
function joinSums({ node, other, inputs, target }: JoinCall): Fusion | undefined {
  const chain = node.operation.chain?.({ inputs: node.inputs, outputs: node.specs, attributes: node.attributes });
  if (!chain || target.kernels !== 'wgsl' || other.operation !== (sumOperation as Operation)) return undefined;
  if (hasSums(chain) || chain.sites[PRODUCT]?.length !== 0) return undefined;
  const [picture, output] = node.inputs;
  if (!picture || !output || !isSameTensor(inputs[0], output)) return undefined;
  const { axes, scale } = other.attributes;
  const own = conv2dAttributesOf(node.attributes);
  const products = conv2dProducts('weight', conv2dSizes(picture.shape, output.shape, own), own, typesOf(node.inputs));
  if (String(axes) !== String(PLACES) || scale !== 1 || !products) return undefined;
  const next = { ...chain, sites: [...chain.sites, []] };
  return replaced({ producer: node, chain, next, more: [], from: other, site: SUMS, renamed: new Map(), target });
}

function emptyView(shape: Shape): ArrayView {
  return { data: new Float32Array(sizeOf(shape)), shape };
}

/** The convolution's own part of a call. */
function ownCall(
  { inputs, attributes }: Omit<ReferenceCall<Attributes>, 'outputs'>,
  value: ArrayView,
): ReferenceCall<Attributes> {
  return { inputs: inputs.slice(0, 2), outputs: [value], attributes };
}

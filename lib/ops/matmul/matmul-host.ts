import { elementAt } from '../../element-at.js';
import { pickingRows, replaced } from '../../fusion/absorb.js';
import { type Chain, type Host, hostInputs } from '../../fusion/chain.js';
import type { FoldCall, Fusion, JoinCall, SelectedRows } from '../../fusion/offers.js';
import { finishOf, goesByBlocks } from '../../fusion/simd-calls.js';
import { isSameTensor } from '../../graph/tensors.js';
import type {
  Attributes,
  ArrayView,
  Operation,
  ReferenceCall,
  SampledElements,
  TensorSpec,
} from '../../graph/operation.js';
import { sampledReference } from '../../graph/sampled-reference.js';
import { axisSize, sizeOf } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { sumOperation } from '../reduce/sum.js';
import { variantFor } from './matmul-choice.js';
import { type Beside, productLaunches, productVariants, type TableRows } from './matmul-kernels.js';
import { isSomething, type Product, productOf } from './matmul-product.js';
import { matmulSimdPhases } from './matmul-simd.js';
import { type MatmulAttributes, sizesOf } from './matmul-sizes.js';
import { besidesOf, PRODUCT, productStages, SUMS } from './matmul-stages.js';

/** How a matrix product carries out stages on C, reads rows of tables, and sums the rows of a beside it. */
export function matmulHost(product: () => Operation<MatmulAttributes>) {
  const host: Host = {
    get operation() {
      return product() as Operation;
    },
    beside: ({ sites }) => (sites.length > SUMS ? [sumOperation] : []),
    readsFloat16: true,
    storesFloat16(chain, site, { inputs, attributes }) {
      const product = productIn(chain, inputs, attributes);
      return site === PRODUCT && product.inQuads.C && isSomething(product);
    },
    bindings: ({ rows }) => 2 + rows.filter(Boolean).length,
    accepts(chain, site, { inputs, attributes }, { kernels }) {
      if (site === SUMS) return chain.sites[SUMS]?.at(-1)?.stage.takesIndex !== true;
      if (kernels === 'wgsl') return true;
      const { M, rows, columns } = sizeOfProduct(chain, inputs, attributesOf(attributes));
      // A vector's product is computed transposed.
      return M > 1 && columns > 1 && goesByBlocks(chain, PRODUCT, inputs, { rows, columns });
    },
    reference: (chain, call) =>
      valuesOf(chain, call, (own) => {
        product().reference(own);
      }),
    sampledReference(chain, call) {
      let elements: SampledElements | undefined;
      const values = valuesOf(chain, call, (own, site) => {
        if (site === PRODUCT) elements = sampledReference(product(), own);
        else product().reference(own);
      });
      if (!elements) throw new Error('a product has no sample');
      return { ...elements, values };
    },
    kernel(chain, { inputs, attributes }, target) {
      const product = productIn(chain, inputs, attributes);
      return productLaunches(product, variantFor(product, target), besideOf(chain, inputs, product));
    },
    variants(chain, { inputs, attributes }, target) {
      const product = productIn(chain, inputs, attributes);
      return productVariants(product, target, besideOf(chain, inputs, product));
    },
    simd(chain, { inputs, attributes }) {
      const [own, [a, b]] = [attributesOf(attributes), matricesOf(chain, inputs)];
      return matmulSimdPhases(
        a.shape,
        b.shape,
        own,
        finishOf(chain, PRODUCT, inputs, sizesOf(a.shape, b.shape, own).N),
      );
    },
  };
  return {
    host,
    chain: (): Chain => ({ host, rows: [], sites: [[]] }),
    fold: (call: FoldCall): readonly Tensor[] | undefined => foldRows(call),
    join: (call: JoinCall): Fusion | undefined => joinSums(call),
  };
}

/** C and, where it is wanted, the sums of op(A), which are a product with ones. */
function valuesOf(
  chain: Chain,
  { inputs, attributes }: Omit<ReferenceCall<Attributes>, 'outputs'>,
  multiply: (call: ReferenceCall<MatmulAttributes>, site: number) => void,
): readonly ArrayView[] {
  const own = attributesOf(attributes);
  const [a, b] = [elementAt(inputs, 0), elementAt(inputs, 1)];
  const { M, N, K, batchShape } = sizesOf(a.shape, b.shape, own);
  const multiplied = (
    site: number,
    other: ArrayView,
    columns: number,
    multiplyAttributes: MatmulAttributes,
  ): ArrayView => {
    const shape = [...batchShape, M, columns];
    const c = { data: new Float32Array(sizeOf(shape)), shape };
    multiply({ inputs: [a, other], outputs: [c], attributes: multiplyAttributes }, site);
    return c;
  };
  const ones = { data: new Float32Array(K).fill(1), shape: [K, 1] };
  return [
    multiplied(PRODUCT, b, N, own),
    ...(chain.sites.length > SUMS ? [multiplied(SUMS, ones, 1, { ...own, transposeB: false })] : []),
  ];
}

function attributesOf({ transposeA, transposeB }: Attributes): MatmulAttributes {
  return { transposeA: transposeA === true, transposeB: transposeB === true };
}

/** a and b as the product sees them. */
function matricesOf(chain: Chain, inputs: readonly TensorSpec[]): readonly [TensorSpec, TensorSpec] {
  const matrices = hostInputs(chain, inputs);
  return [elementAt(matrices, 0), elementAt(matrices, 1)];
}

function productIn(chain: Chain, inputs: readonly TensorSpec[], attributes: Attributes): Product {
  const [a, b] = matricesOf(chain, inputs);
  return productOf(a, b, attributesOf(attributes), besidesOf(chain));
}

function besideOf(chain: Chain, inputs: readonly TensorSpec[], { sizes: { M, N, batchShape } }: Product): Beside {
  const rowsOf = (matrix: number): TableRows | undefined => {
    const picked = chain.rows[matrix];
    if (!picked) return undefined;
    const { scale } = picked.attributes;
    return {
      indices: picked.indices,
      tableRows: axisSize(elementAt(inputs, matrix).shape, 0),
      scale: typeof scale === 'number' ? scale : 1,
    };
  };
  const [rowsOfA, rowsOfB] = [rowsOf(0), rowsOf(1)];
  return {
    ...productStages(chain, inputs, { rows: sizeOf(batchShape) * M, columns: N, sums: M }),
    ...(rowsOfA && { rowsOfA }),
    ...(rowsOfB && { rowsOfB }),
  };
}

/** Rows of the product, of all matrices together, and its columns. */
function sizeOfProduct(chain: Chain, inputs: readonly TensorSpec[], attributes: MatmulAttributes) {
  const [a, b] = matricesOf(chain, inputs);
  const { M, N, batchShape } = sizesOf(a.shape, b.shape, attributes);
  return { M, rows: sizeOf(batchShape) * M, columns: N };
}

/** The rows of a and b that are picked from tables are read from there. */
function foldRows(call: FoldCall): Tensor[] | undefined {
  const { node, inputs, rowsOf, target } = call;
  if (target.kernels !== 'wgsl') return undefined;
  return pickingRows(
    call,
    node,
    inputs.map((matrix) => usableRows(matrix, rowsOf(matrix))),
  );
}

/** Rows of a table of numbers that make a matrix. */
function usableRows(matrix: Tensor, rows: SelectedRows | undefined): SelectedRows | undefined {
  if (!rows || matrix.rank !== 2 || rows.table.shape[0] === 0) return undefined;
  return matrix.shape[0] === sizeOf(rows.indices.shape) ? rows : undefined;
}

/** The sums over the rows of a transposed a: the gradient of a bias beside that of its weight. */
function joinSums({ node, other, inputs, target }: JoinCall): Fusion | undefined {
  const chain = node.operation.chain?.({ inputs: node.inputs, outputs: node.specs, attributes: node.attributes });
  if (!chain || target.kernels !== 'wgsl' || other.operation !== (sumOperation as Operation)) return undefined;
  if (chain.sites.length > SUMS || chain.sites[PRODUCT]?.length !== 0) return undefined;
  const { axes, scale } = other.attributes;
  const [a, b] = node.inputs;
  const isSumOfA =
    node.attributes['transposeA'] === true &&
    chain.rows[0] === undefined &&
    a?.rank === 2 &&
    (chain.rows[1] !== undefined || b?.rank === 2) &&
    String(axes) === '0' &&
    scale === 1 &&
    isSameTensor(inputs[0], a);
  if (!isSumOfA || node.specs.some(({ shape }) => sizeOf(shape) === 0)) return undefined;
  const next = { ...chain, sites: [...chain.sites, []] };
  return replaced({ producer: node, chain, next, more: [], from: other, site: SUMS, renamed: new Map(), target });
}

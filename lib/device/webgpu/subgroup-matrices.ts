import type { SubgroupMatrices } from '../../graph/launch.js';

/** The feature that Chrome and Dawn have, no standard yet; Chrome only with `--enable-unsafe-webgpu`. */
export const SUBGROUP_MATRIX = 'chromium-experimental-subgroup-matrix';

/** What Dawn's `GPUAdapterInfo` lists: M x K by K x N, of and into which types. */
interface Listed {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** What the adapter's matrix units do with f16, summed in f32; undefined where there are none. */
export function subgroupMatricesOf({ features, info }: GPUAdapter): SubgroupMatrices | undefined {
  if (!features.has(SUBGROUP_MATRIX) || !('subgroupMatrixConfigs' in info)) return undefined;
  const listed = info.subgroupMatrixConfigs as Iterable<Listed>;
  const sizes = [...listed]
    .filter(({ componentType, resultComponentType }) => componentType === 'f16' && resultComponentType === 'f32')
    .map(({ M, N, K }) => [M, N, K] as const);
  return { sizes, subgroup: Math.max(32, info.subgroupMaxSize) };
}

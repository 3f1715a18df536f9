import { commonWgsl, conv2dZerosWgsl } from '../../generated/wgsl.js';
import { ceilDivide, foldWorkgroups, type Launch, Uniforms } from '../../graph/launch.js';

/** The launch of a convolution, or of a gradient of one, whose sums have no terms: so many zeros. */
export function zerosLaunch(elements: number): Launch {
  const entryPoint = 'conv2dZeros';
  return {
    kernel: { name: entryPoint, code: commonWgsl + conv2dZerosWgsl, entryPoint },
    bindings: [{ output: 0 }],
    uniforms: new Uniforms().u32(elements).bytes(),
    workgroups: foldWorkgroups(ceilDivide(elements, 64)),
  };
}

/** A WebAssembly SIMD kernel: a module that imports `env.memory`, and the function that is called. */
export interface SimdKernel {
  /** The module's bytes in base64, inlined from kernels/*.wat. */
  readonly module: string;
  readonly entryPoint: string;
}

/** An argument of a call: the address of a tensor, `offset` bytes into it, the address of the scratch, or a number. */
export type SimdArgument =
  | { readonly input: number; readonly offset?: number }
  | { readonly output: number; readonly offset?: number }
  | 'scratch'
  | number;

/** One call of a SIMD kernel. */
export interface SimdCall {
  readonly kernel: SimdKernel;
  readonly arguments: readonly SimdArgument[];
  /** Bytes of scratch memory that the call needs; it is shared by all calls of a program. Default 0. */
  readonly scratchBytes?: number;
}

import type { Operation } from '../graph/operation.js';
import * as rooms from './rooms.js';

/**
 * Every operation, for tests and tools: nothing in the library leads here. Being in this list makes an operation take part
 * in the gradient checks, the tests of devices against references, the benchmarks and the table of operations in the docs.
 */
export const operations: readonly Operation[] = Object.values(rooms).flat();

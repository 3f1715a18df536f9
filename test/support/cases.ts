/** `kernelwright doctor` tests kernels by the same cases. */
export { type Case, caseInputs, describeCase } from '../../lib/command-line/doctor/cases.js';

/** `kernelwright doctor` compares in the same way. */
export { differs } from '../../lib/command-line/doctor/close.js';

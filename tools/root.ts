import { fileURLToPath } from 'node:url';

/** The project's folder, so that the tools work from any working directory. Ends with a separator. */
export const root = fileURLToPath(new URL('../', import.meta.url));

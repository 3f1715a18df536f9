import type * as Vega from 'vega';
import type * as VegaLite from 'vega-lite';
import { KernelwrightError } from '../errors.js';

/** What draws: vega-lite makes a specification of Vega of its own, and Vega makes SVG of that. */
export async function loadVega(): Promise<{ readonly vega: typeof Vega; readonly vegaLite: typeof VegaLite }> {
  const [vega, vegaLite] = await Promise.all([
    loadPeer('vega', () => import('vega')),
    loadPeer('vega-lite', () => import('vega-lite')),
  ]);
  return { vega, vegaLite };
}

/** What makes PNG of SVG. */
export function loadResvg() {
  return loadPeer('@resvg/resvg-js', () => import('@resvg/resvg-js'));
}

/** The command that installs all that this entry asks for. */
const COMMAND = 'npm install vega vega-lite @resvg/resvg-js';

/** An optional peer, or KernelwrightError, which says how to install it. */
export async function loadPeer<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    if (isMissing) {
      throw new KernelwrightError(`kernelwright/report needs the package ${name}, which is not installed: ${COMMAND}`);
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new KernelwrightError(`kernelwright/report needs the package ${name}, which could not be loaded: ${reason}`);
  }
}

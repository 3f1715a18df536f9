import { fileURLToPath } from 'node:url';
import type { BrowserContext } from 'playwright-core';
import { build } from 'vite';

import { launchChromium } from '../../tools/chromium.js';
import { root } from '../../tools/root.js';

/** Where the pages are: nothing listens there, the browser is answered from here. Localhost is a secure context. */
export const ORIGIN = 'http://localhost:1';
/** The same pages in another origin, which has kept nothing yet: Chromium goes on for a while by the room that one had. */
export const OTHER_ORIGIN = 'http://localhost:2';

const isolated = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const policy = (text: string) => ({ 'Content-Security-Policy': text });

/** The pages, by path: all hold the same program, and differ by the headers that they are served with. */
const PAGES = {
  '/isolated': isolated,
  '/not-isolated': {},
  '/no-workers': { ...isolated, ...policy("default-src 'self' 'wasm-unsafe-eval'") },
  '/no-worker-from-text': {
    ...isolated,
    ...policy("script-src 'self' 'wasm-unsafe-eval'; worker-src blob:; require-trusted-types-for 'script'"),
  },
  '/no-webassembly': { ...isolated, ...policy("default-src 'self'; worker-src blob:") },
  '/opaque-origin': policy('sandbox allow-scripts'),
} as const;

/** Path of a page. */
export type PagePath = keyof typeof PAGES;

/** Bundles test/browser/page.ts as users bundle their programs, and starts a browser that has the pages with it. */
export async function openSite(): Promise<BrowserContext> {
  // An origin of its own, which a sandboxed page has, may read it too.
  const anyone = { 'Access-Control-Allow-Origin': '*', 'Cross-Origin-Resource-Policy': 'cross-origin' };
  const script = { contentType: 'text/javascript', headers: anyone, body: await bundle() };
  const body = '<!doctype html><title>kernelwright</title><script type="module" src="/page.js"></script>';
  const context = await launchChromium();
  for (const origin of [ORIGIN, OTHER_ORIGIN]) {
    await context.route(`${origin}/page.js`, (route) => route.fulfill(script));
    for (const [path, headers] of Object.entries(PAGES)) {
      await context.route(origin + path, (route) => route.fulfill({ contentType: 'text/html', headers, body }));
    }
  }
  return context;
}

async function bundle(): Promise<string> {
  const built = await build({
    root,
    configFile: false,
    logLevel: 'error',
    resolve: { alias: { kernelwright: `${root}lib/index.ts` } },
    build: { write: false, rolldownOptions: { input: fileURLToPath(new URL('page.ts', import.meta.url)) } },
  });
  if (!Array.isArray(built) && !('output' in built)) throw new Error('Vite is watching instead of building');
  const [chunk, ...others] = [built].flat().flatMap(({ output }) => output);
  if (chunk?.type !== 'chunk' || others.length > 0) throw new Error('the program is not one file');
  return chunk.code;
}

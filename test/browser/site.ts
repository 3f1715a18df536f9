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
  const { entry, scripts } = await bundle();
  const body = `<!doctype html><title>kernelwright</title><script type="module" src="/${entry}"></script>`;
  const context = await launchChromium();
  for (const origin of [ORIGIN, OTHER_ORIGIN]) {
    for (const [file, code] of Object.entries(scripts)) {
      const script = { contentType: 'text/javascript', headers: anyone, body: code };
      await context.route(`${origin}/${file}`, (route) => route.fulfill(script));
    }
    for (const [path, headers] of Object.entries(PAGES)) {
      await context.route(origin + path, (route) => route.fulfill({ contentType: 'text/html', headers, body }));
    }
  }
  return context;
}

/** The program's file, and all files by name: what a page seldom needs is in one of its own. */
async function bundle(): Promise<{ readonly entry: string; readonly scripts: Readonly<Record<string, string>> }> {
  const built = await build({
    root,
    configFile: false,
    logLevel: 'error',
    resolve: { alias: { kernelwright: `${root}lib/index.ts` } },
    build: { write: false, rolldownOptions: { input: fileURLToPath(new URL('page.ts', import.meta.url)) } },
  });
  if (!Array.isArray(built) && !('output' in built)) throw new Error('Vite is watching instead of building');
  const chunks = [built].flat().flatMap(({ output }) => output.filter((file) => file.type === 'chunk'));
  const entry = chunks.find(({ isEntry }) => isEntry)?.fileName;
  if (entry === undefined) throw new Error('Vite made no program');
  return { entry, scripts: Object.fromEntries(chunks.map(({ fileName, code }) => [fileName, code])) };
}

import type { BrowserContext } from 'playwright-core';

import type { Page } from './page.js';

/** A page of the tests that is open in the browser. */
export interface Tab {
  /** Calls a function of test/browser/page.ts there; what it throws is thrown here. */
  call<Name extends keyof Page>(
    name: Name,
    ...values: Parameters<Page[Name]>
  ): Promise<Awaited<ReturnType<Page[Name]>>>;
  /** Exceptions that nobody caught, and promises that were rejected and not looked after. */
  readonly uncaught: readonly string[];
  /** From now on the page's origin may keep so many bytes. */
  limitStorage(bytes: number): Promise<void>;
  close(): Promise<void>;
}

/** Opens an address and waits until its scripts have run. */
export async function openTab(context: BrowserContext, url: string): Promise<Tab> {
  const tab = await context.newPage();
  const uncaught: string[] = [];
  tab.on('pageerror', (error) => uncaught.push(error.stack ?? error.message));
  await tab.goto(url);
  return {
    uncaught,
    call: (name, ...values) => tab.evaluate(`page[${JSON.stringify(name)}](...${JSON.stringify(values)})`),
    async limitStorage(quotaSize) {
      const session = await context.newCDPSession(tab);
      await session.send('Storage.overrideQuotaForOrigin', { origin: new URL(url).origin, quotaSize });
    },
    close: () => tab.close(),
  };
}

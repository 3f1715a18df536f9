import type { TuningStore } from './store.js';

const DATABASE = 'kernelwright';
const TABLE = 'tuning';
const KEY = 'choices';

/** Keeps tuning's choices in the browser's IndexedDB; undefined where there is none. */
export function indexedDbStore(): TuningStore | undefined {
  try {
    if (typeof indexedDB === 'undefined') return undefined;
  } catch {
    return undefined; // some browsers refuse the very look at it
  }
  return {
    async read() {
      try {
        const found = await inTable('readonly', (table): IDBRequest<unknown> => table.get(KEY));
        return typeof found === 'string' ? found : undefined;
      } catch {
        return undefined; // a private window may refuse
      }
    },
    async write(text) {
      await inTable('readwrite', (table) => table.put(text, KEY));
    },
  };
}

async function inTable<T>(mode: IDBTransactionMode, work: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
  const database = await settled(opening);
  try {
    const transaction = database.transaction(TABLE, mode);
    const request = work(transaction.objectStore(TABLE));
    await completed(transaction);
    return request.result;
  } finally {
    database.close();
  }
}

/** A request may succeed and its transaction be undone after that, where there is no room. */
function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(reasonOf(transaction));
  });
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(reasonOf(request));
  });
}

function reasonOf({ error }: { readonly error: DOMException | null }): Error {
  return error ?? new Error('IndexedDB gave no reason');
}

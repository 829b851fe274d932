// The service worker: the app's shell opens from the phone, always; data is PouchDB's matter, not its own.

declare const SHELL: string[]; // put in by the build: every file that the app's page needs
declare const VERSION: string;

const worker = self as unknown as ServiceWorkerGlobalScope;
const CACHE = `towpath-shell-${VERSION}`;
const PAGE = '/app/';

worker.addEventListener('install', (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      await cache.addAll(SHELL); // named by their hash: the browser's own cache may answer
      await cache.add(new Request(PAGE, { cache: 'reload' }));
    })(),
  );
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith('towpath-shell-') && name !== CACHE) await caches.delete(name);
      }
      await worker.clients.claim();
    })(),
  );
});

// The page asks for the change when nothing that is being typed can be lost.
worker.addEventListener('message', (event) => {
  if (event.data === 'use-new-version') void worker.skipWaiting();
});

worker.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== worker.location.origin) return;
  if (event.request.mode === 'navigate' && url.pathname === PAGE) {
    event.respondWith(fromShell(PAGE, event.request));
  } else if (SHELL.includes(url.pathname)) {
    event.respondWith(fromShell(url.pathname, event.request));
  }
});

async function fromShell(path: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(path)) ?? fetch(request);
}

interface PushMessage {
  title?: string;
  body?: string;
  url?: string;
  tag?: string;
  id?: string;
  resource?: string;
  target?: string;
}

worker.addEventListener('push', (event) => {
  let message: PushMessage = {};
  try {
    message = (event.data?.json() ?? {}) as PushMessage;
  } catch {
    message = { body: event.data?.text() };
  }
  const about = message.resource && message.target ? `${message.resource}:${message.target}` : null;
  const url = message.url ?? (about ? `/app/#/case/${encodeURIComponent(about)}` : '/app/#/inbox');
  event.waitUntil(
    worker.registration.showNotification(message.title ?? 'News for you', {
      body: message.body ?? '',
      icon: '/assets/icons/icon-192.png',
      badge: '/assets/icons/icon-192.png',
      tag: message.tag ?? message.id ?? about ?? undefined,
      data: { url },
    }),
  );
});

worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const wanted = new URL((event.notification.data as { url: string }).url, worker.location.origin);
  // A push message must not lead away from our own pages.
  const url = wanted.origin === worker.location.origin ? wanted.href : new URL(PAGE, worker.location.origin).href;
  event.waitUntil(
    (async () => {
      const open = await worker.clients.matchAll({ type: 'window' });
      const app = open.find((client) => new URL(client.url).pathname === PAGE);
      if (!app) return void (await worker.clients.openWindow(url));
      await app.focus();
      app.postMessage({ open: new URL(url).hash });
    })(),
  );
});

export {};

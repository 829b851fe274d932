// Installing the app and taking up a new version of it.

interface InstallPrompt extends Event {
  prompt(): Promise<void>;
  userChoice: Promise<{ outcome: string }>;
}

let prompt: InstallPrompt | null = null;
let waiting: ServiceWorker | null = null;
const listeners = new Set<() => void>();
const tell = () => listeners.forEach((listener) => listener());

export function onInstallChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const canInstall = () => prompt !== null;
export const hasNewVersion = () => waiting !== null;

export async function install(): Promise<void> {
  const asked = prompt;
  prompt = null;
  await asked?.prompt();
  tell();
}

export function useNewVersion(): void {
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
  waiting?.postMessage('use-new-version');
}

export async function watch(): Promise<void> {
  window.addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault();
    prompt = event as InstallPrompt;
    tell();
  });
  window.addEventListener('appinstalled', () => {
    prompt = null;
    tell();
  });
  if (!('serviceWorker' in navigator)) return;
  navigator.serviceWorker.addEventListener('message', (event: MessageEvent<{ open?: string }>) => {
    if (event.data?.open) location.hash = event.data.open;
  });
  const registration = await navigator.serviceWorker.register('/app/sw.js', { scope: '/app/' });
  const found = () => {
    // The first worker of all has nothing to replace.
    if (registration.waiting && navigator.serviceWorker.controller) {
      waiting = registration.waiting;
      tell();
    }
  };
  found();
  registration.addEventListener('updatefound', () => {
    registration.installing?.addEventListener('statechange', found);
  });
}

// Web Push (RFC 8030) on this device.

import { call, Problem } from '../shared/api';

export type PushState = 'on' | 'off' | 'blocked' | 'missing' | 'unset';

export async function pushState(): Promise<PushState> {
  if (!('serviceWorker' in navigator) || !('PushManager' in window) || !('Notification' in window)) return 'missing';
  if (Notification.permission === 'denied') return 'blocked';
  const registration = await navigator.serviceWorker.getRegistration('/app/');
  return (await registration?.pushManager.getSubscription()) ? 'on' : 'off';
}

/** Asks the person, subscribes at the browser's push service, and tells ours. */
export async function turnOn(notify: string): Promise<PushState> {
  const asked = await Notification.requestPermission();
  if (asked !== 'granted') return asked === 'denied' ? 'blocked' : 'off';
  const registration = await navigator.serviceWorker.ready;
  let key: { publicKey?: string; key?: string };
  try {
    key = await call('GET', `${notify}/push/key`);
  } catch (error) {
    if (error instanceof Problem && (error.status === 404 || error.status === 503)) return 'unset';
    throw error;
  }
  const subscription = await registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: bytes(key.publicKey ?? key.key ?? ''),
  });
  await call('PUT', `${notify}/push/subscriptions`, subscription.toJSON());
  return 'on';
}

export async function turnOff(notify: string): Promise<PushState> {
  const registration = await navigator.serviceWorker.getRegistration('/app/');
  const subscription = await registration?.pushManager.getSubscription();
  if (subscription) {
    await call('DELETE', `${notify}/push/subscriptions`, subscription.toJSON()).catch(() => undefined);
    await subscription.unsubscribe();
  }
  return 'off';
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replace(/-/g, '+').replace(/_/g, '/'));
  const made = new Uint8Array(text.length);
  for (let n = 0; n < text.length; n++) made[n] = text.charCodeAt(n);
  return made;
}

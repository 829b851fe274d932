// Signing in: OpenID Connect, authorization code with PKCE (RFC 7636), refresh tokens rotated by the issuer.
//
// The session is kept in localStorage, because the phone app must still know who its person is, and must be
// able to send what waits, when it is opened in a cellar a week later. What guards it is the page's
// Content-Security-Policy: no script but our own ever runs on this origin.

import { appConfig, type AppConfig } from './config';

export interface Person {
  sub: string;
  name: string;
  email?: string;
  roles: string[];
}

interface Session {
  access: string;
  refresh?: string;
  id?: string;
  expiresAt: number; // ms since the epoch
  person: Person;
  refused?: boolean; // the issuer would not renew it: sign in again, the data stays
}

interface Endpoints {
  authorization_endpoint: string;
  token_endpoint: string;
  end_session_endpoint?: string;
}

interface Attempt {
  state: string;
  nonce: string;
  verifier: string;
  redirect: string;
  returnTo: string;
}

/** Key in localStorage: somebody signed out here since the last sign-in. */
const SIGNED_OUT = 'towpath:signed-out';

/** The issuer wants the person to sign in again. */
export class SignInNeeded extends Error {}

const SESSION = 'towpath.session';
const ATTEMPT = 'towpath.sign-in';
const EARLY = 30_000; // ms before its end at which a token is renewed

const listeners = new Set<() => void>();

export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  const heard = (event: StorageEvent) => event.key === SESSION && listener();
  window.addEventListener('storage', heard);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('storage', heard);
  };
}

function session(): Session | null {
  try {
    return JSON.parse(localStorage.getItem(SESSION) ?? 'null') as Session | null;
  } catch {
    return null;
  }
}

function keep(value: Session | null): void {
  if (value) localStorage.setItem(SESSION, JSON.stringify(value));
  else localStorage.removeItem(SESSION);
  listeners.forEach((listener) => listener());
}

/** Who is signed in on this device, also offline and also when the issuer must be asked again. */
export function person(): Person | null {
  return session()?.person ?? null;
}

/** True where the person must sign in again before anything can be sent. */
export function refused(): boolean {
  return session()?.refused ?? false;
}

async function endpoints(config: AppConfig): Promise<Endpoints> {
  const answer = await fetch(`${config.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  if (!answer.ok) throw new Error(`The issuer ${config.issuer} answered ${answer.status}.`);
  return (await answer.json()) as Endpoints;
}

function random(bytes = 32): string {
  return base64url(crypto.getRandomValues(new Uint8Array(bytes)));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '');
}

/** Leaves the page for the issuer's. `returnTo` is the hash or path to come back to. */
export async function signIn(returnTo = location.pathname + location.hash): Promise<void> {
  const config = await appConfig();
  const { authorization_endpoint } = await endpoints(config);
  const attempt: Attempt = {
    state: random(),
    nonce: random(),
    verifier: random(48),
    redirect: location.origin + location.pathname,
    returnTo,
  };
  sessionStorage.setItem(ATTEMPT, JSON.stringify(attempt));
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(attempt.verifier));
  const url = new URL(authorization_endpoint);
  const query = {
    response_type: 'code',
    client_id: config.clientId,
    redirect_uri: attempt.redirect,
    scope: config.scope,
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: 'S256',
    // Who signed out without a signal is still known to the issuer, and must not come back by themselves.
    ...(localStorage.getItem(SIGNED_OUT) ? { prompt: 'login' } : {}),
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  location.assign(url);
}

/** Where the issuer sent the browser back with a code: exchanges it. Throws with a sentence for the person. */
export async function finishSignIn(): Promise<void> {
  const query = new URLSearchParams(location.search);
  if (!query.has('state') || !(query.has('code') || query.has('error'))) return;
  const kept = sessionStorage.getItem(ATTEMPT);
  sessionStorage.removeItem(ATTEMPT);
  const attempt = kept ? (JSON.parse(kept) as Attempt) : null;
  history.replaceState(null, '', attempt?.returnTo ?? location.pathname);
  if (!attempt || attempt.state !== query.get('state')) {
    if (person() && !refused()) return; // an old link out of the history: nothing to do
    throw new Error('This sign-in was not started here. Please sign in again.');
  }
  const code = query.get('code');
  if (!code) throw new Error(query.get('error_description') ?? `Signing in was refused (${query.get('error')}).`);
  const config = await appConfig();
  await exchange(config, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: attempt.redirect,
    code_verifier: attempt.verifier,
  }, attempt.nonce);
  localStorage.removeItem(SIGNED_OUT);
}

interface TokenAnswer {
  access_token: string;
  refresh_token?: string;
  id_token?: string;
  expires_in?: number;
}

async function exchange(config: AppConfig, form: Record<string, string>, nonce?: string): Promise<Session> {
  const { token_endpoint } = await endpoints(config);
  const answer = await fetch(token_endpoint, {
    method: 'POST',
    body: new URLSearchParams({ ...form, client_id: config.clientId }),
  });
  if (answer.status === 400 || answer.status === 401) throw new SignInNeeded('Please sign in again.');
  if (!answer.ok) throw new Error(`The issuer answered ${answer.status}.`);
  const tokens = (await answer.json()) as TokenAnswer;
  const before = session();
  const claims = { ...read(tokens.access_token), ...read(tokens.id_token) };
  // The token came straight from the issuer's token endpoint, so its signature need not be checked again
  // (OpenID Connect Core 3.1.3.7, 6); the nonce ties it to this sign-in.
  if (nonce && tokens.id_token && claims.nonce !== nonce) throw new Error('The sign-in does not belong to this page.');
  const made: Session = {
    access: tokens.access_token,
    refresh: tokens.refresh_token ?? before?.refresh,
    id: tokens.id_token ?? before?.id,
    expiresAt: Date.now() + (tokens.expires_in ?? 300) * 1000,
    person: {
      sub: String(claims.sub ?? before?.person.sub ?? ''),
      name: String(claims.name ?? before?.person.name ?? claims.sub ?? ''),
      email: (claims.email as string | undefined) ?? before?.person.email,
      roles: Array.isArray(claims.roles) ? claims.roles.map(String) : (before?.person.roles ?? []),
    },
  };
  keep(made);
  return made;
}

function read(token?: string): Record<string, unknown> {
  const part = token?.split('.')[1];
  if (!part) return {};
  try {
    const bytes = Uint8Array.from(atob(part.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  } catch {
    return {}; // an opaque access token: the id token says who it is
  }
}

/** A token that is good for now. Throws SignInNeeded, or TypeError where there is no network. */
export async function accessToken(renew = false): Promise<string> {
  const now = session();
  if (!now || now.refused) throw new SignInNeeded('Please sign in.');
  if (!renew && now.expiresAt - EARLY > Date.now()) return now.access;
  // A refresh token is good once: two tabs must not use the same one.
  return navigator.locks.request('towpath.refresh', async () => {
    const current = session();
    if (!current || current.refused) throw new SignInNeeded('Please sign in.');
    if (current.access !== now.access) return current.access;
    if (!current.refresh) {
      keep({ ...current, refused: true });
      throw new SignInNeeded('Please sign in again.');
    }
    try {
      const config = await appConfig();
      return (await exchange(config, { grant_type: 'refresh_token', refresh_token: current.refresh })).access;
    } catch (error) {
      if (error instanceof SignInNeeded) keep({ ...current, refused: true });
      throw error;
    }
  });
}

/** Forgets the session on this device and at the issuer, where it offers that. */
export async function signOut(): Promise<void> {
  const ended = session();
  keep(null);
  localStorage.setItem(SIGNED_OUT, 'yes');
  if (!navigator.onLine) return; // leaving for the issuer now would end at the browser's error page
  try {
    const config = await appConfig();
    const { end_session_endpoint } = await endpoints(config);
    if (!end_session_endpoint || !ended) return;
    const url = new URL(end_session_endpoint);
    if (ended.id) url.searchParams.set('id_token_hint', ended.id);
    url.searchParams.set('client_id', config.clientId);
    url.searchParams.set('post_logout_redirect_uri', location.origin + location.pathname);
    location.assign(url);
  } catch {
    // Offline: the session is gone from this device, which is what was asked for.
  }
}

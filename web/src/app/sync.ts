// Keeps this phone and the server in step: PouchDB's live replication with retry, over the person's token.

import PouchDB from 'pouchdb-browser';
import { authorized } from '../shared/api';
import { onSessionChange, refused, SignInNeeded } from '../shared/auth';
import type { Store } from './store';

export type SyncState = 'offline' | 'syncing' | 'up-to-date' | 'unreachable' | 'sign-in';

const SHORTEST = 1_000; // ms until a first new try
const LONGEST = 15_000; // ms between tries: people look at their phone and expect it to go on

export class Sync {
  state: SyncState = navigator.onLine ? 'syncing' : 'offline';
  private running: PouchDB.Replication.Sync<object> | null = null;
  private readonly listeners = new Set<() => void>();
  private readonly leave: (() => void)[] = [];

  constructor(
    private readonly store: Store,
    private readonly url: string,
  ) {}

  start(): void {
    const online = () => this.restart();
    const offline = () => {
      this.stopReplication();
      this.become('offline');
    };
    const back = () => document.visibilityState === 'visible' && this.state === 'unreachable' && this.restart();
    const session = () => {
      if (refused()) this.needsSignIn();
      else if (this.state === 'sign-in') this.restart();
    };
    window.addEventListener('online', online);
    window.addEventListener('offline', offline);
    document.addEventListener('visibilitychange', back);
    this.leave.push(
      onSessionChange(session),
      () => window.removeEventListener('online', online),
      () => window.removeEventListener('offline', offline),
      () => document.removeEventListener('visibilitychange', back),
    );
    if (refused()) this.needsSignIn();
    else if (navigator.onLine) this.restart();
    else this.become('offline');
  }

  stop(): void {
    this.leave.splice(0).forEach((undo) => undo());
    this.stopReplication();
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private become(state: SyncState): void {
    if (this.state === state) return;
    this.state = state;
    this.listeners.forEach((listener) => listener());
  }

  private needsSignIn(): void {
    this.stopReplication();
    this.become('sign-in');
  }

  private stopReplication(): void {
    this.running?.cancel();
    this.running = null;
  }

  private restart(): void {
    this.stopReplication();
    this.become('syncing');
    const remote = new PouchDB(new URL(this.url, location.origin).href, {
      skip_setup: true, // the server makes the database; a phone may not
      fetch: async (url, options) => {
        try {
          const answer = await authorized(String(url), options as RequestInit);
          if (answer.status === 401) this.needsSignIn();
          return answer;
        } catch (error) {
          if (error instanceof SignInNeeded) this.needsSignIn();
          throw error;
        }
      },
    });
    const running = this.store.db.sync(remote, {
      live: true,
      retry: true,
      back_off_function: (delay: number) => (delay ? Math.min(delay * 2, LONGEST) : SHORTEST),
    });
    this.running = running;
    const current = () => this.running === running;
    running.on('active', () => current() && this.become('syncing'));
    running.on('paused', (error) => {
      if (!current()) return;
      this.become(error ? (navigator.onLine ? 'unreachable' : 'offline') : 'up-to-date');
    });
    running.on('change', (info) => {
      if (info.direction === 'push') void this.store.markSent(info.change.docs.map((doc) => doc._id));
    });
    // A document that the server will never take: the others go on.
    running.on('denied', (refusal) => {
      const { doc } = refusal as unknown as { doc: { id?: string; reason?: string; message?: string; name?: string } };
      const about = doc ?? {};
      if (about.id) void this.store.markDenied(about.id, about.reason ?? about.message ?? about.name ?? '');
    });
    running.on('error', () => {
      if (!current() || this.state === 'sign-in') return;
      this.become('unreachable');
      setTimeout(() => current() && this.restart(), LONGEST);
    });
  }
}

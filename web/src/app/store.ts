// The person's database on this phone, mirrored in memory: a person's documents are few, their photos stay
// in the database. Screens draw from `docs()` and are told of every change, from here or from the server.

import PouchDB from 'pouchdb-browser';
import type { AnyDoc } from './types';

export type Database = PouchDB.Database<Record<string, unknown>>;

/** What only this device knows: what has reached the server, what was refused, what was put away or read. */
interface Ledger {
  sent: Record<string, true>;
  denied: Record<string, string>;
  dismissed: Record<string, true>;
  read: Record<string, true>;
}

const LEDGER = '_local/ledger';

export class Store {
  readonly db: Database;
  private readonly mirror = new Map<string, AnyDoc>();
  private readonly listeners = new Set<() => void>();
  private ledger: Ledger = { sent: {}, denied: {}, dismissed: {}, read: {} };
  private queue: Promise<unknown> = Promise.resolve();
  private told = false;
  loaded = false;
  version = 0;

  constructor(subject: string) {
    // A database a person: who signs in next on this phone sees nothing of the one before.
    this.db = new PouchDB(`towpath-${subject}`, { auto_compaction: true });
  }

  async open(): Promise<void> {
    const kept = await this.db.get<Ledger>(LEDGER).catch(() => null);
    if (kept) this.ledger = { sent: kept.sent, denied: kept.denied, dismissed: kept.dismissed, read: kept.read };
    // Listened to from before the reading, so that what is written meanwhile is not missed.
    const since = (await this.db.info()).update_seq;
    const all = await this.db.allDocs({ include_docs: true });
    for (const row of all.rows) {
      if ('doc' in row && row.doc) this.mirror.set(row.id, row.doc as unknown as AnyDoc);
    }
    this.loaded = true;
    this.changed();
    void this.db
      .changes({ since, live: true, include_docs: true })
      .on('change', (change) => {
        if (change.deleted) this.mirror.delete(change.id);
        else this.mirror.set(change.id, change.doc as unknown as AnyDoc);
        this.changed();
      });
  }

  docs(): IterableIterator<AnyDoc> {
    return this.mirror.values();
  }

  get<T extends AnyDoc>(id: string): T | undefined {
    return this.mirror.get(id) as T | undefined;
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private changed(): void {
    this.version++;
    if (this.told) return;
    this.told = true; // a replication brings many changes at once: draw once
    setTimeout(() => {
      this.told = false;
      this.listeners.forEach((listener) => listener());
    }, 0);
  }

  /** Writes one after the other: two quick saves of a draft must not conflict with each other. */
  serially<T>(work: () => Promise<T>): Promise<T> {
    const next = this.queue.then(work, work);
    this.queue = next.catch(() => undefined);
    return next;
  }

  wasSent(id: string): boolean {
    return id in this.ledger.sent;
  }

  denial(id: string): string | undefined {
    return this.ledger.denied[id];
  }

  isDismissed(id: string): boolean {
    return id in this.ledger.dismissed;
  }

  isRead(id: string): boolean {
    return id in this.ledger.read;
  }

  markSent(ids: string[]): Promise<void> {
    return this.note((ledger) => ids.forEach((id) => (ledger.sent[id] = true)));
  }

  markDenied(id: string, reason: string): Promise<void> {
    return this.note((ledger) => (ledger.denied[id] = reason));
  }

  dismiss(id: string): Promise<void> {
    return this.note((ledger) => (ledger.dismissed[id] = true));
  }

  markRead(id: string): Promise<void> {
    return this.note((ledger) => (ledger.read[id] = true));
  }

  private note(change: (ledger: Ledger) => void): Promise<void> {
    change(this.ledger);
    this.changed();
    return this.serially(async () => {
      const kept = await this.db.get(LEDGER).catch(() => null);
      await this.db.put({ ...this.ledger, _id: LEDGER, ...(kept ? { _rev: kept._rev } : {}) });
    });
  }

  async attachment(id: string, name: string): Promise<Blob> {
    return (await this.db.getAttachment(id, name)) as Blob;
  }
}

/** True where the browser refused to store more. */
export function isFull(error: unknown): boolean {
  const { name, reason, message } = (error ?? {}) as { name?: string; reason?: unknown; message?: string };
  return /quota/i.test(`${name ?? ''} ${String(reason ?? '')} ${message ?? ''}`);
}

// What every screen has at hand, and the hooks that draw again when something changes.

import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import type { Person } from '../shared/auth';
import type { AppConfig } from '../shared/config';
import { look, type View } from './cases';
import type { Store } from './store';
import type { Sync, SyncState } from './sync';
import type { Catalog, Resource } from './types';

export interface App {
  config: AppConfig;
  person: Person;
  store: Store;
  sync: Sync;
  catalog: Catalog;
}

export const AppContext = createContext<App | null>(null);

export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error('A screen was drawn outside the app.');
  return app;
}

export function useSync(): SyncState {
  const { sync } = useApp();
  const [state, setState] = useState(sync.state);
  useEffect(() => {
    setState(sync.state);
    return sync.subscribe(() => setState(sync.state));
  }, [sync]);
  return state;
}

export function useView(): View {
  const { store } = useApp();
  const state = useSync();
  const [, draw] = useState(0);
  useEffect(() => {
    draw(store.version); // what changed between the first drawing and now
    return store.subscribe(() => draw(store.version));
  }, [store]);
  return look(store, state === 'syncing' || state === 'up-to-date');
}

export function resourceOf(catalog: Catalog, name: string): Resource {
  return catalog.resources.find((resource) => resource.name === name) ?? { name, title: name, singular: name, startForm: null };
}

/** What a customer may start; a process without a form and without a table of its own is for operators. */
export function startable(catalog: Catalog): Resource[] {
  return catalog.resources.filter((resource) => resource.startForm);
}

export function go(hash: string): void {
  location.hash = hash;
}

// The phone app: opens from the phone itself, shows what is known, and lets the network catch up.

import { render, type JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { sentence } from '../shared/api';
import { finishSignIn, onSessionChange, person, signIn } from '../shared/auth';
import { appConfig, remembered, type AppConfig } from '../shared/config';
import { Icon, type IconName } from '../shared/icons';
import { Banner, Busy, Chip, Mark } from '../shared/ui';
import { AppContext, useApp, useSync, useView, type App } from './context';
import { hasNewVersion, onInstallChange, useNewVersion, watch } from './install';
import { Detail, Sent } from './screens/detail';
import { Inbox, unread } from './screens/inbox';
import { List } from './screens/list';
import { DraftScreen, NewReport } from './screens/report';
import { Settings } from './screens/settings';
import { Store } from './store';
import { S } from './strings';
import { Sync } from './sync';
import type { Catalog } from './types';

function Root({ config, trouble }: { config: AppConfig; trouble?: string }): JSX.Element {
  const [app, setApp] = useState<App | null>(null);
  const [subject, setSubject] = useState(person()?.sub);
  useEffect(() => onSessionChange(() => setSubject(person()?.sub)), []);
  useEffect(() => {
    const who = person();
    if (!who) return setApp(null);
    const store = new Store(who.sub);
    const sync = new Sync(store, config.sync);
    const catalog = remembered<Catalog>(config.catalog).catch((): Catalog => ({ resources: [] }));
    let left = false;
    void Promise.all([store.open(), catalog]).then(([, known]) => {
      if (left) return;
      setApp({ config, person: who, store, sync, catalog: known });
      sync.start();
    });
    return () => {
      left = true;
      sync.stop();
      void store.db.close();
    };
  }, [subject]);
  if (!subject) return <Welcome config={config} trouble={trouble} />;
  if (!app) return <Busy>{config.title}</Busy>;
  return (
    <AppContext.Provider value={app}>
      <Frame title={config.title} />
    </AppContext.Provider>
  );
}

function Welcome({ config, trouble }: { config: AppConfig; trouble?: string }): JSX.Element {
  const [error, setError] = useState(trouble);
  return (
    <main class="welcome">
      <img src="/assets/icons/icon.svg" alt="" width="88" height="88" />
      <h1>{config.title}</h1>
      <p class="lead">{S.welcome.lead}</p>
      <ul class="points">
        {S.welcome.points.map((point) => (
          <li key={point}>
            <Icon name="check" /> {point}
          </li>
        ))}
      </ul>
      {error ? (
        <Banner tone="danger" icon="warn" alert>
          {error}
        </Banner>
      ) : null}
      <button
        type="button"
        class="button primary large"
        onClick={() => signIn('/app/').catch((reason: unknown) => setError(sentence(reason)))}
      >
        {S.welcome.signIn}
      </button>
    </main>
  );
}

function useHash(): string[] {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = () => {
      setHash(location.hash);
      window.scrollTo(0, 0);
      document.querySelector('main')?.focus({ preventScroll: true });
    };
    window.addEventListener('hashchange', changed);
    return () => window.removeEventListener('hashchange', changed);
  }, []);
  return hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
}

function Frame({ title }: { title: string }): JSX.Element {
  const [name = '', id = ''] = useHash();
  const screen = {
    new: () => <NewReport />,
    draft: () => <DraftScreen key={id} id={id} />,
    case: () => <Detail key={id} id={id} />,
    sent: () => <Sent key={id} id={id} />,
    inbox: () => <Inbox />,
    settings: () => <Settings />,
  }[name];
  return (
    <div class="frame">
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.querySelector('main')?.focus(); }}>
        Skip to content
      </a>
      <header class="bar">
        <a class="brand" href="#/">
          <Mark />
          <span>{title}</span>
        </a>
        <SyncChip />
      </header>
      <Tabs current={name} />
      <main id="main" tabIndex={-1}>
        <Banners />
        {screen ? screen() : <List />}
      </main>
    </div>
  );
}

function Tabs({ current }: { current: string }): JSX.Element {
  const { store } = useApp();
  const { notifications } = useView();
  const fresh = notifications.filter((note) => unread(store, note)).length;
  const tabs: [string, IconName, string, boolean][] = [
    ['#/', 'list', S.nav.list, ['', 'case', 'sent'].includes(current)],
    ['#/new', 'plus', S.nav.report, ['new', 'draft'].includes(current)],
    ['#/inbox', 'bell', S.nav.inbox, current === 'inbox'],
    ['#/settings', 'gear', S.nav.settings, current === 'settings'],
  ];
  return (
    <nav class="tabs" aria-label="Main">
      {tabs.map(([href, icon, label, active]) => (
        <a key={href} href={href} aria-current={active ? 'page' : undefined}>
          <span class="tab-icon">
            <Icon name={icon} />
            {icon === 'bell' && fresh ? <span class="badge">{fresh > 9 ? '9+' : fresh}</span> : null}
          </span>
          <span>{label}</span>
        </a>
      ))}
    </nav>
  );
}

function SyncChip(): JSX.Element {
  const state = useSync();
  const { unsent } = useView();
  const online = state === 'syncing' || state === 'up-to-date';
  return (
    <span class="sync" role="status" data-sync={state}>
      {online ? (
        state === 'syncing' || unsent ? (
          <Chip tone="brand" icon="up">{unsent ? S.status.uploading : S.sync.syncing}</Chip>
        ) : (
          <Chip tone="ok" icon="check">{S.sync.upToDate}</Chip>
        )
      ) : (
        <Chip tone="warn" icon="offline">{S.sync.offline}</Chip>
      )}
    </span>
  );
}

function Banners(): JSX.Element | null {
  const state = useSync();
  const { unsent } = useView();
  const [, draw] = useState(0);
  useEffect(() => onInstallChange(() => draw((n) => n + 1)), []);
  return (
    <>
      {hasNewVersion() ? (
        <Banner
          tone="brand"
          icon="retry"
          action={
            <button type="button" class="button quiet" onClick={useNewVersion}>
              {S.update.action}
            </button>
          }
        >
          {S.update.title}
        </Banner>
      ) : null}
      {state === 'offline' ? (
        <Banner tone="warn" icon="offline" title={unsent ? S.sync.waiting(unsent) : undefined}>
          {S.sync.offlineBanner}
        </Banner>
      ) : null}
      {state === 'unreachable' ? (
        <Banner tone="warn" icon="offline" title={unsent ? S.sync.waiting(unsent) : undefined}>
          {S.sync.unreachable}
        </Banner>
      ) : null}
      {state === 'sign-in' ? (
        <Banner
          tone="warn"
          icon="person"
          title={unsent ? S.sync.waiting(unsent) : undefined}
          action={
            <button type="button" class="button primary" onClick={() => void signIn()}>
              {S.welcome.signIn}
            </button>
          }
        >
          {S.sync.signIn}
        </Banner>
      ) : null}
    </>
  );
}

async function main(): Promise<void> {
  const root = document.getElementById('root')!;
  void watch().catch(() => undefined); // without a service worker the app still works, online
  try {
    const config = await appConfig();
    let trouble: string | undefined;
    try {
      await finishSignIn();
    } catch (error) {
      trouble = sentence(error);
    }
    root.replaceChildren();
    render(<Root config={config} trouble={trouble} />, root);
  } catch (error) {
    root.replaceChildren();
    render(
      <main class="welcome">
        <Banner tone="danger" icon="warn" alert>
          {sentence(error)}
        </Banner>
        <button type="button" class="button primary" onClick={() => location.reload()}>
          Try again
        </button>
      </main>,
      root,
    );
  }
}

void main();

// The frame of the staff's pages: who is signed in, which page, and the way in.

import { render, type ComponentChildren, type JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { sentence } from './api';
import { finishSignIn, onSessionChange, person, refused, signIn, signOut, type Person } from './auth';
import { appConfig } from './config';
import { Icon } from './icons';
import { Banner, Mark } from './ui';

interface Page {
  title: string;
  path: string;
  role: string; // without it the page says whom to ask
  content: (who: Person) => ComponentChildren;
}

const PAGES: [string, string][] = [
  ['/console/tasks', 'Tasks'],
  ['/console/operate', 'Operate'],
];

function Frame({ page, title, trouble }: { page: Page; title: string; trouble?: string }): JSX.Element {
  const [who, setWho] = useState(person());
  const [ended, setEnded] = useState(refused());
  const [error, setError] = useState(trouble);
  useEffect(
    () =>
      onSessionChange(() => {
        setWho(person());
        setEnded(refused());
      }),
    [],
  );
  const enter = () => signIn().catch((reason: unknown) => setError(sentence(reason)));
  return (
    <div class="console">
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          document.querySelector('main')?.focus();
        }}
      >
        Skip to content
      </a>
      <header class="bar">
        <span class="brand">
          <Mark />
          <span>{title}</span>
        </span>
        <nav class="pages" aria-label="Pages">
          {PAGES.map(([path, name]) => (
            <a key={path} href={path} aria-current={path === page.path ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
        {who ? (
          <span class="who">
            <span class="who-name">{who.name}</span>
            <button type="button" class="button ghost small" onClick={() => void signOut()}>
              <Icon name="out" /> Sign out
            </button>
          </span>
        ) : null}
      </header>
      <main id="main" tabIndex={-1}>
        {error ? (
          <Banner tone="danger" icon="warn" alert>
            {error}
          </Banner>
        ) : null}
        {who && ended ? (
          <Banner
            tone="warn"
            icon="person"
            action={
              <button type="button" class="button primary" onClick={() => void enter()}>
                Sign in
              </button>
            }
          >
            Your sign-in has ended.
          </Banner>
        ) : null}
        {!who ? (
          <div class="empty">
            <img src="/assets/icons/icon.svg" alt="" width="72" height="72" />
            <h1>{page.title}</h1>
            <p>Sign in with your account at {title}.</p>
            <button type="button" class="button primary" onClick={() => void enter()}>
              Sign in
            </button>
          </div>
        ) : !who.roles.includes(page.role) && !who.roles.includes('operator') ? (
          <div class="empty">
            <span class="empty-icon">
              <Icon name="person" />
            </span>
            <h1>{page.title}</h1>
            <p>
              You are signed in as {who.name}, whose account does not have the role {page.role} that this page needs.
            </p>
            <button type="button" class="button quiet" onClick={() => void signOut()}>
              Use another account
            </button>
          </div>
        ) : (
          page.content(who)
        )}
      </main>
    </div>
  );
}

export async function open(page: Page): Promise<void> {
  const root = document.getElementById('root')!;
  let title = document.title;
  let trouble: string | undefined;
  try {
    title = (await appConfig()).title;
    await finishSignIn();
  } catch (error) {
    trouble = sentence(error);
  }
  root.replaceChildren();
  render(<Frame page={page} title={title} trouble={trouble} />, root);
}

/** The part of the location after #, as its segments; drawn again when it changes. */
export function useHash(): string[] {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = () => setHash(location.hash);
    window.addEventListener('hashchange', changed);
    return () => window.removeEventListener('hashchange', changed);
  }, []);
  return hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
}

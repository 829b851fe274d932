import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { call } from '../../shared/api';
import { when } from '../../shared/dates';
import { Icon } from '../../shared/icons';
import { Markdown } from '../../shared/markdown';
import { Chip, Empty } from '../../shared/ui';
import { useApp, useView } from '../context';
import type { Store } from '../store';
import { S } from '../strings';
import type { Notification } from '../types';

export const unread = (store: Store, note: Notification) => !note.read && !store.isRead(note._id);

export function Inbox(): JSX.Element {
  const { store, config } = useApp();
  const { notifications } = useView();
  // Opened is read: shown as new until the screen is left, told to the server when there is a signal.
  useEffect(() => {
    const fresh = notifications.filter((note) => unread(store, note));
    return () => {
      for (const note of fresh) {
        void store.markRead(note._id);
        const id = encodeURIComponent(note._id.slice('notification:'.length));
        void call('POST', `${config.notify}/inbox/${id}/read`).catch(() => undefined);
      }
    };
  }, [notifications.length]);
  return (
    <div class="screen narrow">
      <h1>{S.inbox.title}</h1>
      {notifications.length ? (
        <ul class="cards">
          {notifications.map((note) => (
            <li key={note._id}>
              <Message note={note} fresh={unread(store, note)} />
            </li>
          ))}
        </ul>
      ) : (
        <Empty icon="bell" title={S.inbox.empty}>
          <p>{S.inbox.emptyText}</p>
        </Empty>
      )}
    </div>
  );
}

function Message({ note, fresh }: { note: Notification; fresh: boolean }): JSX.Element {
  return (
    <article class={fresh ? 'message fresh' : 'message'}>
      <span class="card-top">
        {fresh ? <Chip tone="brand">{S.inbox.unread}</Chip> : null}
        <span class="meta">{when(note.at)}</span>
      </span>
      <h2>{note.title}</h2>
      <Markdown text={note.body ?? ''} />
      {note.resource && note.target ? (
        <a class="button quiet" href={`#/case/${encodeURIComponent(`${note.resource}:${note.target}`)}`}>
          {S.inbox.open} <Icon name="next" />
        </a>
      ) : null}
    </article>
  );
}

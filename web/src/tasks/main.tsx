// The task list: what waits for people, taken up, filled in, completed.

import type { JSX } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { call, sentence } from '../shared/api';
import type { Person } from '../shared/auth';
import { open, useHash } from '../shared/console';
import { when } from '../shared/dates';
import { Icon } from '../shared/icons';
import { Banner, Busy, Chip, Empty } from '../shared/ui';
import { TaskPanel } from './task';
import type { Listing, TaskRow } from './types';

const REFRESH = 15_000; // ms; tasks come and go by other hands

const FILTERS = [
  ['all', 'All open'],
  ['mine', 'Mine'],
  ['free', 'Nobody’s'],
] as const;

type Filter = (typeof FILTERS)[number][0];

function Tasks({ who }: { who: Person }): JSX.Element {
  const [chosen = ''] = useHash();
  const [filter, setFilter] = useState<Filter>('all');
  const [rows, setRows] = useState<TaskRow[]>();
  const [more, setMore] = useState(false);
  const [error, setError] = useState<string>();
  const [done, setDone] = useState<string>();

  const load = useCallback(async () => {
    try {
      const listing = await call<Listing>('GET', '/tasks?state=created&limit=100');
      setRows(listing.items);
      setMore(Boolean(listing.next));
      setError(undefined);
    } catch (reason) {
      setError(sentence(reason));
    }
  }, []);
  useEffect(() => {
    void load();
    const timer = setInterval(() => document.visibilityState === 'visible' && void load(), REFRESH);
    return () => clearInterval(timer);
  }, [load]);

  const shown = (rows ?? []).filter((task) =>
    filter === 'mine' ? task.assignee === who.sub : filter === 'free' ? !task.assignee : true,
  );
  return (
    <div class={chosen ? 'split has-chosen' : 'split'}>
      <section class="split-list" aria-label="Tasks">
        <div class="screen-head">
          <h1>Tasks</h1>
          <button type="button" class="button ghost small" onClick={() => void load()}>
            <Icon name="retry" /> Refresh
          </button>
        </div>
        <div class="segments" role="group" aria-label="Show">
          {FILTERS.map(([name, label]) => (
            <button key={name} type="button" aria-pressed={filter === name} onClick={() => setFilter(name)}>
              {label}
            </button>
          ))}
        </div>
        {error ? (
          <Banner tone="danger" icon="warn" alert>
            {error}
          </Banner>
        ) : null}
        {done ? (
          <Banner tone="ok" icon="check">
            {done}
          </Banner>
        ) : null}
        {rows === undefined && !error ? <Busy>Fetching tasks</Busy> : null}
        {rows && !shown.length ? (
          <Empty icon="check" title={filter === 'mine' ? 'Nothing is assigned to you' : 'No task waits'}>
            <p>New ones appear here by themselves.</p>
          </Empty>
        ) : null}
        <ul class="cards">
          {shown.map((task) => (
            <li key={task.id}>
              <a class="card" href={`#/${task.id}`} aria-current={task.id === chosen ? 'true' : undefined} onClick={() => setDone(undefined)}>
                <span class="card-top">
                  <Assignee task={task} who={who} />
                  <Due task={task} />
                </span>
                <strong class="card-title">{task.name}</strong>
                <span class="card-line">{[task.title, task.businessId, `since ${when(task.createdAt)}`].filter(Boolean).join(' · ')}</span>
                <Icon name="next" />
              </a>
            </li>
          ))}
        </ul>
        {more ? <p class="hint">Only the first 100 are shown.</p> : null}
      </section>
      <section class="split-detail" aria-label="Chosen task">
        {chosen ? (
          <TaskPanel
            key={chosen}
            id={chosen}
            who={who}
            onChanged={() => void load()}
            onDone={(text) => {
              setDone(text);
              location.hash = '#/';
              void load();
            }}
          />
        ) : (
          <Empty icon="list" title="Choose a task">
            <p>Its form, what is known, and its documents open here.</p>
          </Empty>
        )}
      </section>
    </div>
  );
}

function Assignee({ task, who }: { task: TaskRow; who: Person }): JSX.Element {
  if (!task.assignee) return <Chip icon="people">{task.candidateGroups.join(', ') || 'Nobody’s yet'}</Chip>;
  if (task.assignee === who.sub) return <Chip tone="brand" icon="person">Yours</Chip>;
  return <Chip icon="person">{task.assignee}</Chip>;
}

function Due({ task }: { task: TaskRow }): JSX.Element | null {
  if (!task.dueAt) return null;
  const late = Date.parse(task.dueAt) < Date.now();
  return (
    <Chip tone={late ? 'danger' : 'plain'} icon="clock">
      {late ? 'Overdue since' : 'Due'} {when(task.dueAt)}
    </Chip>
  );
}

void open({ title: 'Tasks', path: '/console/tasks', role: 'adjuster', content: (who) => <Tasks who={who} /> });

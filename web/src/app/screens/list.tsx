import type { ComponentChildren, JSX } from 'preact';
import { Icon } from '../../shared/icons';
import { when } from '../../shared/dates';
import { textOf } from '../../shared/values';
import { Busy, Chip, Empty } from '../../shared/ui';
import { latest, standing, type Outgoing, type Status, type View } from '../cases';
import { resourceOf, startable, useApp, useSync, useView } from '../context';
import { S } from '../strings';
import type { Draft, State, Values } from '../types';

export function List(): JSX.Element {
  const { catalog, store } = useApp();
  const view = useView();
  const sync = useSync();
  const first = startable(catalog)[0] ?? catalog.resources[0];
  const plural = first?.title ?? 'Reports';
  const nothing = !view.drafts.length && !view.outgoing.length && !view.open.length && !view.closed.length;
  return (
    <div class="screen">
      <div class="screen-head">
        <h1>{S.list.title(plural)}</h1>
        {first && !nothing ? (
          <a class="button primary wide-only" href="#/new">
            <Icon name="plus" /> {S.list.report(first.singular)}
          </a>
        ) : null}
      </div>
      {nothing && store.loaded ? (
        sync === 'syncing' ? (
          <Busy>{S.list.loading}</Busy>
        ) : (
          <Empty icon="boat" title={S.list.empty(plural)}>
            <p>{S.list.emptyText}</p>
            <a class="button primary" href="#/new">
              <Icon name="plus" /> {first ? S.list.report(first.singular) : S.nav.report}
            </a>
          </Empty>
        )
      ) : null}
      {view.outgoing.length || view.open.length ? (
        <ul class="cards">
          {view.outgoing.map((outgoing) => (
            <OutgoingCard key={outgoing.command._id} outgoing={outgoing} />
          ))}
          {view.open.map((state) => (
            <StateCard key={state._id} state={state} view={view} />
          ))}
        </ul>
      ) : null}
      {view.drafts.length ? (
        <Section title={S.list.drafts}>
          {view.drafts.map((draft) => (
            <DraftCard key={draft._id} draft={draft} />
          ))}
        </Section>
      ) : null}
      {view.closed.length ? (
        <Section title={S.list.older}>
          {view.closed.map((state) => (
            <StateCard key={state._id} state={state} view={view} />
          ))}
        </Section>
      ) : null}
    </div>
  );
}

function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section>
      <h2 class="section-title">{title}</h2>
      <ul class="cards">{children}</ul>
    </section>
  );
}

function Card(props: { href: string; title: string; line?: string; about?: string; meta: string; status: Status }): JSX.Element {
  return (
    <li>
      <a class={`card tone-${props.status.tone}`} href={props.href}>
        <span class="card-top">
          <Chip tone={props.status.tone} icon={props.status.icon}>
            {props.status.text}
          </Chip>
          <span class="meta">{props.meta}</span>
        </span>
        <strong class="card-title">{props.title}</strong>
        {props.line ? <span class="card-line">{props.line}</span> : null}
        {props.about ? <span class="meta">{props.about}</span> : null}
        <Icon name="next" />
      </a>
    </li>
  );
}

function StateCard({ state, view }: { state: State; view: View }) {
  const { catalog } = useApp();
  const reached = latest(state);
  return (
    <Card
      href={`#/case/${encodeURIComponent(state._id)}`}
      title={reached.name}
      line={gist(state.data)}
      about={`${resourceOf(catalog, state.resource).singular} ${state.id}`}
      meta={when(reached.at)}
      status={standing(state, view)}
    />
  );
}

function OutgoingCard({ outgoing: { command, status } }: { outgoing: Outgoing }) {
  const { catalog } = useApp();
  return (
    <Card
      href={`#/sent/${encodeURIComponent(command._id)}`}
      title={resourceOf(catalog, command.resource).singular}
      line={gist(command.data)}
      meta={when(command.at)}
      status={status}
    />
  );
}

function DraftCard({ draft }: { draft: Draft }) {
  const { catalog } = useApp();
  return (
    <Card
      href={`#/draft/${encodeURIComponent(draft._id.slice('draft:'.length))}`}
      title={resourceOf(catalog, draft.resource).singular}
      line={gist(draft.values)}
      meta={when(draft.at)}
      status={{ text: S.status.draft, tone: 'plain', icon: 'pencil' }}
    />
  );
}

/** The longest short text that the person wrote: what tells one report from another at a glance. */
export function gist(data: Values): string {
  const texts = Object.values(data ?? {}).filter((value): value is string => typeof value === 'string' && value !== '');
  const text = texts.sort((a, b) => b.length - a.length)[0];
  return text ? textOf(text).slice(0, 120) : '';
}

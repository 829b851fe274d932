import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { authorized, fieldSentence } from '../../shared/api';
import { full } from '../../shared/dates';
import { Icon } from '../../shared/icons';
import { Banner, Chip, Empty, Sheet } from '../../shared/ui';
import { Facts } from '../../shared/values';
import { latest, standing, type Outgoing, type View } from '../cases';
import { reopen, sendMessage } from '../commands';
import { go, resourceOf, useApp, useSync, useView } from '../context';
import { Form, Thumb } from '../form';
import { S } from '../strings';
import type { Command, State, Trouble, Values } from '../types';
import { check, defaults, words, type Errors } from '../validate';

export function Detail({ id }: { id: string }): JSX.Element {
  const { store, catalog } = useApp();
  const view = useView();
  const state = store.get<State>(id);
  if (!state) return <Empty icon="file" title={S.detail.gone} />;
  const status = standing(state, view);
  return (
    <article class="screen">
      <Back />
      <div class="detail-head">
        <Chip tone={status.tone} icon={status.icon}>
          {status.text}
        </Chip>
        <h1>{latest(state).name}</h1>
        <p class="meta">
          {resourceOf(catalog, state.resource).singular} {state.id}
        </p>
      </div>
      {state.actions?.map((action) => (
        <ActionCard key={action.message} state={state} action={action} view={view} />
      ))}
      <div class="columns">
        <Timeline state={state} />
        <div class="column">
          <section class="panel">
            <h2>{S.detail.details}</h2>
            <Facts
              data={{ [S.detail.reference]: state.id, ...state.data }} skip={['customer', 'photos', 'id']}
              words={words(resourceOf(catalog, state.resource).startForm)}
            />
          </section>
          <Documents state={state} started={view.started.get(state.id)} />
        </div>
      </div>
    </article>
  );
}

function Back() {
  return (
    <a class="back" href="#/">
      <Icon name="back" /> {S.detail.back}
    </a>
  );
}

type Action = State['actions'][number];

function ActionCard({ state, action, view }: { state: State; action: Action; view: View }): JSX.Element {
  const { store } = useApp();
  const sync = useSync();
  const [open, setOpen] = useState(false);
  const [values, setValues] = useState<Values>(() => (action.form ? defaults(action.form) : {}));
  const [errors, setErrors] = useState<Errors>({});
  const answer = view.answers.get(`${state.id} ${action.message}`);
  if (answer && !answer.problem) {
    const queued = sync === 'offline' || sync === 'unreachable';
    return (
      <Banner tone={queued && !store.wasSent(answer.command._id) ? 'warn' : 'brand'} icon={answer.status.icon} title={action.name}>
        {answer.status.text === S.status.waiting ? S.detail.actionQueued : S.detail.actionWaits}
      </Banner>
    );
  }
  const send = async () => {
    const found = action.form ? check(action.form, values) : {};
    setErrors(found);
    if (Object.keys(found).length) return;
    await sendMessage(store, state, action.message, values);
    setOpen(false);
  };
  return (
    <section class="action-card">
      {answer?.problem ? <ProblemBanner problem={answer.problem} title={S.detail.actionFailed} /> : null}
      <h2>{S.status.action}</h2>
      <button type="button" class="button primary large" onClick={() => setOpen(true)}>
        <Icon name="check" /> {action.name}
      </button>
      {open ? (
        <Sheet
          title={action.name}
          onClose={() => setOpen(false)}
          actions={
            <>
              <button type="button" class="button quiet" onClick={() => setOpen(false)}>
                {S.detail.cancel}
              </button>
              <button type="button" class="button primary" onClick={() => void send()}>
                {S.detail.confirm}
              </button>
            </>
          }
        >
          <Facts data={relevant(state)} />
          {action.form ? (
            <Form
              schema={action.form}
              values={values}
              errors={errors}
              onChange={(key, value) => setValues((before) => ({ ...before, [key]: value }))}
            />
          ) : (
            <p>{S.detail.confirmText}</p>
          )}
        </Sheet>
      ) : null}
    </section>
  );
}

/** What a question is most likely about: the newest structured value, such as the appointment. */
function relevant(state: State): Values {
  const grouped = Object.entries(state.data ?? {}).filter(([, value]) => typeof value === 'object' && value !== null);
  const last = grouped.at(-1);
  return last ? { [last[0]]: last[1] } : {};
}

function Timeline({ state }: { state: State }): JSX.Element {
  const open = (state.tasks ?? []).filter((task) => /created|open|assigned/i.test(task.state));
  return (
    <section class="panel">
      <h2>{S.detail.progress}</h2>
      <ol class="timeline">
        {(state.milestones ?? []).map((milestone) => (
          <li key={milestone.id + milestone.at} class="done">
            <span class="dot">
              <Icon name="check" />
            </span>
            <strong>{milestone.name}</strong>
            <time dateTime={milestone.at}>{full(milestone.at)}</time>
          </li>
        ))}
        {open.map((task) => (
          <li key={task.id} class="now">
            <span class="dot">
              <Icon name="clock" />
            </span>
            <strong>{S.detail.teamWorks(task.name)}</strong>
          </li>
        ))}
        {(state.actions ?? []).map((action) => (
          <li key={action.message} class="now you">
            <span class="dot">
              <Icon name="bell" />
            </span>
            <strong>{action.name}</strong>
            <span class="meta">{S.status.action}</span>
          </li>
        ))}
        {state.state === 'canceled' ? (
          <li class="done">
            <span class="dot">
              <Icon name="cross" />
            </span>
            <strong>{S.detail.canceled}</strong>
            <time>{full(state.endedAt)}</time>
          </li>
        ) : null}
      </ol>
    </section>
  );
}

function Documents({ state, started }: { state: State; started?: Command }): JSX.Element | null {
  const { store } = useApp();
  const own = Object.keys(started?._attachments ?? {});
  if (!state.documents?.length && !own.length) return null;
  // A photo that this phone took is shown from the phone, also without a signal.
  const load = async (document: State['documents'][number]): Promise<Blob> => {
    const mine = own.find((name) => name.endsWith(`/${document.fileName}`));
    if (mine && started) return store.attachment(started._id, mine);
    const answer = await authorized(document.href);
    if (!answer.ok) throw new Error(document.fileName);
    return answer.blob();
  };
  const open = async (document: State['documents'][number]) => {
    const blob = await load(document);
    const link = Object.assign(window.document.createElement('a'), {
      href: URL.createObjectURL(blob),
      target: '_blank',
      rel: 'noopener',
      // Only pictures and PDF are safe to open beside the app; anything else is saved.
      ...(/^(image\/(jpeg|png|webp|gif)|application\/pdf)$/.test(blob.type) ? {} : { download: document.fileName }),
    });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  };
  return (
    <section class="panel">
      <h2>{S.detail.documents}</h2>
      <ul class="thumbs">
        {(state.documents ?? []).map((document, index) => (
          <li key={document.id}>
            <button type="button" class="thumb-open" aria-label={`${S.detail.open} ${document.fileName}`} onClick={() => void open(document).catch(() => undefined)}>
              <Thumb load={() => load(document)} alt={S.form.photo(index + 1)} name={document.id} />
            </button>
          </li>
        ))}
        {state.documents?.length
          ? null
          : own.map((name, index) => (
              <li key={name}>
                <Thumb load={() => store.attachment(started!._id, name)} alt={S.form.photo(index + 1)} name={name} />
              </li>
            ))}
      </ul>
    </section>
  );
}

/** A report that this phone sent and that has no state yet: waiting, sending, being registered, or refused. */
export function Sent({ id }: { id: string }): JSX.Element {
  const { store, catalog } = useApp();
  const view = useView();
  const outgoing = view.outgoing.find(({ command }) => command._id === id);
  if (!outgoing) {
    const target = [...view.started].find(([, command]) => command._id === id)?.[0];
    const resource = store.get<Command>(id)?.resource;
    if (target && resource) return <Detail id={`${resource}:${target}`} />;
    return <Empty icon="file" title={S.detail.gone} />;
  }
  const { command, status } = outgoing;
  return (
    <article class="screen narrow">
      <Back />
      <div class="detail-head">
        <Chip tone={status.tone} icon={status.icon}>
          {status.text}
        </Chip>
        <h1>{resourceOf(catalog, command.resource).singular}</h1>
      </div>
      <Explained outgoing={outgoing} />
      <section class="panel">
        <h2>{S.detail.yours}</h2>
        <Facts data={command.data} words={words(resourceOf(catalog, command.resource).startForm)} />
        <ul class="thumbs">
          {Object.keys(command._attachments ?? {}).map((name, index) => (
            <li key={name}>
              <Thumb load={() => store.attachment(command._id, name)} alt={S.form.photo(index + 1)} name={name} />
            </li>
          ))}
        </ul>
      </section>
    </article>
  );
}

function Explained({ outgoing: { command, status, problem } }: { outgoing: Outgoing }): JSX.Element {
  const { store } = useApp();
  if (!problem) {
    const waiting = status.text === S.status.waiting;
    return (
      <Banner tone={status.tone} icon={status.icon}>
        {waiting ? S.sync.offlineBanner : status.text}
      </Banner>
    );
  }
  return (
    <>
      <ProblemBanner problem={problem} title={S.failed.title} />
      <div class="form-actions">
        <button
          type="button"
          class="button primary large"
          onClick={() => void reopen(store, command).then((draft) => location.replace(`#/draft/${draft}`))}
        >
          <Icon name="pencil" /> {S.failed.again}
        </button>
        <button type="button" class="button ghost" onClick={() => void store.dismiss(command._id).then(() => go('/'))}>
          {S.failed.dismiss}
        </button>
      </div>
    </>
  );
}

function ProblemBanner({ problem, title }: { problem: Trouble; title: string }): JSX.Element {
  const errors = (problem.errors ?? []).map(fieldSentence).filter(Boolean);
  return (
    <Banner tone="danger" icon="warn" title={title} alert>
      {problem.detail ? <p>{problem.detail}</p> : null}
      {errors.length ? (
        <ul>
          {errors.map((error) => (
            <li key={error}>{error}</li>
          ))}
        </ul>
      ) : null}
      <p>{S.failed.advice(problem.status)}</p>
    </Banner>
  );
}

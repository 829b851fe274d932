// One task: its form in form-js, what is known, and the documents.

import { Form } from '@bpmn-io/form-js-viewer';
import '@bpmn-io/form-js-viewer/dist/assets/form-js.css';
import type { JSX } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { authorized, call, Problem, sentence } from '../shared/api';
import type { Person } from '../shared/auth';
import { Icon } from '../shared/icons';
import { Banner, Busy, Chip, Sheet } from '../shared/ui';
import { Facts } from '../shared/values';
import type { Document, TaskDetail, TaskForm } from './types';

interface Props {
  id: string;
  who: Person;
  onChanged: () => void;
  onDone: (text: string) => void;
}

export function TaskPanel({ id, who, onChanged, onDone }: Props): JSX.Element {
  const [task, setTask] = useState<TaskDetail>();
  const [paper, setPaper] = useState<TaskForm>();
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const form = useRef<Form | null>(null);
  const mine = task?.assignee === who.sub;
  const open = task?.state === 'created';

  const load = useCallback(async () => {
    try {
      const [found, wanted] = await Promise.all([
        call<TaskDetail>('GET', `/tasks/${id}`),
        call<TaskForm>('GET', `/tasks/${id}/form`),
      ]);
      setTask(found);
      setPaper(wanted);
    } catch (reason) {
      setError(reason instanceof Problem && reason.status === 404 ? 'This task is no longer there for you.' : sentence(reason));
    }
  }, [id]);
  useEffect(() => void load(), [load]);

  const act = async (work: () => Promise<void>) => {
    setBusy(true);
    setError(undefined);
    try {
      await work();
    } catch (reason) {
      setError(sentence(reason));
    } finally {
      setBusy(false);
    }
  };
  const change = (verb: 'claim' | 'release') =>
    act(async () => {
      await call('POST', `/tasks/${id}/${verb}`);
      await load();
      onChanged();
    });
  const complete = () =>
    act(async () => {
      let variables: Record<string, unknown> = {};
      if (form.current) {
        const { data, errors } = form.current.submit();
        if (Object.keys(errors).length) {
          document.querySelector<HTMLElement>('.fjs-has-errors input, .fjs-has-errors textarea')?.focus();
          throw new Error('Please look at the marked fields.');
        }
        variables = data;
      }
      await call('POST', `/tasks/${id}/complete`, { variables });
      onDone(`${task?.name ?? 'The task'} is completed.`);
    });

  if (!task) return error ? <Banner tone="danger" icon="warn" alert>{error}</Banner> : <Busy>Fetching the task</Busy>;
  return (
    <article class="task">
      <a class="back narrow-only" href="#/">
        <Icon name="back" /> All tasks
      </a>
      <header class="task-head">
        <div>
          <h2 class="task-title">{task.name}</h2>
          <p class="meta">{[task.title, task.businessId].filter(Boolean).join(' ')}</p>
        </div>
        {!open ? (
          <Chip tone="ok" icon="check">
            {task.state}
          </Chip>
        ) : mine ? (
          <button type="button" class="button quiet" disabled={busy} onClick={() => void change('release')}>
            Give back
          </button>
        ) : task.assignee ? (
          <Chip icon="person">{task.assignee}</Chip>
        ) : (
          <button type="button" class="button primary" disabled={busy} onClick={() => void change('claim')}>
            <Icon name="person" /> Take this task
          </button>
        )}
      </header>
      {error ? (
        <Banner tone="danger" icon="warn" alert>
          {error}
        </Banner>
      ) : null}
      <div class="task-columns">
        <section class="panel">
          {paper?.schema ? <FormIsland schema={paper.schema} data={paper.data} readOnly={!mine || !open} form={form} /> : null}
          {paper && !paper.schema ? <p>This task has no form. Complete it when it is done.</p> : null}
          {open ? (
            <div class="form-actions">
              {mine ? null : <p class="hint">Take the task first; then its form can be filled in.</p>}
              <button type="button" class="button primary large" disabled={!mine || busy} onClick={() => void complete()}>
                <Icon name="check" /> Complete
              </button>
            </div>
          ) : null}
        </section>
        <aside>
          <Documents documents={task.documents} />
          <section class="panel">
            <h2>What is known</h2>
            <Facts data={task.variables} skip={['photos']} />
          </section>
        </aside>
      </div>
    </article>
  );
}

function FormIsland(props: {
  schema: object;
  data: Record<string, unknown>;
  readOnly: boolean;
  form: { current: Form | null };
}): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const made = new Form({ container: place.current! });
    props.form.current = made;
    void made.importSchema(props.schema, props.data).then(() => made.setProperty('readOnly', props.readOnly));
    return () => {
      props.form.current = null;
      made.destroy();
    };
  }, [props.schema]);
  useEffect(() => props.form.current?.setProperty('readOnly', props.readOnly), [props.readOnly]);
  return <div class="form-island" ref={place} />;
}

function Documents({ documents }: { documents: Document[] }): JSX.Element | null {
  const [shown, setShown] = useState<Document>();
  if (!documents.length) return null;
  return (
    <section class="panel">
      <h2>Documents and photos</h2>
      <ul class="thumbs">
        {documents.map((document) => (
          <li key={document.id}>
            <button type="button" class="thumb-open" aria-label={`Open ${document.fileName}`} onClick={() => setShown(document)}>
              <Picture document={document} />
            </button>
          </li>
        ))}
      </ul>
      {shown ? (
        <Sheet
          title={shown.fileName}
          onClose={() => setShown(undefined)}
          actions={
            <>
              <button type="button" class="button quiet" onClick={() => void save(shown)}>
                Save
              </button>
              <button type="button" class="button primary" onClick={() => setShown(undefined)}>
                Close
              </button>
            </>
          }
        >
          <Picture document={shown} large />
        </Sheet>
      ) : null}
    </section>
  );
}

async function bytes(document: Document): Promise<Blob> {
  const answer = await authorized(document.href);
  if (!answer.ok) throw new Error(document.fileName);
  return answer.blob();
}

async function save(document: Document): Promise<void> {
  const url = URL.createObjectURL(await bytes(document));
  Object.assign(window.document.createElement('a'), { href: url, download: document.fileName }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A picture needs the person's token, so it is fetched and shown from memory. */
function Picture({ document, large }: { document: Document; large?: boolean }): JSX.Element {
  const [url, setUrl] = useState<string>();
  const picture = /^image\/(jpeg|png|webp|gif)$/.test(document.contentType);
  useEffect(() => {
    if (!picture) return;
    let made: string | undefined;
    let gone = false;
    bytes(document).then(
      (blob) => {
        if (gone) return;
        made = URL.createObjectURL(blob);
        setUrl(made);
      },
      () => undefined, // shown as a file; opening it says what is wrong
    );
    return () => {
      gone = true;
      if (made) URL.revokeObjectURL(made);
    };
  }, [document.id]);
  if (url) return <img class={large ? 'picture' : 'thumb'} src={url} alt={document.fileName} />;
  return (
    <span class="thumb thumb-file">
      <Icon name="file" />
      <span class="thumb-name">{document.fileName}</span>
    </span>
  );
}

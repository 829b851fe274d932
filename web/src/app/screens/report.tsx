import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../../shared/icons';
import { Banner, Busy, Empty, Sheet } from '../../shared/ui';
import { addFiles, discardDraft, newDraft, removeFile, saveDraft, submitDraft } from '../commands';
import { go, resourceOf, startable, useApp, useSync, useView } from '../context';
import { Form } from '../form';
import { isFull } from '../store';
import { S } from '../strings';
import type { Draft, FormSchema, Resource, Values } from '../types';
import { check, defaults, type Errors } from '../validate';

const SAVE_AFTER = 400; // ms without a key press

// The last key presses before a save, written at once: a phone may end the app at any moment, and
// localStorage is the only store that a page can write to without waiting.
const typing = {
  key: (id: string) => `towpath.typing:${id}`,
  keep: (id: string, values: Values) => {
    try {
      localStorage.setItem(typing.key(id), JSON.stringify(values));
    } catch {
      // No room: the save that follows says so.
    }
  },
  kept: (id: string) => JSON.parse(localStorage.getItem(typing.key(id)) ?? 'null') as Values | null,
  forget: (id: string) => localStorage.removeItem(typing.key(id)),
};

/** Starts a draft at once where there is one kind of report only, else asks which. */
export function NewReport(): JSX.Element {
  const { catalog, store } = useApp();
  const kinds = startable(catalog);
  const begun = useRef(false);
  const begin = (resource: Resource) => {
    void newDraft(store, resource).then((id) => location.replace(`#/draft/${id}`));
  };
  useEffect(() => {
    if (kinds.length === 1 && !begun.current) {
      begun.current = true;
      begin(kinds[0]!);
    }
  }, [kinds.length]);
  if (!kinds.length) return <Empty icon="offline" title={S.report.unavailable} />;
  if (kinds.length === 1) return <Busy>{S.report.title(kinds[0]!.singular)}</Busy>;
  return (
    <div class="screen narrow">
      <h1>{S.report.choose}</h1>
      <ul class="cards">
        {kinds.map((kind) => (
          <li key={kind.name}>
            <button type="button" class="card" onClick={() => begin(kind)}>
              <strong class="card-title">{kind.singular}</strong>
              <Icon name="next" />
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

export function DraftScreen({ id }: { id: string }): JSX.Element {
  const { store } = useApp();
  useView(); // draws again when a photo was added, here or on another device
  const draft = store.get<Draft>(`draft:${id}`);
  if (!draft) return <Empty icon="file" title={S.detail.gone} />;
  return <Editor id={id} draft={draft} />;
}

function freeText(): FormSchema {
  return {
    components: [
      { type: 'text', text: S.report.noForm },
      { type: 'textarea', key: 'description', label: S.report.freeText, validate: { required: true } },
    ],
  };
}

function Editor({ id, draft }: { id: string; draft: Draft }): JSX.Element {
  const { catalog, store } = useApp();
  const sync = useSync();
  const resource = resourceOf(catalog, draft.resource);
  const schema = resource.startForm ?? freeText();
  const [values, setValues] = useState<Values>(() => ({ ...defaults(schema), ...(typing.kept(id) ?? draft.values) }));
  const [saving, setSaving] = useState(false);
  const [errors, setErrors] = useState<Errors>({});
  const [trouble, setTrouble] = useState<unknown>();
  const [discarding, setDiscarding] = useState(false);
  const [submitting, setSubmitting] = useState(false);
  const timer = useRef<number>();
  const latest = useRef(values);
  const closed = useRef(false);
  latest.current = values;

  const guarded = async (work: () => Promise<unknown>) => {
    try {
      await work();
      setTrouble(undefined);
    } catch (error) {
      setTrouble(error);
    }
  };
  const save = () => {
    clearTimeout(timer.current);
    timer.current = undefined;
    const saved = latest.current;
    return guarded(async () => {
      await saveDraft(store, id, saved);
      if (latest.current === saved) typing.forget(id);
    }).finally(() => setSaving(false));
  };
  const change = (key: string, value: unknown) => {
    const next = { ...latest.current, [key]: value };
    latest.current = next;
    typing.keep(id, next);
    setValues(next);
    setSaving(true);
    if (errors[key]) setErrors(({ [key]: _, ...rest }) => rest);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => void save(), SAVE_AFTER);
  };
  // What was kept when the app ended, what is typed before the screen is left: both are saved.
  useEffect(() => {
    if (typing.kept(id)) void save();
    const flush = () => timer.current !== undefined && !closed.current && void save();
    document.addEventListener('visibilitychange', flush);
    return () => {
      document.removeEventListener('visibilitychange', flush);
      flush();
    };
  }, []);

  const submit = async () => {
    const found = check(schema, values, draft.files);
    setErrors(found);
    const first = Object.keys(found)[0];
    if (first) {
      document.querySelector<HTMLElement>(`[name="${CSS.escape(first)}"]`)?.focus();
      return;
    }
    setSubmitting(true);
    await save();
    closed.current = true;
    await guarded(async () => {
      const command = await submitDraft(store, id, values);
      void navigator.storage?.persist?.();
      location.replace(`#/sent/${encodeURIComponent(command)}`);
    });
    closed.current = false;
    setSubmitting(false);
  };
  const discard = async () => {
    closed.current = true;
    clearTimeout(timer.current);
    typing.forget(id);
    await guarded(() => discardDraft(store, id));
    go('/');
  };
  const count = Object.keys(errors).length;
  return (
    <form
      class="screen narrow"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <div class="screen-head">
        <h1>{S.report.title(resource.singular)}</h1>
        <span class="saved" role="status">
          {saving ? (
            S.report.saving
          ) : (
            <>
              <Icon name="check" /> {S.report.saved}
            </>
          )}
        </span>
      </div>
      {trouble ? (
        <Banner tone="danger" icon="warn" alert>
          {isFull(trouble) ? S.sync.quota : String((trouble as Error).message ?? trouble)}
        </Banner>
      ) : null}
      <Form
        schema={schema}
        values={values}
        files={draft.files}
        errors={errors}
        onChange={change}
        onAdd={(key, prepared) => guarded(() => addFiles(store, id, key, prepared))}
        onRemove={(key, name) => guarded(() => removeFile(store, id, key, name))}
        picture={(name) => store.attachment(`draft:${id}`, name)}
      />
      {count ? (
        <Banner tone="danger" icon="warn" alert>
          {S.report.fix(count)}
        </Banner>
      ) : null}
      <div class="form-actions">
        {sync === 'offline' || sync === 'unreachable' ? <p class="hint">{S.report.sendsLater}</p> : null}
        <button class="button primary large" type="submit" disabled={submitting}>
          <Icon name="up" /> {S.report.submit}
        </button>
        <button class="button ghost" type="button" onClick={() => setDiscarding(true)}>
          <Icon name="trash" /> {S.report.discard}
        </button>
      </div>
      {discarding ? (
        <Sheet
          title={S.report.discardTitle}
          onClose={() => setDiscarding(false)}
          actions={
            <>
              <button class="button quiet" type="button" onClick={() => setDiscarding(false)}>
                {S.report.keep}
              </button>
              <button class="button danger" type="button" onClick={() => void discard()}>
                {S.report.discard}
              </button>
            </>
          }
        >
          <p>{S.report.discardText}</p>
        </Sheet>
      ) : null}
    </form>
  );
}

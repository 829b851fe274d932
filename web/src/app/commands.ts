// What a person does, written down: drafts that change, and commands that never do.

import type { Prepared } from './photos';
import type { Store } from './store';
import type { Command, Draft, Resource, State, Values } from './types';

type Attachments = NonNullable<Draft['_attachments']>;

const uuid = () => crypto.randomUUID();
const now = () => new Date().toISOString();

export async function newDraft(store: Store, resource: Resource): Promise<string> {
  const id = uuid();
  await store.serially(() =>
    store.db.put({ _id: `draft:${id}`, type: 'draft', resource: resource.name, values: {}, files: {}, at: now() }),
  );
  return id;
}

export function saveDraft(store: Store, id: string, values: Values): Promise<void> {
  return change(store, id, (draft) => ({ ...draft, values }));
}

export function addFiles(store: Store, id: string, key: string, prepared: Prepared[]): Promise<void> {
  return change(store, id, (draft) => {
    const attachments: Record<string, unknown> = { ...draft._attachments };
    const names = [...(draft.files[key] ?? [])];
    for (const { blob, name } of prepared) {
      // The folder is the form's field that the file belongs to: the facade is told by it.
      const free = freeName(`${key}/${safe(name)}`, attachments);
      attachments[free] = { content_type: blob.type || 'application/octet-stream', data: blob };
      names.push(free);
    }
    return { ...draft, files: { ...draft.files, [key]: names }, _attachments: attachments as Attachments };
  });
}

export function removeFile(store: Store, id: string, key: string, name: string): Promise<void> {
  return change(store, id, (draft) => {
    const attachments = { ...draft._attachments };
    delete attachments[name];
    const names = (draft.files[key] ?? []).filter((other) => other !== name);
    return { ...draft, files: { ...draft.files, [key]: names }, _attachments: attachments };
  });
}

export async function discardDraft(store: Store, id: string): Promise<void> {
  await store.serially(async () => {
    const draft = await store.db.get(`draft:${id}`);
    await store.db.remove(draft);
  });
}

/** The draft becomes the command to start: the same id, so that sending twice is sending once. */
export async function submitDraft(store: Store, id: string, data: Values): Promise<string> {
  return store.serially(async () => {
    const draft = (await store.db.get(`draft:${id}`, { attachments: true, binary: true })) as unknown as Draft;
    const kept = Object.values(draft.files).flat();
    const attachments = Object.fromEntries(Object.entries(draft._attachments ?? {}).filter(([n]) => kept.includes(n)));
    const command: Command = {
      _id: `command:${id}`,
      type: 'command',
      command: 'start',
      resource: draft.resource,
      data,
      files: draft.files,
      at: now(),
      ...(kept.length ? { _attachments: attachments } : {}),
    };
    await store.db.put(command as unknown as Record<string, unknown>);
    await store.db.remove(draft._id, draft._rev!);
    return command._id;
  });
}

export async function sendMessage(store: Store, state: State, message: string, data: Values): Promise<string> {
  const command: Command = {
    _id: `command:${uuid()}`,
    type: 'command',
    command: 'message',
    resource: state.resource,
    target: state.id,
    name: message,
    data,
    at: now(),
  };
  await store.serially(() => store.db.put(command as unknown as Record<string, unknown>));
  return command._id;
}

/** A refused report as a new draft, with its photos. */
export async function reopen(store: Store, command: Command): Promise<string> {
  const id = uuid();
  await store.serially(async () => {
    const full = (await store.db.get(command._id, { attachments: true, binary: true })) as unknown as Command;
    await store.db.put({
      _id: `draft:${id}`,
      type: 'draft',
      resource: command.resource,
      values: command.data,
      files: command.files ?? {},
      at: now(),
      ...(full._attachments ? { _attachments: full._attachments } : {}),
    } as unknown as Record<string, unknown>);
  });
  await store.dismiss(command._id);
  return id;
}

async function change(store: Store, id: string, edit: (draft: Draft) => Draft): Promise<void> {
  await store.serially(async () => {
    const draft = (await store.db.get(`draft:${id}`)) as unknown as Draft;
    await store.db.put({ ...edit(draft), at: now() } as unknown as Record<string, unknown>);
  });
}

function safe(name: string): string {
  return name.replace(/[^\w.-]+/g, '-').slice(-60);
}

function freeName(name: string, taken: Record<string, unknown>): string {
  if (!(name in taken)) return name;
  const [, stem, ending] = /^(.*?)(\.[^.]*)?$/.exec(name)!;
  for (let n = 2; ; n++) {
    const next = `${stem}-${n}${ending ?? ''}`;
    if (!(next in taken)) return next;
  }
}

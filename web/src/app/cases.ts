// What the person has here: states from the server, joined with what this phone sent or still has to send.

import type { Store } from './store';
import { S } from './strings';
import type { Command, Draft, Notification, Result, State, Trouble } from './types';
import type { Tone } from '../shared/ui';
import type { IconName } from '../shared/icons';

export interface Status {
  text: string;
  tone: Tone;
  icon: IconName;
}

/** A report that is on its way, or was refused. */
export interface Outgoing {
  command: Command;
  status: Status;
  problem?: Trouble;
}

export interface View {
  drafts: Draft[];
  outgoing: Outgoing[]; // starts without a state yet
  open: State[];
  closed: State[];
  notifications: Notification[];
  unsent: number;
  answers: Map<string, Outgoing>; // `${target} ${message}` -> the latest answer to an action
  started: Map<string, Command>; // target -> the command that started it, where this phone has it
}

export function look(store: Store, online: boolean): View {
  const view: View = {
    drafts: [],
    outgoing: [],
    open: [],
    closed: [],
    notifications: [],
    unsent: 0,
    answers: new Map(),
    started: new Map(),
  };
  const results = new Map<string, Result>();
  const commands: Command[] = [];
  for (const doc of store.docs()) {
    if (doc.type === 'draft') view.drafts.push(doc);
    else if (doc.type === 'command') commands.push(doc);
    else if (doc.type === 'result') results.set(doc.command, doc);
    else if (doc.type === 'notification') view.notifications.push(doc);
    else if (doc.type === 'state') (doc.state === 'active' ? view.open : view.closed).push(doc);
  }
  for (const command of commands.sort(byTime('at'))) {
    const result = results.get(command._id);
    const denial = store.denial(command._id);
    if (!result && !denial && !store.wasSent(command._id)) view.unsent++;
    const outgoing = { command, ...progress(store, command, result, denial, online) };
    if (command.command === 'start') {
      if (result?.target) view.started.set(result.target, command);
      const arrived = result?.target && store.get(`${command.resource}:${result.target}`);
      if (!arrived && !store.isDismissed(command._id)) view.outgoing.push(outgoing);
    } else if (command.target) {
      view.answers.set(`${command.target} ${command.name}`, outgoing);
    }
  }
  view.drafts.sort(byTime('at')).reverse();
  view.outgoing.reverse();
  view.open.sort(byTime('startedAt')).reverse();
  view.closed.sort(byTime('startedAt')).reverse();
  view.notifications.sort(byTime('at')).reverse();
  return view;
}

function progress(
  store: Store,
  command: Command,
  result: Result | undefined,
  denial: string | undefined,
  online: boolean,
): { status: Status; problem?: Trouble } {
  if (result?.status === 'failed') return { status: failed(), problem: result.problem ?? {} };
  if (denial !== undefined) return { status: failed(), problem: { detail: denial || S.sync.denied } };
  if (result || store.wasSent(command._id)) return { status: { text: S.status.sent, tone: 'brand', icon: 'check' } };
  if (online) return { status: { text: S.status.uploading, tone: 'brand', icon: 'up' } };
  return { status: { text: S.status.waiting, tone: 'warn', icon: 'offline' } };
}

const failed = (): Status => ({ text: S.status.failed, tone: 'danger', icon: 'warn' });

/** Where a state stands, as a chip shows it. */
export function standing(state: State, view: View): Status {
  if (state.state === 'canceled') return { text: S.status.canceled, tone: 'plain', icon: 'cross' };
  if (state.state === 'completed') return { text: S.status.completed, tone: 'ok', icon: 'check' };
  for (const action of state.actions ?? []) {
    const answer = view.answers.get(`${state.id} ${action.message}`);
    if (!answer) return { text: S.status.action, tone: 'warn', icon: 'bell' };
    return answer.status;
  }
  return { text: S.status.active, tone: 'brand', icon: 'clock' };
}

/** The latest milestone, which says more than a state's name. */
export function latest(state: State): { name: string; at: string } {
  return state.milestones?.at(-1) ?? { name: S.detail.reported, at: state.startedAt };
}

function byTime<K extends string>(field: K) {
  return (a: Record<K, string | null>, b: Record<K, string | null>) => (a[field] ?? '').localeCompare(b[field] ?? '');
}

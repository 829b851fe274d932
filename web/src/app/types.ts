// The documents that travel between this phone and the server, and the catalogue.

export interface FormComponent {
  type: string;
  key?: string;
  id?: string;
  label?: string;
  description?: string;
  text?: string;
  components?: FormComponent[];
  values?: { value: string | number; label: string }[];
  defaultValue?: unknown;
  disabled?: boolean;
  readonly?: boolean;
  multiple?: boolean | string;
  accept?: string;
  subtype?: 'date' | 'time' | 'datetime';
  dateLabel?: string;
  timeLabel?: string;
  decimalDigits?: number;
  appearance?: { prefixAdorner?: string; suffixAdorner?: string };
  validate?: {
    required?: boolean;
    min?: number;
    max?: number;
    minLength?: number;
    maxLength?: number;
    pattern?: string;
    validationType?: 'email' | 'phone' | 'custom';
  };
}

export interface FormSchema {
  components: FormComponent[];
}

export interface Resource {
  name: string;
  title: string;
  singular: string;
  startForm: FormSchema | null;
}

export interface Catalog {
  resources: Resource[];
}

export type Values = Record<string, unknown>;

interface Stored {
  _id: string;
  _rev?: string;
  _attachments?: Record<string, { content_type: string; length?: number; digest?: string; stub?: boolean }>;
}

export interface Draft extends Stored {
  type: 'draft';
  resource: string;
  values: Values;
  files: Record<string, string[]>; // component key -> names of attachments
  at: string;
}

export interface Command extends Stored {
  type: 'command';
  command: 'start' | 'message' | 'complete-task' | 'cancel';
  resource: string;
  target?: string;
  name?: string;
  data: Values;
  files?: Record<string, string[]>;
  at: string;
}

export interface Trouble {
  status?: number;
  title?: string;
  detail?: string;
  errors?: (string | { field?: string; message?: string })[];
}

export interface Result extends Stored {
  type: 'result';
  command: string;
  status: 'done' | 'failed';
  target?: string;
  problem?: Trouble;
  at: string;
}

export interface State extends Stored {
  type: 'state';
  resource: string;
  id: string;
  state: 'active' | 'completed' | 'canceled';
  title: string;
  startedAt: string;
  endedAt: string | null;
  data: Values;
  milestones: { id: string; name: string; at: string }[];
  actions: { message: string; name: string; form: FormSchema | null }[];
  tasks: { id: string; name: string; state: string; assignee: string | null; dueAt: string | null }[];
  documents: { id: string; fileName: string; contentType: string; size: number; href: string }[];
}

export interface Notification extends Stored {
  type: 'notification';
  title: string;
  body: string;
  at: string;
  resource?: string;
  target?: string;
  read: boolean;
}

export type AnyDoc = Draft | Command | Result | State | Notification;

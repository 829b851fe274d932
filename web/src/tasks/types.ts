// What the facade's task API answers.

export interface TaskRow {
  id: string;
  name: string;
  state: 'created' | 'completed' | 'canceled';
  assignee: string | null;
  dueAt: string | null;
  createdAt: string;
  candidateGroups: string[];
  resource: string | null;
  businessId: string | null;
  title: string | null;
  priority: number;
}

export interface Document {
  id: string;
  fileName: string;
  contentType: string;
  size: number;
  href: string;
}

export interface TaskDetail extends TaskRow {
  variables: Record<string, unknown>;
  documents: Document[];
}

export interface Listing {
  items: TaskRow[];
  next: string | null;
}

export interface TaskForm {
  schema: object | null;
  data: Record<string, unknown>;
}

// What /console/api answers: the wire types of the process server.

export interface Instance {
  processInstanceKey: string;
  processDefinitionKey: string;
  processDefinitionId: string;
  processDefinitionName: string | null;
  processDefinitionVersion: number;
  state: 'ACTIVE' | 'COMPLETED' | 'TERMINATED';
  startDate: string;
  endDate: string | null;
  hasIncident: boolean;
  businessId: string | null;
  parentProcessInstanceKey: string | null;
}

export interface ElementInstance {
  elementInstanceKey: string;
  elementId: string;
  elementName: string | null;
  type: string;
  state: 'ACTIVE' | 'COMPLETED' | 'TERMINATED';
  startDate: string;
  endDate: string | null;
  hasIncident: boolean;
  milestone: string | null;
}

export interface Incident {
  incidentKey: string;
  elementId: string;
  elementInstanceKey: string;
  errorType: string;
  errorMessage: string;
  state: 'ACTIVE' | 'RESOLVED';
  creationTime: string;
  jobKey: string | null;
}

export interface JobRow {
  jobKey: string;
  type: string;
  state: string;
  elementId: string;
  retries: number;
  worker: string | null;
  errorMessage: string | null;
}

export interface Variable {
  variableKey: string;
  name: string;
  value: string;
  scopeKey: string;
}

export interface Definition {
  processDefinitionKey: string;
  processDefinitionId: string;
  name: string | null;
  version: number;
}

export interface InstanceView {
  instance: Instance;
  elements: ElementInstance[];
  flows: string[];
  incidents: Incident[];
  jobs: JobRow[];
  variables: Variable[];
  called: Instance[];
  position: string;
}

export interface SearchResult<T> {
  items: T[];
  page: { totalItems: number; endCursor: string | null; hasMoreTotalItems: boolean };
}

/* The shapes of docs/api.md. */
export interface AreaRef { id?: string; code: string; name: string; full?: string; level?: string }
export interface AreaNode { id: string; code: string; name: string; level: string; level_label: string; children: number }
export interface Session {
  user: { id: string; login: string; name: string; totp?: boolean };
  roles: { role: string; area: { code: string; name: string } | null }[];
  may: string[];
  csrf: string;
  site: { name: string; timezone: string; today: string; version: string };
  area: { id: string; code: string; name: string; level: string };
}
export interface Code { value: string; label: string }
export type FieldType =
  | 'text' | 'name' | 'int' | 'real' | 'bool' | 'date' | 'time' | 'code' | 'codes' | 'ref' | 'id_number' | 'phone' | 'plate' | 'pass_number';
export interface Field {
  name: string; type: FieldType; label: string;
  required: boolean; personal: boolean; sealed: boolean; read_only: boolean;
  max: number | null; min: number | null; unit: string | null;
  list: boolean; filter: boolean; past: boolean;
  codes?: Code[] | null; ref?: string | null;
}
/* `area` false: records of the whole site; `area_from`: the reference whose area is taken when none is given. */
export interface Kind {
  name: string; label: string; plural: string; log: boolean; fields: Field[]; commands: string[];
  area?: boolean; area_from?: string | null;
}
export type Value = string | number | boolean | string[] | null;
export interface Ref { id: string; title: string }
export interface Rec {
  id: string; kind: string; version: number;
  area: AreaRef | null;
  title: string; created_at: string; updated_at: string;
  data: Record<string, Value>;
  refs?: Record<string, Ref>;
}
export interface Page { records: Rec[]; next: string | null }
export interface Change { field: string; label: string; from?: Value; to?: Value; personal?: boolean }
export interface HistoryEntry {
  seq: number; at: string; actor: { id: string | null; name: string }; command: string; reason?: string; changes: Change[];
}
export interface Figure { id: string; dim: Record<string, string>; value: number | null; unit: string; label: string }
export interface Series { id: string; label: string; unit: string; points: { on: string; value: number }[] }
export interface CommandResult {
  id: string; record: string; version: number; seq: number; repeated: boolean;
  values?: Record<string, Value>;
  changed?: number;
}
export interface FieldError { field: string; label?: string; reason: string; detail: string }
export interface ImportResult {
  imported: number; updated: number; unchanged: number; queued: number; refused: number;
  refused_file: string | null;
  columns: { column: string; field: string | null }[];
  problems: { row: number; column: string | null; value: string | null; reason: string }[];
}
export interface Missing {
  on: string; due: number; submitted: number; late: number;
  missing: { unit: { id: string; name: string }; area: AreaRef; due_by: string; last_on: string | null }[];
}
export interface CoverageRow {
  area: AreaRef; households: number; covered: number; uncovered: number; members: number; overloaded: number;
}
export interface Coverage { households: number; covered: number; members: number; target: number; areas: CoverageRow[] }
export interface Proposal {
  households: number; uncovered_before: number; uncovered_after: number; overloaded_before: number; overloaded_after: number;
  changes: number; capacity_short: number; truncated: boolean;
  assignments: { member: Ref; area: AreaRef; before: number; after: number; households: Ref[] }[];
}
export interface GateDay {
  on: string;
  gates: {
    id: string; name: string; kind: string; kind_label: string; area: AreaRef;
    vehicles: number; persons: number; febrile: number; turned_back: number;
  }[];
}

/** A case of the differential test: one call in one form on a known tree, and what is observed of it. */
import type { FileHandle } from "node:fs/promises";
import type { Subject, SubjectFs } from "../helpers/subject.ts";
import type { TreeName } from "./tree.ts";

/**
 * How a function is called: `nameSync`, `name` with a callback, `fs.promises.name`, a method of a FileHandle, or
 * "bare": the callback form without its callback.
 */
export type Form = "sync" | "callback" | "promise" | "handle" | "bare";

export const PATH_FORMS: readonly Form[] = ["sync", "callback", "promise"];
export const FD_FORMS: readonly Form[] = ["sync", "callback", "handle"];

/** What a case may use to make its arguments. */
export interface Context {
  /** For programs of other users and in other working directories. */
  readonly subject: Subject;
  readonly fs: SubjectFs;
  readonly root: string;
  /** Absolute path of an entry. */
  path(name: string): string;
  /** The open descriptor of a case with `open`; in the form "handle" that of the FileHandle. */
  readonly fd: number;
  /** The FileHandle of a case with `open` in the form "handle" or "promise". */
  readonly handle?: FileHandle;
}

export interface Case {
  /** Unique; names the function, the form and what is special. */
  readonly id: string;
  /** Name in node:fs without "Sync"; may be dotted ("realpath.native"). */
  readonly fn: string;
  readonly form: Form;
  readonly tree: TreeName;
  /** File, flags and position to open before the call; `Context.fd` then is its descriptor. */
  readonly open?: readonly [name: string, flags: string | number];
  /** The arguments; for the form "handle" without the descriptor. */
  args(context: Context): unknown[];
  /** The functions that a program of several calls is about, as rows.ts names them. */
  readonly covers?: readonly string[];
  /** Several calls in place of the one that `fn`, `form` and `args` make. Its result is what is compared. */
  program?(context: Context): Promise<unknown>;
  /** More to look at once the call is over. */
  after?(context: Context): unknown;
}

/** Methods of FileHandle for the functions that take a descriptor. */
const HANDLE_METHODS: Record<string, string> = {
  fchmod: "chmod",
  fchown: "chown",
  fstat: "stat",
  ftruncate: "truncate",
  fsync: "sync",
  fdatasync: "datasync",
  futimes: "utimes",
};

export function handleMethod(fn: string): string {
  return HANDLE_METHODS[fn] ?? fn;
}

/** Makes one case for each form. */
export function inForms(
  forms: readonly Form[],
  fn: string,
  what: string,
  rest: Pick<Case, "args" | "open" | "after"> & { tree?: TreeName },
): Case[] {
  return forms.map((form) => ({ tree: "battery", ...rest, id: `${fn} ${form}: ${what}`, fn, form }));
}

/** As inForms, for functions whose first argument is the open descriptor. */
export function inFdForms(
  fn: string,
  what: string,
  open: Case["open"],
  args: (context: Context) => unknown[],
  after?: Case["after"],
): Case[] {
  return FD_FORMS.map((form) => ({
    tree: "data",
    open,
    after,
    id: `${fn} ${form}: ${what}`,
    fn,
    form,
    args: (context) => (form === "handle" ? args(context) : [context.fd, ...args(context)]),
  }));
}

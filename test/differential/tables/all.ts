/** The whole table. */
import type { Case } from "../case.ts";
import { DELIBERATE } from "../deliberate.ts";
import { ABORT_CASES } from "./aborts.ts";
import { ARGUMENT_CASES } from "./arguments.ts";
import { BLOB_CASES } from "./blobs.ts";
import { CLASS_CASES } from "./classes.ts";
import { COMBINED_CASES } from "./combined-options.ts";
import { DESCRIPTOR_CASES } from "./descriptors.ts";
import { DIR_LIVES } from "./dir-lives.ts";
import { ENCODING_CASES } from "./encodings.ts";
import { HANDLE_LIVES } from "./handle-lives.ts";
import { HANDLE_CASES } from "./handles.ts";
import { ONE_PATH_CASES } from "./one-path.ts";
import { OPTION_CASES } from "./options.ts";
import { OTHERS_CASES } from "./others.ts";
import { PROGRAM_CASES } from "./programs.ts";
import { PROMISIFIED_CASES } from "./promisified.ts";
import { RECURSION_CASES } from "./recursion.ts";
import { REMOVED_DIRECTORY_CASES } from "./removed-directory.ts";
import { TWO_PATH_CASES } from "./two-paths.ts";
import { VIEW_CASES } from "./views.ts";
import { WEB_STREAM_CASES } from "./web-streams.ts";
import { ZERO_LENGTH_CASES } from "./zero-length.ts";

/** Tables overlap in places; an id says all that there is to a case, so the first one of a kind will do. */
function unique(cases: readonly Case[]): readonly Case[] {
  return [...new Map(cases.map((test) => [test.id, test])).values()];
}

/** Every case there is: what FOLIO_DIFFERENTIAL=all runs. */
export const EVERY_CASE: readonly Case[] = unique([
  ...ONE_PATH_CASES,
  ...TWO_PATH_CASES,
  ...OPTION_CASES,
  ...DESCRIPTOR_CASES,
  ...ARGUMENT_CASES,
  ...PROGRAM_CASES,
  ...VIEW_CASES,
  ...CLASS_CASES,
  ...HANDLE_CASES,
  ...ABORT_CASES,
  ...ENCODING_CASES,
  ...ZERO_LENGTH_CASES,
  ...REMOVED_DIRECTORY_CASES,
  ...RECURSION_CASES,
  ...OTHERS_CASES,
  ...COMBINED_CASES,
  ...BLOB_CASES,
  ...HANDLE_LIVES,
  ...DIR_LIVES,
  ...WEB_STREAM_CASES,
  ...PROMISIFIED_CASES,
]);

/** One in this many cases runs in its asynchronous forms, too: the three share one body. */
const ASYNCHRONOUS_EVERY = 5;

/** A number that depends on nothing but the text. FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

function isChosen({ id, form }: Case): boolean {
  if (process.env.FOLIO_DIFFERENTIAL === "all" || form === "sync" || form === "bare") return true;
  // Deliberate differences show in every run, so that each can be told to be needed.
  return hash(id) % ASYNCHRONOUS_EVERY === 0 || DELIBERATE.some(({ cases }) => cases.test(id));
}

function chosen(cases: readonly Case[]): readonly Case[] {
  return unique(cases).filter(isChosen);
}

/** Tables may meet in a case: it runs once. */
const RUN_BEFORE = new Set([...OPTION_CASES, ...DESCRIPTOR_CASES, ...ARGUMENT_CASES].map(({ id }) => id));

export const TABLES: Readonly<Record<string, readonly Case[]>> = {
  "one path": chosen(ONE_PATH_CASES),
  "two paths": chosen(TWO_PATH_CASES),
  options: chosen(OPTION_CASES),
  descriptors: chosen(DESCRIPTOR_CASES),
  arguments: chosen(ARGUMENT_CASES),
  programs: PROGRAM_CASES,
  views: VIEW_CASES,
  classes: CLASS_CASES,
  handles: HANDLE_CASES,
  aborts: ABORT_CASES,
  encodings: ENCODING_CASES,
  "zero length": chosen(ZERO_LENGTH_CASES),
  "removed directory": REMOVED_DIRECTORY_CASES,
  recursion: RECURSION_CASES,
  others: OTHERS_CASES,
  "combined options": chosen(COMBINED_CASES.filter(({ id }) => !RUN_BEFORE.has(id))),
  blobs: BLOB_CASES,
  "lives of handles": HANDLE_LIVES,
  promisified: PROMISIFIED_CASES,
  "web streams": WEB_STREAM_CASES,
  "lives of directories": chosen(DIR_LIVES),
};

export const ALL_CASES: readonly Case[] = Object.values(TABLES).flat();

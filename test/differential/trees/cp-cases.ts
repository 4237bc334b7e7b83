/** Cases of cp by hand: each argument rule, each kind at each end, each option. */
import { combinations } from "../combine.ts";
import type { Entry, Form, TreeCase } from "./scene.ts";

export const TREE: readonly Entry[] = [
  ["d", "a"],
  ["d", "a/b"],
  ["f", "a/b/g", "g", 0o600],
  ["l", "a/dangling", "nothing"],
  ["f", "a/f", "f"],
  ["l", "a/l", "f"],
  ["l", "a/ld", "R/a/b"],
  ["d", "d"],
  ["d", "d/b"],
  ["f", "d/f", "old"],
  ["f", "d/x", "x"],
  ["d", "e"],
  ["f", "file", "file", 0o640],
  ["f", "readonly", "readonly", 0o444],
  ["p", "fifo"],
  ["l", "lf", "file"],
  ["l", "la", "a"],
  ["l", "lb", "a/b"],
  ["d", "s"],
  ["l", "s/l", "../a/f"],
  ["l", "s/l2", "../a/f"],
  ["d", "t"],
  ["l", "t/l", "../file"],
  ["d", "types"],
  ["f", "types/b", "a file here"],
  ["d", "types/f"],
  ["d", "v"],
  ["p", "v/p"],
  ["d", "w", 0o700],
  ["d", "w/i", 0o500],
  ["f", "w/i/z", "z", 0o400],
  ["d", "k"],
  ["l", "k/l", "R/a/b"],
  ["d", "k2"],
  ["l", "k2/l", "R/a"],
  ["d", "k3"],
  ["l", "k3/l", "R/a/b/c"],
];

/** Links by the same name in several directories, and what they lead to. */
const LINKED: readonly Entry[] = [
  ["d", "a"],
  ["d", "a/b"],
  ["d", "a/b/c"],
  ["f", "a/f", "f"],
  ["f", "g", "g"],
  ["p", "fifo"],
  ...[
    ["up", "R/a"],
    ["down", "R/a/b"],
    ["deep", "../a/b/c"],
    ["same", "R/a/b"],
    ["file", "../a/f"],
    ["other", "../g"],
    ["broken", "nowhere"],
    ["pipe", "R/fifo"],
  ].flatMap(([name, target]): Entry[] => [
    ["d", name],
    ["l", `${name}/l`, target],
  ]),
  ["d", "plain"],
  ["f", "plain/l", "no link"],
  ["d", "real"],
  ["d", "real/l"],
];

type Row = readonly [src: unknown, dest: unknown, options?: { readonly [name: string]: unknown }, filter?: string];

const recursive = { recursive: true };
const keep = { recursive: true, force: false };
const exclusive = { recursive: true, force: false, errorOnExist: true };

const ENDS: readonly Row[] = [
  ["a/f", "e/n"],
  ["a/f", "e"],
  ["a/f", "d/x"],
  ["a/f", "new/deep/n"],
  ["a", "new"],
  ["a", "new/deep"],
  ["a", "new", recursive],
  ["a", "R/new/deep", recursive],
  ["R/a", "R/new", recursive],
  ["a", "d", recursive],
  ["a", "file", recursive],
  ["a", "a", recursive],
  ["a", "a/b/c", recursive],
  ["a", "a/new", recursive],
  ["a/f", "a/f"],
  ["a/f", "a/l"],
  ["a/l", "a/f"],
  ["a/l", "e/n"],
  ["la", "new", recursive],
  ["la", "a", recursive],
  ["la", "a/x", recursive],
  ["a", "la", recursive],
  ["s/l", "t/l"],
  ["s", "t", recursive],
  ["a", "t", recursive],
  ["a", "types", recursive],
  ["types", "a", recursive],
  ["v", "new", recursive],
  ["w", "new", recursive],
  ["w", "d", recursive],
  ["k", "k2", recursive],
  ["k2", "k", recursive],
  ["k", "k3", recursive],
  ["k3", "k", recursive],
  ["fifo", "e/n"],
  ["fifo", "file"],
  ["fifo", "d", recursive],
  ["nope", "e/n"],
  ["nope/x", "e/n"],
  ["file/x", "e/n"],
  ["file", "file/x"],
  ["file", "lf"],
  ["lf", "file"],
  ["lf", "lf"],
  ["file", "readonly"],
  ["a/", "new/", recursive],
  ["./a/", "./d/../d/", recursive],
  ["a/b/..", "new", recursive],
  ["", "e/n"],
  ["a", "", recursive],
  ["file", ""],
  ["file", "e/"],
  ["file", "file/"],
  ["file", "e/x/"],
  ["a/ld", "a", recursive],
  ["a", "a/ld/x", recursive],
  ["a/b", "a", recursive],
  ["a/b/g", "a"],
  ["a", "lf", recursive],
  ["a/l", "d"],
  ["a/l", "d/f"],
  ["a/ld", "d/f"],
  ["a/dangling", "e/n"],
  ["a/dangling", "lf"],
  ["s/l", "lf"],
];

const OPTIONS: readonly Row[] = [
  ["a/f", "d/x", { force: false }],
  ["a/f", "d/x", { force: false, errorOnExist: true }],
  ["a/f", "d/x", { errorOnExist: true }],
  ["a", "d", exclusive],
  ["a", "d", keep],
  ["a", "d", { recursive: true, errorOnExist: true }],
  ["s", "t", keep],
  ["s", "t", exclusive],
  ["s", "t", { recursive: true, verbatimSymlinks: true }],
  ["s", "t", { recursive: true, dereference: true }],
  ["a/l", "e/n", { verbatimSymlinks: true }],
  ["a/l", "e/n", { dereference: true }],
  ["a/l", "a/f", { dereference: true }],
  ["a/l", "d/f", { force: false }],
  ["a/dangling", "e/n", { dereference: true }],
  ["la", "new", { recursive: true, dereference: true }],
  ["lb", "new", { recursive: true, dereference: true }],
  ["a", "la", { recursive: true, dereference: true }],
  ["file", "e/n", { preserveTimestamps: true }],
  ["readonly", "e/n", { preserveTimestamps: true }],
  ["a", "new", { recursive: true, preserveTimestamps: true }],
  ["w", "new", { recursive: true, preserveTimestamps: true }],
  ["w", "d", { recursive: true, preserveTimestamps: true }],
  ["file", "d/x", { mode: 1 }],
  ["file", "e/n", { mode: 1 }],
  ["file", "e/n", { mode: 2 }],
];

const FILTERS: readonly Row[] = [
  ["a", "new", recursive, "not b"],
  ["a", "new", recursive, "all"],
  ["a", "new", recursive, "none"],
  ["a", "new/deep", recursive, "none"],
  ["a", "new", recursive, "one for yes"],
  ["a", "new", recursive, "promises not b"],
  ["a", "new", recursive, "throws at b"],
  ["a", "new", recursive, "rejects at b"],
  ["a/b", "new", recursive, "throws at b"],
  ["nope", "new", undefined, "none"],
  ["a", "a", recursive, "none"],
  ["s", "t", { recursive: true, verbatimSymlinks: true }, "all"],
];

const WRONG: readonly Row[] = [
  ["file", "e/n", { mode: 8 }],
  ["file", "e/n", { mode: -1 }],
  ["file", "e/n", { mode: "x" }],
  ["file", "e/n", { mode: 1.5 }],
  ["file", "e/n", { mode: null }],
  ["a", "new", { recursive: true, dereference: true, verbatimSymlinks: true }],
  ["a", "new", { recursive: 1 }],
  ["a", "new", { force: "x" }],
  ["a", "new", { filter: 1 }],
  ["a", "new", { filter: null }],
  ["a", "new", { dereference: 0 }],
  ["a", "new", { errorOnExist: 0 }],
  ["a", "new", { preserveTimestamps: 0 }],
  ["a", "new", { verbatimSymlinks: 0 }],
  ["a", "new", { dereference: 0, recursive: 1, mode: "x", filter: 1 }],
  [1, "new"],
  ["a", 2],
  [1, "new", { recursive: 1 }],
  [null, null],
  ["a\0", "new"],
  ["a", "new\0"],
];

const LINK_OPTIONS: readonly NonNullable<Row[2]>[] = [
  recursive,
  exclusive,
  { recursive: true, verbatimSymlinks: true },
];

const TO_DIRECTORIES = ["up", "down", "deep", "same"];
const ALL_LINKS = [...TO_DIRECTORIES, "file", "other", "broken", "pipe", "plain", "real"];

/** Node copies a directory into itself where links are followed to one below the other. */
function linkOptions(src: string, dest: string): typeof LINK_OPTIONS {
  const isNested = TO_DIRECTORIES.includes(src) && TO_DIRECTORIES.includes(dest);
  return isNested ? LINK_OPTIONS : [...LINK_OPTIONS, keep, { recursive: true, dereference: true }];
}

/** Every link over every other; paths from the root, so that no working directory is asked. */
const LINKS: readonly Row[] = ALL_LINKS.flatMap((src) =>
  ALL_LINKS.filter((dest) => dest !== src).flatMap((dest) =>
    linkOptions(src, dest).map((options): Row => [`R/${src}`, `R/${dest}`, options]),
  ),
);

/** Few, since each takes a process to make. */
const WITH_SOCKETS: readonly Entry[] = [
  ["s", "sock"],
  ["l", "lsock", "sock"],
  ["d", "d"],
  ["f", "d/f", "f"],
  ["s", "d/sock"],
  ["d", "e"],
  ["f", "file", "file"],
];

/** Paths from the root, as those of links. */
const SOCKETS: readonly Row[] = [
  ["R/sock", "R/new"],
  ["R/sock", "R/file"],
  ["R/sock", "R/e", recursive],
  ["R/file", "R/sock"],
  ["R/d", "R/new", recursive],
  ["R/d", "R/new", recursive, "not b"],
  ["R/d", "R/e", keep],
  ["R/lsock", "R/new"],
  ["R/lsock", "R/new", { dereference: true }],
];

const BOTH = [true, false];

/** Any two values of two options meet. */
const COMBINED: readonly Row[] = combinations({
  recursive: BOTH,
  force: BOTH,
  errorOnExist: BOTH,
  preserveTimestamps: BOTH,
  dereference: BOTH,
  verbatimSymlinks: BOTH,
  mode: [0, 1, 2],
}).flatMap((make) =>
  [
    ["a", "d"],
    ["s", "t"],
    ["a/f", "d/x"],
    ["a/l", "d/f"],
    ["la", "new"],
  ].map(([src, dest]): Row => [src, dest, make()]),
);

const FORMS: readonly Form[] = ["sync", "callback", "promise"];

function toCases([src, dest, options, filter]: Row, tree = TREE): TreeCase[] {
  return FORMS.map((form) => ({ tree, call: "cp", form, args: [src, dest], options, filter }));
}

export const LINK_CASES: readonly TreeCase[] = LINKS.flatMap((row) => toCases(row, LINKED));

export const SOCKET_CASES: readonly TreeCase[] = SOCKETS.flatMap((row) => toCases(row, WITH_SOCKETS));

export const CP_CASES: readonly TreeCase[] = [
  ...[...ENDS, ...OPTIONS, ...FILTERS, ...WRONG, ...COMBINED].flatMap((row) => toCases(row)),
  ...LINK_CASES,
  ...SOCKET_CASES,
  ...FORMS.flatMap((form) =>
    [5, "x", null, [], true].map(
      (options): TreeCase => ({ tree: TREE, call: "cp", form, args: ["a", "new", options] }),
    ),
  ),
];

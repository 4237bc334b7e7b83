/** rename, link, copyFile and symlink: every pair of paths that differ in kind. */
import { constants } from "node:fs";
import { pathToFileURL } from "node:url";
import { type Case, inForms, PATH_FORMS } from "../case.ts";
import { NAME_255, RAW_NAME } from "../tree.ts";
import { PAIR_NAMES, PATHS, shorten } from "./paths.ts";

const { COPYFILE_EXCL, COPYFILE_FICLONE, COPYFILE_FICLONE_FORCE } = constants;

function pairs(fn: string, what = "", rest: readonly unknown[] = []): Case[] {
  return PAIR_NAMES.flatMap((from) =>
    PAIR_NAMES.flatMap((to) =>
      inForms(PATH_FORMS, fn, `${what}${shorten(from)} -> ${shorten(to)}`, {
        args: ({ path }) => [path(from), path(to), ...rest],
      }),
    ),
  );
}

/** copyFile opens both ends, so it would wait on a fifo. */
function copyPairs(what: string, rest: readonly unknown[]): Case[] {
  return pairs("copyFile", what, rest).filter(({ id }) => !id.includes("fifo"));
}

const TARGETS = [
  "file",
  "missing/deep",
  "",
  " ",
  "a\\b",
  "/",
  "x".repeat(4095),
  "x".repeat(4096),
  NAME_255,
  "ü",
  "a\0b",
];

function symlinks(): Case[] {
  const atPaths = PATHS.filter(({ isOutside }) => !isOutside).flatMap((path) =>
    inForms(PATH_FORMS, "symlink", `to somewhere at ${path.id}`, {
      args: (context) => ["some/where", path.make(context)],
    }),
  );
  const toTargets = TARGETS.flatMap((target) =>
    inForms(PATH_FORMS, "symlink", `to '${shorten(target).replace("\0", "NUL")}'`, {
      args: ({ path }) => [target, path("new")],
    }),
  );
  const typed = ["file", "dir", "junction", null, undefined].flatMap((type) =>
    inForms(PATH_FORMS, "symlink", `of type ${type}`, { args: ({ path }) => ["dir", path("new"), type] }),
  );
  return [...atPaths, ...toTargets, ...typed];
}

/** The second path in every type that a path may have. */
function typedDestinations(fn: string): Case[] {
  const makers: Record<string, (path: (name: string) => string) => unknown> = {
    Buffer: (path) => Buffer.from(path("new")),
    URL: (path) => pathToFileURL(path("new")),
    "raw bytes": (path) => Buffer.concat([Buffer.from(path("")), RAW_NAME, Buffer.from([0x80])]),
    "empty string": () => "",
    "NUL string": (path) => path("a\0b"),
    relative: () => "new",
  };
  return Object.entries(makers).flatMap(([what, make]) => [
    ...inForms(PATH_FORMS, fn, `file -> ${what}`, { args: ({ path }) => [path("file"), make(path)] }),
    ...inForms(PATH_FORMS, fn, `${what} -> other`, { args: ({ path }) => [make(path), path("other")] }),
  ]);
}

export const TWO_PATH_CASES: readonly Case[] = [
  ...pairs("rename"),
  ...pairs("link"),
  ...copyPairs("", []),
  ...copyPairs("EXCL ", [COPYFILE_EXCL]),
  ...inForms(PATH_FORMS, "copyFile", "FICLONE", { args: ({ path }) => [path("big"), path("new"), COPYFILE_FICLONE] }),
  ...inForms(PATH_FORMS, "copyFile", "FICLONE_FORCE", {
    args: ({ path }) => [path("big"), path("new"), COPYFILE_FICLONE_FORCE],
  }),
  ...inForms(PATH_FORMS, "copyFile", "FICLONE_FORCE over a file", {
    args: ({ path }) => [path("big"), path("file"), COPYFILE_FICLONE_FORCE],
  }),
  ...inForms(PATH_FORMS, "copyFile", "EXCL|FICLONE", {
    args: ({ path }) => [path("big"), path("file"), COPYFILE_EXCL | COPYFILE_FICLONE],
  }),
  ...symlinks(),
  ...["rename", "link", "copyFile"].flatMap(typedDestinations),
];

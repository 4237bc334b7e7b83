/** What another user may copy, and which paths he may resolve: the order of the checks in libuv and in the C library. */
import { constants } from "node:fs";
import type { Case, Context } from "../case.ts";
import { outcome, program, settled, USER } from "./steps.ts";

const { COPYFILE_EXCL, COPYFILE_FICLONE, COPYFILE_FICLONE_FORCE } = constants;
const COPY_MODES = [0, COPYFILE_EXCL, COPYFILE_FICLONE, COPYFILE_FICLONE_FORCE, COPYFILE_EXCL | COPYFILE_FICLONE_FORCE];
const COPIED = [
  "theirs",
  "secret",
  "readonly",
  "dir",
  "sticky/theirs",
  "mine",
  "suid",
  "dangling",
  "new",
  "dir/new",
  "sticky/new",
];

function buildOwned({ fs, path }: Context): void {
  fs.chmodSync(path(""), 0o777);
  fs.mkdirSync(path("dir"));
  fs.mkdirSync(path("sticky"));
  fs.chmodSync(path("sticky"), 0o1777);
  const files = { theirs: 0o666, secret: 0o600, readonly: 0o444, "sticky/theirs": 0o666, mine: 0o644, suid: 0o4755 };
  for (const [name, mode] of Object.entries(files)) {
    fs.writeFileSync(path(name), name);
    fs.chmodSync(path(name), mode);
  }
  fs.chownSync(path("mine"), USER.uid, USER.gid);
  fs.symlinkSync("sticky/new", path("dangling"));
}

function copyCases(): Case[] {
  return COPIED.flatMap((from) =>
    COPIED.flatMap((to) =>
      COPY_MODES.flatMap((mode) =>
        Object.entries({ user: USER, root: { uid: 0, gid: 0 } }).map(([who, credentials]) =>
          program(`copyFile ${mode} of ${from} to ${to} as ${who}`, buildOwned, (_fs, { path, subject }) =>
            subject.asWhile(credentials, (face) => outcome(() => face.copyFileSync(path(from), path(to), mode))),
          ),
        ),
      ),
    ),
  );
}

const RESOLVED = [
  ...["c", "c/", "c/.", "c/..", "c/./", "c/../c", "c//..//c", "c/./../f", "c/x", "c/x/..", "c/missing", "c/missing/.."],
  ...[
    "l",
    "l/..",
    "to-c",
    "to-c/",
    "to-c/..",
    "to-f",
    "to-f/",
    "c/f",
    "c/f/..",
    "f",
    "f/",
    "f/.",
    "f/..",
    "f/./x",
    "f/x",
  ],
  ...[
    "missing",
    "missing/",
    "missing/..",
    "loop",
    "loop/..",
    "k",
    "k/..",
    "k/m",
    "k/m/..",
    "k/../k/m",
    ".",
    "..",
    "",
    "dotted",
  ],
];

function buildResolved({ fs, path }: Context): void {
  fs.mkdirSync(path("c/x/y"), { recursive: true });
  fs.mkdirSync(path("k/m"), { recursive: true });
  fs.writeFileSync(path("c/f"), "");
  fs.writeFileSync(path("f"), "");
  const links = { l: "c/x", "to-c": "c/", "to-f": "f/", loop: "loop", dotted: "c/../k/./m/.." };
  for (const [name, target] of Object.entries(links)) fs.symlinkSync(target, path(name));
  fs.chmodSync(path("c"), 0o700);
  fs.chmodSync(path("k"), 0o711);
}

function resolvedCases(): Case[] {
  return RESOLVED.flatMap((name) =>
    Object.entries({ "": name, "k/m": `../../${name}` }).map(([cwd, given]) =>
      program(`realpath.native of '${given}' in '${cwd}' as another`, buildResolved, (_fs, { path, subject }) =>
        subject.asWhile(USER, (face) => settled(face, "realpath.native", [given]), path(cwd)),
      ),
    ),
  );
}

export const OTHERS_CASES: readonly Case[] = [...copyCases(), ...resolvedCases()];

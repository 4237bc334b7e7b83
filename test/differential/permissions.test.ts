/**
 * The permission matrix, on foliofs (another face for each caller) and on node:fs over a Linux tmpfs (other effective
 * ids for the time of a call). Needs root. access(2) asks for the real ids, so its oracle is a child process.
 *
 * FOLIO_SELF=1 compares node:fs with itself instead.
 */
import { constants } from "node:fs";
import { afterAll, assert, beforeAll, describe, it } from "vitest";
import type { AccessRequest, Subject } from "../helpers/subject.ts";
import { createFoliofsSubject, loadFoliofs } from "../helpers/subject-foliofs.ts";
import { createNodeFsSubject } from "../helpers/subject-node-fs.ts";
import { CALLERS, makeDirectory, makeFile, type PermissionCase } from "./permissions/case.ts";
import { byOperation, PermissionPair } from "./permissions/compare.ts";
import { HARDLINK_CASES, hasProtectedHardlinks } from "./permissions/hardlinks.ts";
import { MODE_BIT_CASES } from "./permissions/mode-bits.ts";
import { SPECIAL_BIT_CASES } from "./permissions/special-bits.ts";
import { STICKY_OPEN_CASES } from "./permissions/sticky-opens.ts";

let oracle: Subject;
let subject: Subject;
let pair: PermissionPair;

beforeAll(async () => {
  oracle = createNodeFsSubject();
  subject = process.env.FOLIO_SELF ? createNodeFsSubject() : createFoliofsSubject(await loadFoliofs(), oracle.root);
  pair = new PermissionPair(oracle, subject);
});

afterAll(() => {
  oracle?.dispose();
  subject?.dispose();
});

const compareAll = (cases: readonly PermissionCase[]): void => pair.compareAll(cases);

describe("mode bits", () => {
  it.each([...byOperation(MODE_BIT_CASES)])("%s", (_, cases) => compareAll(cases));
});

describe("sticky, set-id, ownership and umask", () => {
  it.each([...byOperation(SPECIAL_BIT_CASES)])("%s", (_, cases) => compareAll(cases));
});

describe("opening what is there in a sticky directory", () => {
  it.each([...byOperation(STICKY_OPEN_CASES)])("%s", (_, cases) => compareAll(cases));
});

describe("hard links to files of others", () => {
  // A kernel without the restriction is no oracle for it: there this test fails and says so.
  it("needs a host that protects hard links", () => assert(hasProtectedHardlinks()));
  it.each([...byOperation(HARDLINK_CASES)])("%s", (_, cases) => compareAll(cases));

  it("needs every deliberate difference that is listed", () => {
    assert.deepEqual(process.env.FOLIO_SELF ? [] : pair.unused, []);
  });
});

const { F_OK, R_OK, W_OK, X_OK } = constants;

/** A file and a directory of every mode from 0 to 7 in each class, and what is asked of each. */
function accessRequests({ fs, root }: Subject): AccessRequest[] {
  const requests: AccessRequest[] = [];
  makeDirectory(fs, `${root}/access`, { mode: 0o755 });
  const bits = [0, 1, 2, 3, 4, 5, 6, 7];
  for (const mode of new Set([...bits, ...bits.map((bit) => bit << 3), ...bits.map((bit) => bit << 6)])) {
    makeFile(fs, `${root}/access/f${mode}`, { mode });
    makeDirectory(fs, `${root}/access/d${mode}`, { mode: 0o777 });
    makeFile(fs, `${root}/access/d${mode}/f`, { mode: 0o777 });
    fs.chmodSync(`${root}/access/d${mode}`, mode);
    for (const name of [`f${mode}`, `d${mode}`, `d${mode}/f`, `d${mode}/missing`]) {
      for (const asked of [F_OK, R_OK, W_OK, X_OK, R_OK | W_OK, R_OK | X_OK, 7]) {
        requests.push({ path: `${root}/access/${name}`, mode: asked });
      }
    }
  }
  return requests;
}

describe("access", () => {
  it("answers for the caller's class, and root may not execute what nobody may", () => {
    const requests = accessRequests(oracle);
    const own = accessRequests(subject);
    for (const [name, caller] of Object.entries(CALLERS)) {
      const show = (answers: string[]): string[] =>
        answers.map((answer, i) => `${requests[i].path.slice(oracle.root.length)} ${requests[i].mode} ${answer}`);
      assert.deepEqual(show(subject.accessAs(caller, own)), show(oracle.accessAs(caller, requests)), name);
    }
  });
});

/** A file of each of these modes, by its path. */
function touchedFiles({ fs, root }: Subject): string[] {
  makeDirectory(fs, `${root}/touch`);
  return [0o000, 0o200, 0o400, 0o020, 0o040, 0o002, 0o004, 0o600, 0o060, 0o006, 0o777].map((mode) => {
    const path = `${root}/touch/${mode.toString(8)}`;
    makeFile(fs, path, { mode });
    return path;
  });
}

describe("utimes to the time of day", () => {
  it("takes ownership or write permission, where a given time takes ownership", () => {
    const theirs = touchedFiles(oracle);
    const ours = touchedFiles(subject);
    for (const [name, caller] of Object.entries(CALLERS)) {
      const show = (answers: string[]): string[] =>
        answers.map((answer, i) => `${theirs[i].split("/").at(-1)} ${answer}`);
      assert.deepEqual(show(subject.touchAs(caller, ours)), show(oracle.touchAs(caller, theirs)), name);
    }
  });
});

/**
 * The oracle: node:fs itself, on a fresh directory of the host's tmpfs.
 *
 * Other credentials are taken on for the time of a synchronous call by seteuid and its kin, so this needs root.
 */
import { spawnSync } from "node:child_process";
import nodeFs from "node:fs";
import { dirname } from "node:path";
import {
  type AccessRequest,
  type Credentials,
  emptyDirectory,
  type NodeFs,
  type Subject,
  type SubjectFs,
} from "./subject.ts";
import { hostCalls, touchAs } from "./subject-host-calls.ts";

export const TMPFS = "/dev/shm";
const DEFAULT_UMASK = 0o022;

/** What the oracle needs of the host; a sentence when it is missing, else undefined. */
export function missingForOracle(): string | undefined {
  if (process.platform !== "linux") return "the oracle is Linux's tmpfs, and this is no Linux";
  if (process.getuid?.() !== 0) return "the oracle takes on other users' credentials, so the tests must run as root";
  if (process.seteuid === undefined) return "credentials belong to the main thread: run vitest with pool 'forks'";
  return undefined;
}

/** Takes on other credentials. @returns what takes root's on again */
function become(credentials: Credentials): () => void {
  const groups = process.getgroups!();
  const umask = process.umask(credentials.umask ?? DEFAULT_UMASK);
  process.setgroups!([...(credentials.groups ?? [])]);
  process.setegid!(credentials.gid);
  process.seteuid!(credentials.uid);
  return () => {
    process.seteuid!(0);
    process.setegid!(0);
    process.setgroups!(groups);
    process.umask(umask);
  };
}

/** Runs `call` as somebody else, and comes back as root whatever happens. */
function runAs<T>(credentials: Credentials, call: () => T): T {
  const comeBack = become(credentials);
  try {
    return call();
  } finally {
    comeBack();
  }
}

async function runAsWhile<T>(credentials: Credentials, call: () => Promise<T>): Promise<T> {
  const comeBack = become(credentials);
  try {
    return await call();
  } finally {
    comeBack();
  }
}

async function runWithin<T>(directory: string, home: string, call: () => Promise<T>): Promise<T> {
  process.chdir(directory);
  try {
    return await call();
  } finally {
    process.chdir(home);
  }
}

/** A child of its own becomes the user for good, real user id included: access(2) asks for that one. */
const ACCESS_SCRIPT = `
  const { accessSync } = require("node:fs");
  const { credentials, requests } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
  process.setgroups(credentials.groups ?? []);
  process.setgid(credentials.gid);
  process.setuid(credentials.uid);
  console.log(JSON.stringify(requests.map(({ path, mode }) => {
    try { accessSync(path, mode); return "ok"; } catch (error) { return error.code; }
  })));
`;

function accessAs(credentials: Credentials, requests: readonly AccessRequest[]): string[] {
  const input = JSON.stringify({ credentials, requests });
  const child = spawnSync(process.execPath, ["-e", ACCESS_SCRIPT], { input });
  if (child.status !== 0) throw new Error(`access as ${credentials.uid} failed: ${child.stderr}`);
  return JSON.parse(child.stdout.toString());
}

/** Names a directory for a subject that nobody else has. */
export function freshRoot(): string {
  const base = nodeFs.mkdtempSync(`${TMPFS}/foliofs-`);
  nodeFs.rmdirSync(base);
  return `${base}/root`;
}

/**
 * @param root the directory to make and to work in; its parent is made, too, so that `..` is nobody else's
 * @throws when the host cannot serve as the oracle
 */
export function createNodeFsSubject(root = freshRoot()): Subject {
  const missing = missingForOracle();
  if (missing) throw new Error(missing);

  process.umask(DEFAULT_UMASK);
  nodeFs.mkdirSync(root, { recursive: true, mode: 0o755 });
  const workingDirectory = process.cwd();
  const fs: SubjectFs = Object.assign(Object.create(nodeFs) as NodeFs, hostCalls);

  return {
    name: "node:fs",
    fs,
    root,
    maxFileBytes: 2n ** 63n - 1n,
    enter: () => process.chdir(root),
    as: (credentials, call) => runAs(credentials, () => call(nodeFs)),
    asWhile: (credentials, call, cwd = root) => runWithin(cwd, root, () => runAsWhile(credentials, () => call(nodeFs))),
    within: (directory, call) => runWithin(directory, root, () => call(nodeFs)),
    accessAs,
    touchAs,
    dispose: () => {
      process.chdir(workingDirectory);
      emptyDirectory(nodeFs, Buffer.from(dirname(root)));
      nodeFs.rmdirSync(dirname(root));
    },
  };
}

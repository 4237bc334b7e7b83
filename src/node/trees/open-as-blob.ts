/**
 * openAsBlob: a Blob with what a file holds now.
 *
 * The data is copied, so that the Blob is one for whatever takes Blobs, as Response and URL.createObjectURL do; it stays as
 * it was when the file changes, where Node's can no longer be read then.
 * @see Node 26 documentation, fs.openAsBlob()
 */
import { S_IFDIR, S_IFMT } from "../../base/stat-flags.ts";
import { type Path, STAT_MODE, type Syscalls } from "../../vfs/syscalls.ts";
import { argTypeError } from "../errors.ts";
import type { Operations } from "../operations/index.ts";
import { toPath } from "../paths.ts";
import { captureStack, type Origin, withinForm } from "../stacks.ts";
import { Failure, failed, SpecialFailure } from "../uv-errors.ts";
import { checkObject, NO_CALLBACK } from "../validators.ts";
import { must, runNow, runWaiting, type Steps, type Waiting } from "./steps.ts";

/** As the platform had it when this module was loaded. */
const PlatformBlob = globalThis.Blob;

interface BlobRequest {
  path: Path;
  type: string;
}

function toRequest(path: unknown, options: unknown): BlobRequest {
  const given = options === undefined ? {} : options;
  checkObject(given, "options");
  const { type = "" } = given as { type?: unknown };
  if (typeof type !== "string") throw argTypeError("options.type", "string", type);
  return { path: toPath(path), type };
}

/** What Node shows for a Blob that cannot be read, as that of a directory. */
function notReadable(): Failure {
  const build = (origin: Origin): Error =>
    captureStack(new DOMException("The blob could not be read", "NotReadableError"), origin);
  return new SpecialFailure(0, "read", build);
}

/** openAsBlob and its synchronous form on the system calls of a task. */
export function blobForms(sys: Syscalls, ops: Operations, waiting: Waiting) {
  function stat(path: Path): number | Failure {
    const rc = sys.stat(path, 0);
    return rc < 0 ? failed(sys, rc, "stat", path) : sys.statValues[STAT_MODE];
  }

  function* open({ path, type }: BlobRequest): Steps<Blob> {
    const mode = yield* must(() => stat(path));
    if ((mode & S_IFMT) === S_IFDIR) throw notReadable();
    const request = ops.readFile.prepare(NO_CALLBACK, path);
    const data = yield* must(() => ops.readFile.commit(request));
    return new PlatformBlob([data as BlobPart], { type });
  }

  function openAsBlobSync(path: unknown, options: unknown = undefined): Blob {
    const request = withinForm(openAsBlobSync, () => toRequest(path, options));
    return runNow(open(request), openAsBlobSync);
  }

  /** What is wrong with the path is thrown at once, as in Node, unless a store has to be asked. */
  function openAsBlob(path: unknown, options: unknown = undefined): Promise<Blob> {
    const request = withinForm(openAsBlob, () => toRequest(path, options));
    const found = stat(request.path);
    if (found instanceof Failure && found.token === undefined) throw found.toError(openAsBlob);
    return runWaiting(open(request), openAsBlob, waiting);
  }

  return { openAsBlob, openAsBlobSync };
}

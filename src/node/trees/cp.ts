/**
 * cp in its three forms.
 *
 * Does not own: how a tree is copied (cp-walk.ts), how the forms wait (steps.ts).
 * @see Node 26 documentation, fs.cp(), fs.cpSync(), fsPromises.cp()
 */
import type { Path, Syscalls } from "../../vfs/syscalls.ts";
import { argTypeError, returnValueError } from "../errors.ts";
import type { Operations } from "../operations/index.ts";
import { toPath } from "../paths.ts";
import { soon1 } from "../settle.ts";
import { withinForm } from "../stacks.ts";
import { type Callback, checkCallback } from "../validators.ts";
import { type CpOptions, toCpOptions } from "./cp-options.ts";
import { TreeCopy } from "./cp-walk.ts";
import { toRawPath } from "./raw-path.ts";
import { runNow, runWaiting, type Waiting } from "./steps.ts";

interface CpRequest {
  src: Path;
  dest: Path;
  options: CpOptions;
}

function toRequest(src: unknown, dest: unknown, given: unknown): CpRequest {
  const options = toCpOptions(given);
  return { options, src: toPath(src, "src"), dest: toPath(dest, "dest") };
}

/** The promise form computes with paths as text. @throws ERR_INVALID_ARG_TYPE in Node's words */
function asText(path: Path): string {
  if (typeof path !== "string") throw argTypeError("paths[0]", "string", path);
  return path;
}

/** The synchronous form takes bytes, too, which Node up to 24 refuses in most cases. */
function asRaw(path: Path): Path {
  return typeof path === "string" ? path : toRawPath(path);
}

/** A filter that says at once what it has to say. @throws ERR_INVALID_RETURN_VALUE for one that answers a promise */
function atOnce({ filter }: CpOptions): CpOptions["filter"] {
  if (filter === undefined) return undefined;
  return (src, dest) => {
    const answer = filter(src, dest);
    if (answer instanceof Promise) throw returnValueError("boolean", "filter", answer);
    return answer;
  };
}

/** cp, cpSync and promises.cp on the system calls of a task. */
export function cpForms(sys: Syscalls, ops: Operations, waiting: Waiting) {
  function cpSync(source: unknown, destination: unknown, given?: unknown): void {
    const { src, dest, options } = withinForm(cpSync, () => toRequest(source, destination, given));
    const copy = new TreeCopy(sys, ops, { ...options, filter: atOnce(options) });
    runNow(copy.copyAtOnce(asRaw(src), asRaw(dest)), cpSync);
  }

  async function start({ src, dest, options }: CpRequest, form: (...args: never[]) => unknown): Promise<void> {
    const [from, to] = withinForm(form, () => [asText(src), asText(dest)]);
    return runWaiting(new TreeCopy(sys, ops, options).copy(from, to), form, waiting);
  }

  function cp(source: unknown, destination: unknown, given: unknown, callback: unknown): void {
    const request = withinForm(cp, () => {
      const done = typeof given === "function" ? given : callback;
      checkCallback(done);
      return { ...toRequest(source, destination, typeof given === "function" ? undefined : given), done };
    });
    const { done } = request as { done: Callback };
    start(request, cp).then(
      () => soon1(done as never, null),
      (error) => soon1(done as never, error),
    );
  }

  async function promisesCp(source: unknown, destination: unknown, given?: unknown): Promise<void> {
    const request = withinForm(promisesCp, () => toRequest(source, destination, given));
    return start(request, promisesCp);
  }

  return { cp, cpSync, promisesCp };
}

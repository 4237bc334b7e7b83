/**
 * `fs.promises`: the derived promise forms, and those that take FileHandles, iterables or make handles.
 *
 * @see Node 26 lib/internal/fs/promises.js
 */

import { removeLater } from "./callback-forms.ts";
import { constants } from "./constants.ts";
import type { dirOperations } from "./dir.ts";
import { methodNotImplementedError } from "./errors.ts";
import {
  type FileHandle,
  handleOpener,
  isFileHandle,
  readClosedFile,
  readFileOf,
  writeClosedFile,
  writeFileOf,
} from "./file-handle.ts";
import { isIterableData, isWrittenInSteps, writeInSteps } from "./iterable-data.ts";
import { orRefusing } from "./not-implemented.ts";
import { resolveFrom } from "./operations/absolute-path.ts";
import type { Operations } from "./operations/index.ts";
import { toAppendFileOptions, toBytes, toWriteFileOptions } from "./operations/write-file.ts";
import { ASYNC_DISPOSE } from "./platform.ts";
import { rejectSoon, resolveSoon } from "./settle.ts";
import { fromCaller, withinForm } from "./stacks.ts";
import { derivePromise, type Operation, startPromise } from "./surfaces.ts";
import { Failure } from "./uv-errors.ts";
import { type CommonOptions, NO_CALLBACK } from "./validators.ts";

type Form = (a?: unknown, b?: unknown, c?: unknown) => Promise<unknown>;

function isClosed(handle: FileHandle): boolean {
  return handle.fd < 0;
}

/** What is thrown rejects; no promise stands between the call's own and the caller. */
function settled(form: Form, call: () => Promise<unknown>): Promise<unknown> {
  try {
    return call();
  } catch (error) {
    return rejectSoon(fromCaller(error, form));
  }
}

function wholeFileForms(ops: Operations) {
  const writeByPath = startPromise(ops.writeFile);
  const readByPath = startPromise(ops.readFile);

  function write(form: Form, file: unknown, data: unknown, options: unknown): Promise<unknown> {
    if (isFileHandle(file)) return (isClosed(file) ? writeClosedFile : writeFileOf)(file, data, options, form);
    if (isIterableData(data)) return writeInSteps(ops, file, data, toWriteFileOptions(options), form);
    if ((options as CommonOptions | null | undefined)?.signal === undefined)
      return writeByPath(form, file, data, options);
    const given = toWriteFileOptions(options);
    const bytes = toBytes(data, given.encoding, false);
    return isWrittenInSteps(bytes, given)
      ? writeInSteps(ops, file, bytes, given, form)
      : writeByPath(form, file, bytes, given);
  }

  const writeFile: Form = (file, data, options) => settled(writeFile, () => write(writeFile, file, data, options));
  const appendFile: Form = (file, data, options) =>
    settled(appendFile, () => write(appendFile, file, data, toAppendFileOptions(options, false)));
  const readFile: Form = (file, options) =>
    settled(readFile, () => {
      if (!isFileHandle(file)) return readByPath(readFile, file, options);
      return isClosed(file) ? readClosedFile(options) : readFileOf(file, options, readFile);
    });

  return { writeFile, appendFile, readFile };
}

function directoryForms(ops: Operations, dirs: ReturnType<typeof dirOperations>) {
  type Mkdtemp = Parameters<typeof ops.mkdtemp.commit>[0];
  const mkdtempDisposable: Operation<{ request: Mkdtemp; cwd: string }, object> = {
    prepare(callback, prefix, options) {
      const request = ops.mkdtemp.prepare(callback, prefix, options);
      return { request, cwd: ops.workingDirectory() };
    },
    commit({ request, cwd }) {
      const path = ops.mkdtemp.commit(request);
      if (path instanceof Failure) return path;
      const full = resolveFrom(cwd, path);
      const remove = async (): Promise<void> => ops.rimraf(full, { maxRetries: 0, retryDelay: 0 }, remove);
      return Object.assign(Object.create(null), { path, remove, [ASYNC_DISPOSE]: remove });
    },
  };

  const rm: Form = async (path, options) => {
    const request = withinForm(rm, () => ops.rm.prepare(NO_CALLBACK, path, options));
    await removeLater(ops, request, rm);
    return resolveSoon(undefined);
  };

  return {
    rm,
    mkdtemp: derivePromise(ops.mkdtemp, 2),
    mkdtempDisposable: derivePromise(mkdtempDisposable, 2),
    opendir: derivePromise(dirs.opendir, 3),
  };
}

/** In Node's order. @param brought what an entry has brought */
export function createPromises(ops: Operations, dirs: ReturnType<typeof dirOperations>, brought?: object) {
  const { rm, mkdtemp, mkdtempDisposable, opendir } = directoryForms(ops, dirs);
  const later = orRefusing(brought, "fs.promises.");
  const { writeFile, appendFile, readFile } = wholeFileForms(ops);
  const openHandle = handleOpener(ops);
  const open: Form = (path, flags, mode) => settled(open, () => openHandle(open, path, flags, mode));
  // Linux has no way to change the mode of a link.
  const lchmod: Form = async (_path, _mode) => {
    throw fromCaller(methodNotImplementedError("lchmod()"), lchmod);
  };
  return {
    access: derivePromise(ops.access, "1?"),
    copyFile: derivePromise(ops.copyFile, 3),
    open,
    opendir,
    rename: derivePromise(ops.rename, 2),
    truncate: derivePromise(ops.truncate, "1?"),
    rm,
    rmdir: derivePromise(ops.rmdir, 2),
    mkdir: derivePromise(ops.mkdir, 2),
    readdir: derivePromise(ops.readdir, 2),
    readlink: derivePromise(ops.readlink, 2),
    symlink: derivePromise(ops.symlink, 3),
    lstat: derivePromise(ops.lstat, "1?"),
    stat: derivePromise(ops.stat, "1?"),
    statfs: derivePromise(ops.statfs, "1?"),
    link: derivePromise(ops.link, 2),
    unlink: derivePromise(ops.unlink, 1),
    chmod: derivePromise(ops.chmod, 2),
    lchmod,
    lchown: derivePromise(ops.lchown, 3),
    chown: derivePromise(ops.chown, 3),
    utimes: derivePromise(ops.utimes, 3),
    lutimes: derivePromise(ops.lutimes, 3),
    realpath: derivePromise(ops.realpathNative, 2),
    mkdtemp,
    mkdtempDisposable,
    writeFile,
    appendFile,
    readFile,
    constants,
    cp: later.cp,
    glob: later.glob,
    watch: later.watch,
  };
}

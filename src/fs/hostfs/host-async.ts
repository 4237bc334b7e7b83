/**
 * The asynchronous half of the store, as far as it has been built: data by promises, which leaves the event loop free. The
 * descriptor is kept while the host works, so that making room does not close it.
 *
 * Does not own: names and attributes (host-store.ts has them, synchronously), which views are read into.
 */
import nodeFs from "node:fs";
import { hostErrno } from "./host-errno.ts";
import { fdKey, type HostNode } from "./host-root.ts";
import type { HostStore } from "./host-store.ts";

type Callback = (error: NodeJS.ErrnoException | null, result?: number) => void;

/** Lends `call` a descriptor of a file until it calls back. @returns what it came to, or a negated errno */
function withFile(
  store: HostStore,
  node: HostNode,
  writable: boolean,
  call: (fd: number, callback: Callback) => void,
): Promise<number> {
  return new Promise((resolve) => {
    const refused = store.withFile(node, writable, (fd) => {
      const key = store.fds.find(fdKey(node, true)) === fd ? fdKey(node, true) : fdKey(node);
      store.fds.keep(key);
      call(fd, (error, result = 0) => {
        store.fds.letGo(key);
        resolve(error ? hostErrno(error) : result);
      });
      return 0;
    });
    if (refused < 0) resolve(refused);
  });
}

/** As HostStore.preadv(). The views are the host's until the promise has come. */
export function preadv(store: HostStore, node: HostNode, views: readonly Uint8Array[], position: number) {
  return withFile(store, node, false, (fd, done) => nodeFs.readv(fd, views, position, done));
}

/** As HostStore.pwritev(); views as for preadv(). */
export function pwritev(store: HostStore, node: HostNode, views: readonly Uint8Array[], position: number) {
  return withFile(store, node, true, (fd, done) => nodeFs.writev(fd, views, position, done));
}

/** As HostStore.fsync(), of files. */
export function fsync(store: HostStore, node: HostNode, dataOnly: boolean): Promise<number> {
  return withFile(store, node, false, (fd, done) => (dataOnly ? nodeFs.fdatasync : nodeFs.fsync)(fd, done));
}

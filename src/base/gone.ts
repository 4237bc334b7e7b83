/**
 * What stands in the place of an object that is gone: any use of it throws ERR_INVALID_STATE.
 *
 * @param what as in "this kernel is closed"
 */
export function goneObject<T extends object>(what: string): T {
  return new Proxy({} as T, {
    get() {
      throw Object.assign(new Error(`foliofs: this ${what}`), { code: "ERR_INVALID_STATE" });
    },
  });
}

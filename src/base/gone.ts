/** What stands in the place of an object that is gone: any use of it throws. @param what as in "this kernel is closed" */
export function goneObject<T extends object>(what: string): T {
  return new Proxy({} as T, {
    get() {
      throw new Error(`foliofs: this ${what}`);
    },
  });
}

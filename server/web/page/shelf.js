/** A value kept over reloads, where the browser lets us. */

const device = () => localStorage;
const tab = () => sessionStorage;

/**
 * In this tab only, or on this device.
 *
 * Browsers may forbid storage, or have no room: then nothing is kept, and the page remembers for as long as it lasts.
 */
export class Shelf {
  #key;

  /** @param {string} key */
  constructor(key) {
    this.#key = key;
  }

  get isOnDevice() {
    return this.#read(device) !== null;
  }

  /** @returns {any} null when nothing is kept */
  read() {
    return this.#read(device) ?? this.#read(tab);
  }

  /** @param {object | null} value null: nothing @param {boolean} isForDevice */
  write(value, isForDevice) {
    this.#write(device, isForDevice ? value : null);
    this.#write(tab, isForDevice ? null : value);
  }

  /** @param {() => Storage} area */
  #read(area) {
    try {
      return JSON.parse(area().getItem(this.#key) ?? "null");
    } catch {
      return null;
    }
  }

  /** @param {() => Storage} area @param {object | null} value */
  #write(area, value) {
    try {
      if (value === null) area().removeItem(this.#key);
      else area().setItem(this.#key, JSON.stringify(value));
    } catch {
      return;
    }
  }
}

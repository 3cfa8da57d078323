/** A player's picture, or initials on a gradient. */

import { el } from "./dom.js";

/** @typedef {{userId: string, username: string, displayName: string, avatarUrl: string | null}} Profile */

/** What a player is called. @param {{username: string, displayName: string}} profile */
export function nameOf({ displayName, username }) {
  return displayName || username;
}

/** @param {Profile} profile */
export function avatar(profile) {
  const face = el("span", { class: "avatar", "aria-hidden": "true" }, initialsOf(nameOf(profile)));
  face.style.setProperty("--hue", String(hueOf(profile.userId)));
  if (profile.avatarUrl?.startsWith("https://")) face.append(image(profile.avatarUrl));
  return face;
}

/** @param {string} url */
function image(url) {
  const img = el("img", { src: url, alt: "", loading: "lazy", decoding: "async", referrerpolicy: "no-referrer" });
  img.addEventListener("error", () => img.remove(), { once: true });
  return img;
}

/** @param {string} name */
export function initialsOf(name) {
  const words = name.split(/[\s._-]+/).filter((word) => word !== "");
  const ends = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return ends.map((word) => [...word][0].toUpperCase()).join("") || "?";
}

/** The same hue for the same player everywhere (FNV-1a). @param {string} userId */
export function hueOf(userId) {
  let hash = 0x811c9dc5;
  for (let index = 0; index < userId.length; index += 1) {
    hash = Math.imul(hash ^ userId.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % 360;
}

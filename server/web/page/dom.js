/** Builds elements. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element with attributes and children; null children are left out.
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes] false, null: not set
 * @param {...(Node | string | null)} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  return grown(document.createElement(tag), attributes, children);
}

/** @type {(tag: string, attributes?: Record<string, any>, ...children: any[]) => SVGElement} */
export function svg(tag, attributes = {}, ...children) {
  return grown(document.createElementNS(SVG, tag), attributes, children);
}

/** A picture from the page's sprite, silent to screen readers. @param {string} id @param {string} className */
export function picture(id, className) {
  const viewBox = document.getElementById(id)?.getAttribute("viewBox") ?? "0 0 100 100";
  return svg("svg", { class: className, viewBox, "aria-hidden": "true" }, svg("use", { href: `#${id}` }));
}

/** Words only for those who listen. @param {string} words */
export function spoken(words) {
  return el("span", { class: "spoken" }, words);
}

/**
 * @template {Element} E
 * @param {E} element
 * @param {Record<string, any>} attributes
 * @param {readonly (Node | string | null)[]} children
 * @returns {E}
 */
function grown(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Text that is already safe to stand in HTML or SVG. */
export class Markup {
  constructor(readonly text: string) {}
  toString(): string {
    return this.text
  }
}

/** What a template may interpolate: everything but {@link Markup} is escaped; `undefined` and `false` vanish. */
export type Fragment = Markup | string | number | false | undefined | readonly Fragment[]

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

// Characters that HTML and XML both forbid, and lone surrogates: one of them in a corpus would make the SVG ill-formed.
// oxlint-disable-next-line no-control-regex -- these control characters are the subject
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]|\p{Surrogate}/gu

/** Escapes text for an element's content or a quoted attribute. */
export function escape(text: string): string {
  return text.replace(FORBIDDEN, '\ufffd').replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}

function render(fragment: Fragment): string {
  if (fragment instanceof Markup) return fragment.text
  if (fragment === undefined || fragment === false) return ''
  if (typeof fragment === 'number') return String(fragment)
  if (typeof fragment === 'string') return escape(fragment)
  return fragment.map(render).join('')
}

/**
 * Builds markup; every interpolated string is escaped, so text of a corpus or a file name can never become an element.
 *
 * @example
 * markup`<b>${'a < b'}</b>`.text // '<b>a &lt; b</b>'
 */
export function markup(parts: TemplateStringsArray, ...fragments: readonly Fragment[]): Markup {
  return new Markup(parts.map((part, index) => part + render(fragments[index])).join(''))
}

/** JSON for a `<script type="application/json">`: no sequence in it can end the element. */
export function embedJson(value: unknown): Markup {
  const text = JSON.stringify(value) ?? 'null'
  return new Markup(text.replace(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`))
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹'

/** Shown where a number is missing or not finite. */
export const MISSING = '–'

const MINUS = '−'

/** A fixed number of digits, thousands separated, a true minus sign. */
export function fixed(value: number | null | undefined, digits = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING
  const [whole = '', fraction] = Math.abs(value).toFixed(digits).split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  const text = fraction === undefined ? grouped : `${grouped}.${fraction}`
  return value < 0 && Number(text.replaceAll(',', '')) !== 0 ? MINUS + text : text
}

/** The same with a sign in front, for differences. */
export function signed(value: number, digits = 1): string {
  const text = fixed(value, digits)
  return value > 0 && Number(text.replaceAll(',', '')) !== 0 ? `+${text}` : text
}

/** `10⁻⁷`, the label of a logarithmic tick. */
export function powerOfTen(exponent: number): string {
  const digits = String(Math.abs(exponent)).replace(/\d/g, (digit) => SUPERSCRIPTS[Number(digit)] ?? digit)
  return `10${exponent < 0 ? '⁻' : ''}${digits}`
}

/** About three significant digits, whatever the magnitude. */
export function significant(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING
  const magnitude = Math.abs(value)
  if (magnitude !== 0 && (magnitude < 1e-3 || magnitude >= 1e7)) return scientific(value)
  const digits = magnitude === 0 ? 0 : Math.max(0, 3 - Math.floor(Math.log10(magnitude)) - 1)
  return fixed(value, digits)
}

function scientific(value: number): string {
  const [mantissa = '', exponent = '0'] = value.toExponential(2).split('e')
  return `${mantissa.replace('-', MINUS)} × ${powerOfTen(Number(exponent))}`
}

/** Whole seconds as `m:ss` or `h:mm:ss`. */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return MISSING
  const total = Math.max(0, Math.round(seconds))
  const parts = [Math.floor(total / 60) % 60, total % 60]
  if (total >= 3600) parts.unshift(Math.floor(total / 3600))
  return parts.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':')
}

/** A duration in words: `48 s`, `11 min 20 s`, `2 h 05 min`. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return MISSING
  const total = Math.round(seconds)
  if (seconds < 10) return `${fixed(seconds, 1)} s`
  if (total < 60) return `${total} s`
  if (total < 3600) return `${Math.floor(total / 60)} min ${String(total % 60).padStart(2, '0')} s`
  return `${Math.floor(total / 3600)} h ${String(Math.floor(total / 60) % 60).padStart(2, '0')} min`
}

/** Bytes in binary units, as the operating system counts memory. */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const unit = Math.min(units.length - 1, value < 1 ? 0 : Math.floor(Math.log(value) / Math.log(1024)))
  const scaled = value / 1024 ** unit
  return `${fixed(scaled, unit === 0 || scaled >= 100 ? 0 : 1)} ${units[unit]}`
}
